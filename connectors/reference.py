"""The FOCUS datasets beside Cost and Usage: Contract Commitment, Billing Period and Invoice Detail.

They are taken as they stand. A Contract Commitment of FOCUS 1.3 has 13 of the 30 columns of 1.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from connectors.format import Column, Format, Kind, Replace
from connectors.rows import ledger_rows
from ledger import focus

if TYPE_CHECKING:
    import ibis.expr.types as ir

_KINDS: Final = {focus.DECIMAL: Kind.DECIMAL, focus.INSTANT: Kind.INSTANT, focus.JSON: Kind.JSON}


def _dataset(
    name: str, title: str, table: str, columns: tuple[focus.Column, ...], *, key: tuple[str, ...], signature: set[str]
) -> Format:
    """A format that carries `columns` over; a row without a value for every column of `key` is none of the dataset."""
    names = [column.name for column in columns]

    def to_ledger(source: ir.Table) -> ir.Table:
        return ledger_rows(source, **{name: source[name] for name in names})

    return Format(
        name=name,
        title=title,
        provider="",
        table=table,
        signature=frozenset({*key, *signature}),
        columns=tuple(Column(c.name, _KINDS.get(c.type, Kind.TEXT), required=c.name in key) for c in columns),
        to_ledger=to_ledger,
        replaces=Replace.ALL,
    )


FORMATS: Final[tuple[Format, ...]] = (
    _dataset(
        "focus-contract-commitment",
        "FOCUS Contract Commitment",
        "contract_commitments",
        focus.CONTRACT_COMMITMENT,
        key=("ContractCommitmentId", "ContractCommitmentPeriodStart", "ContractCommitmentPeriodEnd"),
        signature={"ContractId", "ContractCommitmentCategory"},
    ),
    _dataset(
        "focus-billing-period",
        "FOCUS Billing Period",
        "billing_periods",
        focus.BILLING_PERIOD,
        key=("BillingPeriodStart", "BillingPeriodEnd", "BillingPeriodStatus", "InvoiceIssuerName"),
        signature=set(),
    ),
    _dataset(
        "focus-invoice-detail",
        "FOCUS Invoice Detail",
        "invoice_details",
        focus.INVOICE_DETAIL,
        key=("InvoiceDetailId", "InvoiceId", "BilledCost", "BillingCurrency"),
        signature={"InvoiceIssueStatus", "InvoiceDetailGrain"},
    ),
)
