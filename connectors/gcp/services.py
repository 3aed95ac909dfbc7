"""FOCUS ServiceCategory of Google Cloud services, by the service description that the bill prints."""

from __future__ import annotations

from typing import Final

from connectors.expressions import Text, looked_up

#: The services whose SKUs may count tokens, with their ids in the Cloud Billing catalog.
GENERATIVE_AI: Final = {"C7E2-9256-1C43": "Vertex AI", "AEFD-7695-64FA": "Gemini API"}

#: Category to service descriptions; a service that is not listed is `Other`.
CATEGORIES: Final = {
    "AI and Machine Learning": (
        *GENERATIVE_AI.values(),
        "Cloud AutoML",
        "Cloud Dialogflow API",
        "Cloud Document AI API",
        "Cloud Machine Learning Engine",
        "Cloud Natural Language",
        "Cloud Speech API",
        "Cloud Text-to-Speech API",
        "Cloud TPU",
        "Cloud Video Intelligence API",
        "Cloud Vision API",
        "Generative Language API",
        "Notebooks",
        "Recommendations AI",
        "Translate",
        "Vertex AI Search",
    ),
    "Analytics": (
        "BigQuery",
        "BigQuery BI Engine",
        "BigQuery Reservation API",
        "BigQuery Storage API",
        "Cloud Composer",
        "Cloud Data Fusion",
        "Cloud Dataflow",
        "Cloud Dataproc",
        "Data Catalog",
        "Dataplex",
        "Looker",
    ),
    "Compute": ("App Engine", "Cloud Functions", "Cloud Run", "Compute Engine", "Kubernetes Engine", "VMware Engine"),
    "Databases": (
        "AlloyDB",
        "Cloud Bigtable",
        "Cloud Firestore",
        "Cloud Memorystore for Memcached",
        "Cloud Memorystore for Redis",
        "Cloud Spanner",
        "Cloud SQL",
        "Datastream",
        "Firebase Realtime Database",
    ),
    "Developer Tools": ("Artifact Registry", "Cloud Build", "Source Repository"),
    "Identity": ("Identity Platform",),
    "Integration": ("API Gateway", "Apigee", "Cloud Pub/Sub", "Cloud Scheduler", "Cloud Tasks", "Pub/Sub", "Workflows"),
    "Management and Governance": ("Cloud Logging", "Cloud Monitoring", "Stackdriver", "Support"),
    "Migration": ("BigQuery Data Transfer Service", "Transfer Appliance"),
    "Networking": ("Cloud CDN", "Cloud DNS", "Cloud Domains", "Networking"),
    "Security": (
        "Certificate Authority Service",
        "Cloud Data Loss Prevention",
        "Cloud Key Management Service (KMS)",
        "Secret Manager",
        "Security Command Center",
        "Web Risk",
        "reCAPTCHA Enterprise",
    ),
    "Storage": ("Backup for GKE", "Cloud Filestore", "Cloud Storage", "Transfer Service"),
}


def category(service: Text) -> Text:
    """The FOCUS ServiceCategory of the service called `service`; `Other` where it is unknown or NULL."""
    return looked_up(service, {one: name for name, names in CATEGORIES.items() for one in names}, "Other")
