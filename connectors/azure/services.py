"""Azure's own service names to FOCUS ServiceName, ServiceCategory and ServiceSubcategory.

A small table: what a customer of AI services pays for beside them. A service that is not in it keeps the
name that the bill gives it and is categorised Other. Source: microsoft/finops-toolkit Services.csv (MIT).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import ibis
import ibis.expr.types as ir

#: ConsumedService in lower case: ServiceName, ServiceCategory, ServiceSubcategory.
CONSUMED_SERVICES: Final = {
    "microsoft.apimanagement": ("API Management", "Integration", "API Management"),
    "microsoft.app": ("Azure Container Apps", "Compute", "Containers"),
    "microsoft.automation": ("Azure Automation", "Integration", "Workflow Orchestration"),
    "microsoft.botservice": ("Azure AI Bot Service", "AI and Machine Learning", "Bots"),
    "microsoft.cache": ("Azure Cache for Redis", "Databases", "Caching"),
    "microsoft.capacity": ("Azure Reservations", "Management and Governance", "Cost Management"),
    "microsoft.billingbenefits": ("Azure Savings Plan for Compute", "Compute", "Other (Compute)"),
    "microsoft.cognitiveservices": ("Azure AI Services", "AI and Machine Learning", "AI Platforms"),
    "microsoft.compute": ("Virtual Machines", "Compute", "Virtual Machines"),
    "microsoft.containerregistry": ("Azure Container Registry", "Compute", "Containers"),
    "microsoft.databricks": ("Azure Databricks", "Analytics", "Data Processing"),
    "microsoft.datafactory": ("Azure Data Factory", "Integration", "Workflow Orchestration"),
    "microsoft.dbforpostgresql": ("Azure DB for PostgreSQL", "Databases", "Relational Databases"),
    "microsoft.dbformysql": ("Azure DB for MySQL", "Databases", "Relational Databases"),
    "microsoft.documentdb": ("Cosmos DB", "Databases", "NoSQL Databases"),
    "microsoft.eventhub": ("Event Hubs", "Integration", "Messaging"),
    "microsoft.insights": ("Azure Monitor", "Management and Governance", "Observability"),
    "microsoft.keyvault": ("Key Vault", "Security", "Secret Management"),
    "microsoft.logic": ("Logic Apps", "Integration", "Workflow Orchestration"),
    "microsoft.machinelearning": ("Azure Machine Learning", "AI and Machine Learning", "Machine Learning"),
    "microsoft.machinelearningservices": ("Azure Machine Learning", "AI and Machine Learning", "Machine Learning"),
    "microsoft.operationalinsights": ("Azure Monitor", "Management and Governance", "Observability"),
    "microsoft.saas": ("Azure Marketplace", "Other", "Other (Other)"),
    "microsoft.search": ("Azure AI Search", "Analytics", "Search"),
    "microsoft.servicebus": ("Service Bus", "Integration", "Messaging"),
    "microsoft.sql": ("Azure SQL Database", "Databases", "Relational Databases"),
    "microsoft.storage": ("Storage Accounts", "Storage", "Storage Platforms"),
    "microsoft.synapse": ("Azure Synapse Analytics", "Analytics", "Analytics Platforms"),
    "microsoft.videoindexer": ("Azure AI Video Indexer", "AI and Machine Learning", "AI Platforms"),
    "microsoft.web": ("Azure App Service", "Web", "Application Platforms"),
}

#: MeterCategory in lower case, asked first: one provider bills several services (a peering under Microsoft.Compute).
METER_CATEGORIES: Final = {
    "azure bastion": ("Azure Bastion", "Networking", "Network Security"),
    "azure dns": ("Azure DNS", "Networking", "Network Routing"),
    "azure firewall": ("Azure Firewall", "Networking", "Network Security"),
    "azure kubernetes service": ("Azure Kubernetes Service", "Compute", "Containers"),
    "azure openai": CONSUMED_SERVICES["microsoft.cognitiveservices"],
    "cognitive services": CONSUMED_SERVICES["microsoft.cognitiveservices"],
    "foundry models": CONSUMED_SERVICES["microsoft.cognitiveservices"],
    "load balancer": ("Load Balancer", "Networking", "Application Networking"),
    "nat gateway": ("Azure NAT Gateway", "Networking", "Network Connectivity"),
    "virtual network": ("Virtual Network", "Networking", "Network Infrastructure"),
    "vpn gateway": ("VPN Gateway", "Networking", "Network Connectivity"),
}


class Service(NamedTuple):
    """FOCUS service keys as expressions."""

    name: ir.StringValue
    category: ir.StringValue
    subcategory: ir.StringValue


def service(consumed: ir.StringValue, meter_category: ir.StringValue) -> Service:
    """FOCUS service of a row; outside the table the bill's own name, and Other."""
    by_meter, by_service = meter_category.lower(), consumed.lower()

    def part(index: int) -> ir.StringValue:
        meters = [(key, values[index]) for key, values in METER_CATEGORIES.items()]
        consumers = [(key, values[index]) for key, values in CONSUMED_SERVICES.items()]
        return by_meter.cases(*meters).coalesce(by_service.cases(*consumers))

    return Service(
        part(0).coalesce(meter_category, consumed, ibis.literal("Other")),
        part(1).coalesce(ibis.literal("Other")),
        part(2).coalesce(ibis.literal("Other (Other)")),
    )


def is_ai(consumed: ir.StringValue, meter_category: ir.StringValue, product: ir.StringValue) -> ir.BooleanValue:
    """Whether a row belongs to a service whose meters may count tokens (Foundry, Azure OpenAI, Claude)."""
    by_service = consumed.lower().isin(["microsoft.cognitiveservices", "microsoft.machinelearningservices"])
    category, text = meter_category.lower(), product.lower()
    by_category = category.contains("openai") | category.contains("cognitive services") | category.contains("foundry")
    by_product = (
        text.contains("openai") | text.contains("foundry") | text.contains("claude") | text.contains("anthropic")
    )
    return by_service.fill_null(False) | by_category.fill_null(False) | by_product.fill_null(False)
