"""The columns of FOCUS 1.4, dataset by dataset, and of the versions before it.

Source: FOCUS specification 1.4 (FinOps Open Cost and Usage Specification, CC-BY-4.0).
Dataset levels, nullability and allowed values are the specification's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TEXT: Final = "VARCHAR"
DECIMAL: Final = "DECIMAL(38,18)"
INSTANT: Final = "TIMESTAMP WITH TIME ZONE"
JSON: Final = "JSON"

VERSIONS: Final = ("1.0", "1.1", "1.2", "1.3", "1.4")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a dataset: its name, its DuckDB type and what the specification asks of it."""

    name: str
    type: str
    nullable: bool = True
    mandatory: bool = False
    since: str = "1.0"
    until: str = "1.4"
    allowed: tuple[str, ...] = ()


SERVICE_CATEGORIES: Final = (
    "AI and Machine Learning",
    "Analytics",
    "Business Applications",
    "Compute",
    "Databases",
    "Developer Tools",
    "Identity",
    "Integration",
    "Internet of Things",
    "Management and Governance",
    "Media",
    "Migration",
    "Mobile",
    "Multicloud",
    "Networking",
    "Other",
    "Security",
    "Storage",
    "Web",
)

#: Cost and Usage, 65 columns.
COST_AND_USAGE: Final = (
    Column("AllocatedMethodDetails", JSON, since="1.3"),
    Column("AllocatedMethodId", TEXT, since="1.3"),
    Column("AllocatedResourceId", TEXT, since="1.3"),
    Column("AllocatedResourceName", TEXT, since="1.3"),
    Column("AllocatedTags", JSON, since="1.3"),
    Column("AvailabilityZone", TEXT),
    Column("BilledCost", DECIMAL, nullable=False, mandatory=True),
    Column("BillingAccountId", TEXT, nullable=False, mandatory=True),
    Column("BillingAccountName", TEXT, mandatory=True),
    Column("BillingAccountType", TEXT, nullable=False, since="1.2"),
    Column("BillingCurrency", TEXT, nullable=False, mandatory=True),
    Column("BillingPeriodEnd", INSTANT, nullable=False, mandatory=True),
    Column("BillingPeriodStart", INSTANT, nullable=False, mandatory=True),
    Column("CapacityReservationId", TEXT, since="1.1"),
    Column("CapacityReservationStatus", TEXT, since="1.1", allowed=("Used", "Unused")),
    Column(
        "ChargeCategory",
        TEXT,
        nullable=False,
        mandatory=True,
        allowed=("Usage", "Purchase", "Tax", "Credit", "Adjustment"),
    ),
    Column("ChargeClass", TEXT, mandatory=True, allowed=("Correction",)),
    Column("ChargeDescription", TEXT, mandatory=True),
    Column("ChargeFrequency", TEXT, nullable=False, allowed=("One-Time", "Recurring", "Usage-Based")),
    Column("ChargePeriodEnd", INSTANT, nullable=False, mandatory=True),
    Column("ChargePeriodStart", INSTANT, nullable=False, mandatory=True),
    Column("CommitmentDiscountCategory", TEXT, allowed=("Spend", "Usage")),
    Column("CommitmentDiscountId", TEXT),
    Column("CommitmentDiscountName", TEXT),
    Column("CommitmentDiscountQuantity", DECIMAL, since="1.1"),
    Column("CommitmentDiscountStatus", TEXT, allowed=("Used", "Unused")),
    Column("CommitmentDiscountType", TEXT),
    Column("CommitmentDiscountUnit", TEXT, since="1.1"),
    Column("CommitmentProgramEligibilityDetails", JSON, since="1.4"),
    Column("ConsumedQuantity", DECIMAL),
    Column("ConsumedUnit", TEXT),
    Column("ContractApplied", JSON, since="1.3"),
    Column("ContractedCost", DECIMAL, nullable=False, mandatory=True),
    Column("ContractedUnitPrice", DECIMAL),
    Column("EffectiveCost", DECIMAL, nullable=False, mandatory=True),
    Column("HostProviderName", TEXT, mandatory=True, since="1.3"),
    Column("InvoiceDetailId", TEXT, since="1.4"),
    Column("InvoiceId", TEXT, since="1.2"),
    Column("InvoiceIssuerName", TEXT, nullable=False, mandatory=True),
    Column("ListCost", DECIMAL, nullable=False, mandatory=True),
    Column("ListUnitPrice", DECIMAL),
    Column("PricingCategory", TEXT, allowed=("Standard", "Dynamic", "Committed", "Other")),
    Column("PricingCurrency", TEXT, nullable=False, since="1.2"),
    Column("PricingCurrencyContractedUnitPrice", DECIMAL, since="1.2"),
    Column("PricingCurrencyEffectiveCost", DECIMAL, nullable=False, since="1.2"),
    Column("PricingCurrencyListUnitPrice", DECIMAL, since="1.2"),
    Column("PricingQuantity", DECIMAL, mandatory=True),
    Column("PricingUnit", TEXT, mandatory=True),
    Column("RegionId", TEXT),
    Column("RegionName", TEXT),
    Column("ResourceId", TEXT),
    Column("ResourceName", TEXT),
    Column("ResourceType", TEXT),
    Column("ServiceCategory", TEXT, nullable=False, mandatory=True, allowed=SERVICE_CATEGORIES),
    Column("ServiceName", TEXT, nullable=False, mandatory=True),
    Column("ServiceProviderName", TEXT, nullable=False, mandatory=True, since="1.3"),
    Column("ServiceSubcategory", TEXT, nullable=False, since="1.1"),
    Column("SkuId", TEXT),
    Column("SkuMeter", TEXT, since="1.1"),
    Column("SkuPriceDetails", JSON, since="1.1"),
    Column("SkuPriceId", TEXT),
    Column("SubAccountId", TEXT),
    Column("SubAccountName", TEXT),
    Column("SubAccountType", TEXT, since="1.2"),
    Column("Tags", JSON),
)

#: Columns that versions before 1.4 had and 1.4 removed.
REMOVED: Final = (
    Column("ProviderName", TEXT, nullable=False, mandatory=True, until="1.3"),
    Column("PublisherName", TEXT, nullable=False, mandatory=True, until="1.3"),
)

#: Contract Commitment, 30 columns.
CONTRACT_COMMITMENT: Final = (
    Column("BillingCurrency", TEXT, mandatory=True, since="1.3"),
    Column("ContractCommitmentApplicability", JSON, nullable=False, mandatory=True, since="1.4"),
    Column(
        "ContractCommitmentBenefitCategory",
        TEXT,
        nullable=False,
        mandatory=True,
        since="1.4",
        allowed=("Discount", "Entitlement", "Availability", "Other"),
    ),
    Column("ContractCommitmentCategory", TEXT, nullable=False, mandatory=True, since="1.3", allowed=("Spend", "Usage")),
    Column("ContractCommitmentCost", DECIMAL, mandatory=True, since="1.3"),
    Column("ContractCommitmentCreated", INSTANT, nullable=False, mandatory=True, since="1.4"),
    Column("ContractCommitmentDescription", TEXT, mandatory=True, since="1.3"),
    Column("ContractCommitmentDiscountPercentage", DECIMAL, mandatory=True, since="1.4"),
    Column("ContractCommitmentDurationType", TEXT, nullable=False, mandatory=True, since="1.4"),
    Column(
        "ContractCommitmentFulfillmentInterval",
        TEXT,
        nullable=False,
        mandatory=True,
        since="1.4",
        allowed=(
            "Hourly",
            "Daily",
            "Weekly",
            "Monthly",
            "Quarterly",
            "Semi-Annual",
            "Annual",
            "Full Period",
            "Transactional",
            "Custom",
        ),
    ),
    Column("ContractCommitmentId", TEXT, nullable=False, mandatory=True, since="1.3"),
    Column("ContractCommitmentLastUpdated", INSTANT, nullable=False, mandatory=True, since="1.4"),
    Column(
        "ContractCommitmentLifecycleStatus",
        TEXT,
        nullable=False,
        mandatory=True,
        since="1.4",
        allowed=("Proposed", "Pending", "Active", "Exhausted", "Expired", "Canceled", "Superseded"),
    ),
    Column(
        "ContractCommitmentModel",
        TEXT,
        nullable=False,
        mandatory=True,
        since="1.4",
        allowed=("Continuous", "Discontinuous"),
    ),
    Column(
        "ContractCommitmentOfferCategory",
        TEXT,
        nullable=False,
        mandatory=True,
        since="1.4",
        allowed=("Negotiated", "Public"),
    ),
    Column(
        "ContractCommitmentPaymentInterval",
        TEXT,
        nullable=False,
        mandatory=True,
        since="1.4",
        allowed=("One-Time", "Monthly", "Quarterly", "Semi-Annual", "Annual", "Custom"),
    ),
    Column(
        "ContractCommitmentPaymentModel",
        TEXT,
        nullable=False,
        mandatory=True,
        since="1.4",
        allowed=("No Upfront", "Partial Upfront", "All Upfront"),
    ),
    Column("ContractCommitmentPaymentUpfrontPercentage", DECIMAL, nullable=False, since="1.4"),
    Column("ContractCommitmentPeriodEnd", INSTANT, nullable=False, mandatory=True, since="1.3"),
    Column("ContractCommitmentPeriodStart", INSTANT, nullable=False, mandatory=True, since="1.3"),
    Column("ContractCommitmentQuantity", DECIMAL, mandatory=True, since="1.3"),
    Column("ContractCommitmentType", TEXT, nullable=False, mandatory=True, since="1.3"),
    Column("ContractCommitmentUnit", TEXT, mandatory=True, since="1.3"),
    Column("ContractId", TEXT, nullable=False, mandatory=True, since="1.3"),
    Column("ContractPeriodEnd", INSTANT, nullable=False, mandatory=True, since="1.3"),
    Column("ContractPeriodStart", INSTANT, nullable=False, mandatory=True, since="1.3"),
    Column("InvoiceIssuerName", TEXT, nullable=False, mandatory=True, since="1.4"),
    Column("PricingCurrency", TEXT, nullable=False, since="1.4"),
    Column("PricingCurrencyContractCommitmentCost", DECIMAL, since="1.4"),
    Column("ServiceProviderName", TEXT, nullable=False, mandatory=True, since="1.4"),
)

#: Billing Period, 6 columns.
BILLING_PERIOD: Final = (
    Column("BillingPeriodCreated", INSTANT, nullable=False, mandatory=True, since="1.4"),
    Column("BillingPeriodEnd", INSTANT, nullable=False, mandatory=True, since="1.4"),
    Column("BillingPeriodLastUpdated", INSTANT, nullable=False, mandatory=True, since="1.4"),
    Column("BillingPeriodStart", INSTANT, nullable=False, mandatory=True, since="1.4"),
    Column("BillingPeriodStatus", TEXT, nullable=False, mandatory=True, since="1.4", allowed=("Open", "Closed")),
    Column("InvoiceIssuerName", TEXT, nullable=False, mandatory=True, since="1.4"),
)

#: Invoice Detail, 22 columns.
INVOICE_DETAIL: Final = (
    Column("BilledCost", DECIMAL, nullable=False, mandatory=True, since="1.4"),
    Column("BillingAccountId", TEXT, nullable=False, mandatory=True, since="1.4"),
    Column("BillingCurrency", TEXT, nullable=False, mandatory=True, since="1.4"),
    Column("BillingPeriodEnd", INSTANT, nullable=False, mandatory=True, since="1.4"),
    Column("BillingPeriodStart", INSTANT, nullable=False, mandatory=True, since="1.4"),
    Column(
        "ChargeCategory",
        TEXT,
        nullable=False,
        mandatory=True,
        since="1.4",
        allowed=("Usage", "Purchase", "Tax", "Credit", "Adjustment"),
    ),
    Column("InvoiceDetailCreated", INSTANT, nullable=False, mandatory=True, since="1.4"),
    Column("InvoiceDetailDescription", TEXT, mandatory=True, since="1.4"),
    Column("InvoiceDetailGrain", JSON, mandatory=True, since="1.4"),
    Column("InvoiceDetailId", TEXT, nullable=False, mandatory=True, since="1.4"),
    Column("InvoiceDetailLastUpdated", INSTANT, nullable=False, mandatory=True, since="1.4"),
    Column("InvoiceId", TEXT, nullable=False, mandatory=True, since="1.4"),
    Column("InvoiceIssueDate", INSTANT, mandatory=True, since="1.4"),
    Column(
        "InvoiceIssueStatus", TEXT, nullable=False, mandatory=True, since="1.4", allowed=("Open", "Issued", "Voided")
    ),
    Column("InvoiceIssuerName", TEXT, nullable=False, mandatory=True, since="1.4"),
    Column("PaymentCurrency", TEXT, nullable=False, since="1.4"),
    Column("PaymentCurrencyBilledCost", DECIMAL, nullable=False, since="1.4"),
    Column("PaymentCurrencyInvoiceDetailId", TEXT, nullable=False, since="1.4"),
    Column("PaymentDueDate", INSTANT, mandatory=True, since="1.4"),
    Column("PaymentTerms", TEXT, nullable=False, mandatory=True, since="1.4"),
    Column("PurchaseOrderNumber", TEXT, since="1.4"),
    Column("ReferenceInvoiceId", TEXT, nullable=False, mandatory=True, since="1.4"),
)


def cost_and_usage(version: str) -> tuple[Column, ...]:
    """The Cost and Usage columns of one FOCUS version, in alphabetical order as the specification lists them.

    Raises:
        ValueError: the version is not one of `VERSIONS`.
    """
    if version not in VERSIONS:
        raise ValueError(f"FOCUS {version} is not known; known versions are {', '.join(VERSIONS)}.")
    columns = [c for c in (*COST_AND_USAGE, *REMOVED) if c.since <= version <= c.until]
    return tuple(sorted(columns, key=lambda c: c.name))
