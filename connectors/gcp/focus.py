"""Google Cloud's own FOCUS 1.2 export (Preview): what it leaves out is filled, and every filling is named."""

from __future__ import annotations

from typing import Final

from connectors.expressions import Document, Table, Value, cases, literal
from connectors.focus import COLUMNS, SIGNATURE, passthrough
from connectors.format import Column, Format, Kind
from connectors.gcp.nested import PROVIDER, Commitment, charge_frequency, namespaced, repairs, tags_object
from connectors.gcp.services import category
from connectors.gcp.vertex import Sku, identity_columns, with_identity
from connectors.rows import ledger_rows

_LABEL: Final = {"Key": Kind.TEXT, "Value": Kind.TEXT}
_CREDIT: Final = {"Id": Kind.TEXT, "FullName": Kind.TEXT, "Type": Kind.TEXT}

_EXTRA: Final = (
    Column("x_Credits", Kind.RECORDS, fields=_CREDIT),
    Column("x_CreditsJson", Kind.JSON, sources=("x_Credits",)),
    Column("x_CostType"),
    Column("x_ExportTime", Kind.INSTANT),
    Column("x_ServiceId"),
    Column("x_Labels", Kind.RECORDS, fields=_LABEL),
    Column("x_ProjectLabels", Kind.RECORDS, fields=_LABEL),
    Column("x_SystemLabels", Kind.RECORDS, fields=_LABEL),
    Column("x_Tags", Kind.RECORDS, fields={**_LABEL, "x_Namespace": Kind.TEXT}),
    Column("x_SubscriptionInstanceId"),
    Column("x_ConsumptionModelId"),
    Column("x_ConsumptionModelDescription"),
)


def _commitment(table: Table) -> Commitment:
    return Commitment(
        credits=table["x_Credits"],
        sku=table["ChargeDescription"],
        subscription=table["x_SubscriptionInstanceId"],
        model_id=table["x_ConsumptionModelId"],
        model=table["x_ConsumptionModelDescription"],
        id_key="Id",
        name_key="FullName",
        type_key="Type",
    )


def _tags(table: Table) -> Document:
    lists = {
        "label": table["x_Labels"],
        "project_label": table["x_ProjectLabels"],
        "system_label": table["x_SystemLabels"],
        "tag": namespaced(table["x_Tags"], "Key", "Value", "x_Namespace"),
    }
    return tags_object(lists, key="Key", value="Value")


def _sku(table: Table) -> Sku:
    cost_type = table["x_CostType"].lower()
    return Sku(
        service_id=table["x_ServiceId"],
        service=table["ServiceName"],
        description=table["ChargeDescription"],
        seller=table["PublisherName"],
        unit=table["ConsumedUnit"],
        amount=table["ConsumedQuantity"],
        regular=(table["ChargeCategory"] == "Usage") & (cost_type.isnull() | (cost_type == "regular")),
    )


def _fills(table: Table) -> dict[str, Value]:
    """What stands in for a column that the export leaves out."""
    commitment = _commitment(table)
    return {
        "ServiceCategory": category(table["ServiceName"]),
        "ServiceSubcategory": identity_columns(table)["ServiceSubcategory"],
        "ServiceProviderName": literal(PROVIDER),
        "HostProviderName": literal(PROVIDER),
        "InvoiceIssuerName": literal(PROVIDER),
        "ChargeFrequency": charge_frequency(table["ChargeCategory"], commitment.is_fee),
        "Tags": _tags(table),
        **commitment.columns(),
    }


def _to_ledger(table: Table) -> Table:
    row = with_identity(table, _sku(table))
    values = _fills(row)
    filled = row.mutate(**{f"Fill{name}": value for name, value in values.items()})
    stated = passthrough(filled)
    fills = {name: filled[f"Fill{name}"] for name in values}
    notes = {f"{name} filled in": stated[name].isnull() & fill.notnull() for name, fill in fills.items()}
    return ledger_rows(
        filled,
        **{
            **stated,
            **identity_columns(filled),
            **{name: stated[name].coalesce(fill) for name, fill in fills.items()},
        },
        x_Credits=cases((filled["x_Credits"].length() > 0, filled["x_CreditsJson"])),
        x_ServiceCode=filled["x_ServiceId"],
        x_ConsumptionModel=filled["x_ConsumptionModelDescription"],
        x_ExportTime=filled["x_ExportTime"],
        x_Repairs=repairs(notes),
    )


FOCUS: Final = Format(
    name="gcp-focus",
    title="Google Cloud FOCUS 1.2 export (Preview)",
    provider=PROVIDER,
    table="charges",
    signature=SIGNATURE | {"x_ExportTime", "x_CostType", "x_ServiceId"},
    columns=(*COLUMNS, *_EXTRA),
    to_ledger=_to_ledger,
    billed=lambda table: table["BilledCost"],
    notes=(
        "Google's export has no service category, charge frequency, invoice issuer or tags.",
        "They are filled in, and x_Repairs names each of them.",
    ),
)
