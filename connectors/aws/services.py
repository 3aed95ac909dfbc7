"""AWS product codes and the FOCUS service category and subcategory they belong to.

Categories follow the FinOps Foundation's converter table for AWS (focus_converters, MIT), except that sign-in
services stand under Identity, as FOCUS 1.4 defines it; subcategories are FOCUS 1.4's. What is not listed is `Other`.
"""

from __future__ import annotations

from typing import Final

from connectors.expressions import Text, looked_up

OTHER: Final = ("Other", "Other (Other)")

#: (category, subcategory): product codes as `line_item_product_code` spells them.
SERVICES: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("AI and Machine Learning", "Generative AI"): ("AmazonBedrock", "AmazonQ", "AmazonCodeWhisperer"),
    ("AI and Machine Learning", "AI Platforms"): ("AmazonSageMaker",),
    ("AI and Machine Learning", "Bots"): ("AmazonLex",),
    ("AI and Machine Learning", "Natural Language Processing"): (
        "comprehend",
        "translate",
        "transcribe",
        "AmazonPolly",
    ),
    ("AI and Machine Learning", "Machine Learning"): (
        "AmazonRekognition",
        "AmazonTextract",
        "AmazonPersonalize",
        "AmazonForecast",
        "AmazonKendra",
    ),
    ("Analytics", "Analytics Platforms"): ("AmazonAthena", "ElasticMapReduce", "AWSLakeFormation"),
    ("Analytics", "Business Intelligence"): ("AmazonQuickSight",),
    ("Analytics", "Data Processing"): ("AWSGlue", "datapipeline"),
    ("Analytics", "Search"): ("AmazonES", "AmazonCloudSearch"),
    ("Analytics", "Streaming Analytics"): (
        "AmazonKinesis",
        "AmazonKinesisAnalytics",
        "AmazonKinesisFirehose",
        "AmazonMSK",
    ),
    ("Business Applications", "Productivity and Collaboration"): ("AmazonSES", "AmazonWorkDocs", "AmazonWorkMail"),
    ("Compute", "Virtual Machines"): ("AmazonEC2", "AmazonLightsail", "ComputeSavingsPlans"),
    ("Compute", "Containers"): ("AmazonECS", "AmazonEKS", "AmazonECR", "AmazonECRPublic"),
    ("Compute", "Serverless Compute"): ("AWSLambda", "AWSAppRunner"),
    ("Compute", "End User Computing"): ("AmazonAppStream", "AmazonWorkSpaces"),
    ("Databases", "Relational Databases"): ("AmazonRDS",),
    ("Databases", "NoSQL Databases"): ("AmazonDynamoDB", "AmazonDocDB", "AmazonNeptune", "AmazonMCS"),
    ("Databases", "Caching"): ("AmazonElastiCache", "AmazonMemoryDB"),
    ("Databases", "Data Warehouses"): ("AmazonRedshift",),
    ("Databases", "Time Series Databases"): ("AmazonTimestream",),
    ("Developer Tools", "Continuous Integration and Deployment"): (
        "CodeBuild",
        "AWSCodePipeline",
        "AWSCodeDeploy",
        "AWSCodeArtifact",
    ),
    ("Developer Tools", "Source Code Management"): ("AWSCodeCommit",),
    ("Developer Tools", "Developer Platforms"): ("AWSAmplify", "AWSAppSync"),
    ("Identity", "Identity and Access Management"): ("AmazonCognito", "AWSDirectoryService"),
    ("Integration", "Messaging"): ("AWSQueueService", "AmazonSNS", "AmazonMQ", "AWSEvents"),
    ("Integration", "Workflow Orchestration"): ("AmazonStates", "AmazonMWAA"),
    ("Internet of Things", "IoT Platforms"): ("AWSIoT", "AWSGreengrass"),
    ("Management and Governance", "Observability"): (
        "AmazonCloudWatch",
        "AmazonGrafana",
        "AmazonPrometheus",
        "AWSXRay",
    ),
    ("Management and Governance", "Compliance"): ("AWSCloudTrail", "AWSConfig"),
    ("Management and Governance", "Cost Management"): ("AWSBudgets", "AWSCostExplorer"),
    ("Management and Governance", "Support"): ("AWSSupportBusiness", "AWSSupportEnterprise", "AWSDeveloperSupport"),
    ("Management and Governance", "Other (Management and Governance)"): ("AWSSystemsManager", "AWSCloudFormation"),
    ("Media", "Media Streaming"): ("AWSElementalMediaLive", "AWSElementalMediaConvert", "AmazonKinesisVideo"),
    ("Migration", "Data Migration"): ("AWSDatabaseMigrationSvc", "AWSDataSync", "AWSTransfer"),
    ("Networking", "Application Networking"): ("AWSELB", "AmazonApiGateway"),
    ("Networking", "Content Delivery"): ("AmazonCloudFront",),
    ("Networking", "Network Connectivity"): ("AWSDirectConnect", "AWSDataTransfer", "AWSGlobalAccelerator"),
    ("Networking", "Network Infrastructure"): ("AmazonVPC",),
    ("Networking", "Network Routing"): ("AmazonRoute53",),
    ("Networking", "Network Security"): ("AWSNetworkFirewall",),
    ("Security", "Secret Management"): ("AWSSecretsManager", "awskms", "CloudHSM"),
    ("Security", "Security Posture Management"): ("AWSSecurityHub", "AmazonInspectorV2"),
    ("Security", "Threat Detection and Response"): ("AmazonGuardDuty", "AmazonDetective"),
    ("Security", "Other (Security)"): ("awswaf", "AWSShield", "AmazonMacie", "AWSCertificateManager"),
    ("Storage", "Object Storage"): ("AmazonS3", "AmazonS3GlacierDeepArchive", "AmazonGlacier"),
    ("Storage", "Block Storage"): ("AmazonEBS",),
    ("Storage", "File Storage"): ("AmazonEFS", "AmazonFSx"),
    ("Storage", "Backup Storage"): ("AWSBackup",),
}


def category(product_code: Text) -> Text:
    """FOCUS ServiceCategory of a product code, `Other` where it is not listed."""
    return looked_up(product_code, {code: name for (name, _), codes in SERVICES.items() for code in codes}, OTHER[0])


def subcategory(product_code: Text) -> Text:
    """FOCUS ServiceSubcategory of a product code, `Other (Other)` where it is not listed."""
    return looked_up(product_code, {code: name for (_, name), codes in SERVICES.items() for code in codes}, OTHER[1])
