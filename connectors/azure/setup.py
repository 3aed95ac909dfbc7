"""How a person connects Azure: the fields, the commands that make export and application, and the least privilege."""

from __future__ import annotations

import json
from typing import Final

from connectors.live import Field, Setup

#: Days that Azure may still restate: credits and refunds come up to the middle of the next month.
OVERLAP_DAYS: Final = 45
#: Months that exports reach back when each is run once.
HISTORY_DAYS: Final = 396
EXPORT: Final = "spendproof"

#: Every action of Azure Resource Manager that a connection calls, and every one on data, by the role that holds it.
ACTIONS: Final = {
    "Microsoft.CostManagement/query/action": "Cost Management Reader",
    "Microsoft.CostManagement/exports/read": "Cost Management Reader",
    "Microsoft.CostManagement/exports/runHistory/read": "Cost Management Reader",
    "Microsoft.CognitiveServices/accounts/read": "Monitoring Reader",
    "Microsoft.Insights/metricDefinitions/read": "Monitoring Reader",
    "Microsoft.Insights/metrics/read": "Monitoring Reader",
}
DATA_ACTIONS: Final = {
    "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read": "Storage Blob Data Reader",
}


def role() -> str:
    """A custom role that allows what a connection calls and nothing else, as `az role definition create` takes it."""
    document = {
        "Name": "SpendProof Reader",
        "Description": "Reads costs, the files of exports and token metrics; changes nothing.",
        "Actions": sorted({*ACTIONS, "Microsoft.Storage/storageAccounts/blobServices/containers/read"}),
        "DataActions": sorted(DATA_ACTIONS),
        "AssignableScopes": ["/subscriptions/SUBSCRIPTION"],
    }
    return json.dumps(document, indent=2)


def export_body() -> str:
    """The export to make: FOCUS 1.2, Parquet, month to date, every day, the run before replaced."""
    store = "/subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.Storage/storageAccounts/ACCOUNT"
    document = {
        "properties": {
            "format": "Parquet",
            "compressionMode": "snappy",
            "dataOverwriteBehavior": "OverwritePreviousReport",
            "partitionData": True,
            "definition": {
                "type": "FocusCost",
                "timeframe": "MonthToDate",
                "dataSet": {"granularity": "Daily", "configuration": {"dataVersion": "1.2"}},
            },
            "deliveryInfo": {
                "destination": {"resourceId": store, "container": EXPORT, "rootFolderPath": "costs"},
            },
            "schedule": {
                "status": "Active",
                "recurrence": "Daily",
                "recurrencePeriod": {"from": "TOMORROWT00:00:00Z", "to": "2036-01-01T00:00:00Z"},
            },
        }
    }
    return json.dumps(document, indent=2)


_GUID: Final = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_FIELDS: Final = (
    Field(
        "scope",
        "Scope",
        "Whose costs: /subscriptions/ID, or /providers/Microsoft.Billing/billingAccounts/ID for all of an agreement "
        "(purchases of reservations and of the Marketplace under an Enterprise Agreement are only there).",
        pattern=r"/?(subscriptions|providers/Microsoft\.(Billing|Management))/[\w.:/-]+",
    ),
    Field("tenant_id", "Tenant", "The directory's id.", required=False, pattern=rf"{_GUID}|[\w-]+(\.[\w-]+)+"),
    Field("client_id", "Application", "The client id of the application.", required=False, pattern=_GUID),
    Field(
        "client_secret",
        "Client secret",
        "The secret's value. Better none: a workload identity, or an identity of the machine, has nothing that leaks.",
        required=False,
        secret=True,
    ),
    Field(
        "token_file",
        "Token file",
        "Path of the token of a workload identity, which is renewed from outside (AZURE_FEDERATED_TOKEN_FILE).",
        required=False,
    ),
    Field(
        "export",
        "Export",
        "https://ACCOUNT.blob.core.windows.net/CONTAINER/FOLDER/EXPORT, or the folder of several exports of one type. "
        "Empty: it is looked up at the scope.",
        required=False,
        pattern=r"https://[a-z0-9]{3,24}\.blob\.core\.[a-z.]+/[^?#]+",
    ),
    Field(
        "subscriptions",
        "Subscriptions with models",
        "Ids of subscriptions with Azure OpenAI or Foundry resources, separated by commas; that of the scope where it "
        "is empty. `none` asks for no token metrics.",
        required=False,
        pattern=rf"none|{_GUID}( *, *{_GUID})*",
    ),
)

_STEPS: Final = (
    (
        "Make a container for the export, and save this as `export.json` with the names in capitals filled in:\n\n"
        f"```json\n{export_body()}\n```\n\n"
        "```sh\naz provider register --namespace Microsoft.CostManagementExports\n"
        f"az storage container create --account-name ACCOUNT --name {EXPORT} --auth-mode login\n"
        f"az rest --method put --body @export.json --url https://management.azure.com{{scope}}/providers/"
        f"Microsoft.CostManagement/exports/{EXPORT}?api-version=2025-03-01\n```\n\n"
        "Where Azure refuses data version 1.2, write `1.2-preview`, then `1.0r2`."
    ),
    (
        "Run it once now, and once for each past month that you want (up to 13):\n\n```sh\n"
        f"az rest --method post --url https://management.azure.com{{scope}}/providers/Microsoft.CostManagement/"
        f"exports/{EXPORT}/run?api-version=2025-03-01 "
        '--body \'{"timePeriod": {"from": "2026-10-01T00:00:00Z", "to": "2026-10-31T00:00:00Z"}}\'\n```\n\n'
        "A month to date says nothing of the month before, which changes until the fifth. Make a second export of "
        "timeframe `TheLastMonth`, recurrence `Monthly`, in the same folder, and enter the folder as the export; or "
        "run the month before by hand when it has closed."
    ),
    (
        "Make an application that may read that, and nothing else:\n\n```sh\n"
        "az ad sp create-for-rbac --name spendproof\n"
        "az role assignment create --assignee CLIENT_ID --role 'Cost Management Reader' --scope {scope}\n"
        "az role assignment create --assignee CLIENT_ID --role 'Monitoring Reader' "
        "--scope /subscriptions/SUBSCRIPTION\n"
        "az role assignment create --assignee CLIENT_ID --role 'Storage Blob Data Reader' --scope "
        "/subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.Storage/storageAccounts/ACCOUNT"
        f"/blobServices/default/containers/{EXPORT}\n```\n\n"
        "A billing account has roles of its own: *Enrollment reader* (by `az rest`, an enterprise administrator only) "
        "or *Billing profile reader*."
    ),
    (
        "Or, in place of the three roles, one that allows exactly the calls that are made "
        f"(`az role definition create --role-definition role.json`):\n\n```json\n{role()}\n```"
    ),
    (
        "Without a secret: let the application trust the workload that SpendProof runs as; enter its token file.\n\n"
        "```sh\naz ad app federated-credential create --id CLIENT_ID --parameters "
        '\'{"name": "spendproof", "issuer": "ISSUER", "subject": "SUBJECT", '
        '"audiences": ["api://AzureADTokenExchange"]}\'\n```'
    ),
)

SETUP: Final = Setup(
    title="Microsoft Azure",
    fields=_FIELDS,
    steps=_STEPS,
    overlap_days=OVERLAP_DAYS,
    history_days=HISTORY_DAYS,
    later=(
        "A new export runs within a day; usage reaches it after 8 to 24 hours. Earlier months come when they are run.",
        "Until then the totals of the Query API stand beside the ledger, marked provisional. They are never charges.",
        "A month may change until the fifth of the next; credits and refunds may still come later.",
        "Azure Monitor keeps token metrics for 93 days, and counts input tokens together with cached ones.",
        "Claude on Foundry is billed in Claude Consumption Units: the bill names neither its models nor its tokens.",
    ),
)
