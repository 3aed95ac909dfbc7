"""How a person connects Google Cloud: the fields, the roles, and the commands that grant them."""

from __future__ import annotations

from typing import Final

from connectors.live import Field, Setup

OVERLAP_DAYS: Final = 45
HISTORY_DAYS: Final = 396

_FIELDS: Final = (
    Field(
        "table",
        "Export table",
        "project.dataset.table, whose name begins with gcp_billing_export_.",
        pattern=r"`?[a-z][a-z0-9:.-]{4,61}[a-z0-9]\.\w+\.gcp_billing_export_\w+`?",
    ),
    Field(
        "project",
        "Project of the queries",
        "Where the queries run and are billed; the table's own where it is empty.",
        required=False,
        pattern=r"[a-z][a-z0-9:.-]{4,61}[a-z0-9]",
    ),
    Field(
        "service_account",
        "Service account",
        "To act as, with SpendProof's own identity: name@project.iam.gserviceaccount.com.",
        required=False,
        pattern=r"[a-z0-9-]+@[a-z0-9.-]+\.gserviceaccount\.com",
    ),
    Field("key", "Key", "JSON key of a service account, only where there is no identity to act from.", False, True),
    Field(
        "limit_gib",
        "Most GiB a query may read",
        "A query that would read more is not run; 100 where it is empty.",
        required=False,
        pattern=r"[1-9][0-9]{0,5}",
    ),
)

_STEPS: Final = (
    (
        "In **Billing > Billing export**, enable the *detailed usage cost* export (or FOCUS, in Preview) to a dataset "
        "in the EU or US multi-region: only those are filled back to the first of the previous month."
    ),
    (
        "Make a service account that reads this dataset and nothing else:\n\n```sh\n"
        "gcloud iam service-accounts create spendproof-reader --project PROJECT\n"
        "bq query --use_legacy_sql=false 'GRANT `roles/bigquery.dataViewer` ON SCHEMA `PROJECT.DATASET` "
        'TO "serviceAccount:spendproof-reader@PROJECT.iam.gserviceaccount.com"\'\n'
        "gcloud projects add-iam-policy-binding PROJECT --role roles/bigquery.jobUser "
        "--member serviceAccount:spendproof-reader@PROJECT.iam.gserviceaccount.com\n```"
    ),
    (
        "Let SpendProof's own identity act as it, instead of making a key:\n\n```sh\n"
        "gcloud iam service-accounts add-iam-policy-binding spendproof-reader@PROJECT.iam.gserviceaccount.com "
        "--role roles/iam.serviceAccountTokenCreator --member serviceAccount:SPENDPROOF\n```"
    ),
)

SETUP: Final = Setup(
    title="Google Cloud",
    fields=_FIELDS,
    steps=_STEPS,
    overlap_days=OVERLAP_DAYS,
    history_days=HISTORY_DAYS,
    later=(
        "A new export shows its first rows within a day, and the month before within 5 days (EU and US multi-regions).",
        "Google promises no time of delivery: usage comes within a day or three, the invoice's last rows days later.",
        "There is no second source of totals; enter the total of an invoice to hold the ledger against it.",
        "The bill names projects, not the models inside Marketplace units.",
    ),
    price="Google charges 6.25 USD for each TiB that a query reads (US and EU; the first TiB of a month is free). Each "
    "query is priced by a dry run, and not run beyond the limit of the connection.",
)
