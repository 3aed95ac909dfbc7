"""The FOCUS exports of AWS, 1.0 and 1.2, with AWS's own columns beside them."""

from __future__ import annotations

from typing import Final

from connectors import focus
from connectors.aws import bedrock
from connectors.aws.cur import ISSUER_AS_AWS, LIST_UNKNOWN
from connectors.expressions import Table, Value, cases, literal
from connectors.format import Column, Format, Kind
from connectors.rows import ledger_rows
from ledger.tables import IDENTITY

_EXTRA: Final = (
    Column("x_ServiceCode"),
    Column("x_Operation"),
    Column("x_UsageType"),
    Column("x_CostCategories", Kind.JSON),
)

#: Kept under their own names.
_CARRIED: Final = tuple(column.name for column in _EXTRA)


def _to_ledger(table: Table) -> Table:
    metered = table["ChargeCategory"] == "Usage"
    model = bedrock.sold_as_model(table["x_ServiceCode"], table["ServiceName"])
    quantity = table["PricingQuantity"].coalesce(table["ConsumedQuantity"])
    meter = bedrock.Meter(
        applies=model & (table["ChargeCategory"] != "Tax"),
        # A negative amount for a positive quantity is a discount on use that has a row of its own.
        counts=metered & ~((table["EffectiveCost"] < 0) & (quantity.fill_null(0) > 0)),
        usage_type=table["x_UsageType"].coalesce(table["SkuMeter"]),
        unit=table["PricingUnit"].coalesce(table["ConsumedUnit"]),
        description=table["ChargeDescription"],
        product=table["ServiceName"],
        quantity=quantity,
    )
    read = bedrock.identified(table, meter)
    charged = (read["EffectiveCost"] > 0) | (read["BilledCost"] > 0)
    unknown = (metered & (read["ListCost"] == 0) & charged).fill_null(False)
    columns: dict[str, Value] = focus.passthrough(read) | {name: read[name] for name in _CARRIED}
    columns |= {c.name: read[c.name] for c in IDENTITY}
    columns |= {
        "InvoiceIssuerName": read["InvoiceIssuerName"].coalesce("AWS"),
        "ServiceProviderName": columns["ServiceProviderName"].coalesce("AWS"),
        "HostProviderName": columns["HostProviderName"].coalesce("AWS"),
        "ListCost": cases((~unknown, read["ListCost"])),
        "ListUnitPrice": cases((~unknown, read["ListUnitPrice"])),
        "x_Repairs": literal(", ")
        .join(
            [
                cases((unknown, LIST_UNKNOWN)),
                cases((read["InvoiceIssuerName"].isnull(), ISSUER_AS_AWS)),
            ]
        )
        .nullif(""),
    }
    return ledger_rows(read, **columns)


FORMAT: Final = Format(
    name="aws-focus",
    title="AWS FOCUS export (1.0 and 1.2)",
    provider="AWS",
    table="charges",
    signature=focus.SIGNATURE | {"x_ServiceCode", "x_Operation"},
    columns=(*focus.COLUMNS, *_EXTRA),
    to_ledger=_to_ledger,
    billed=lambda table: table["BilledCost"],
    notes=(
        "FOCUS exports of AWS name no IAM principal; a Cost and Usage Report 2.0 does.",
        "x_Discounts is not kept.",
    ),
)
