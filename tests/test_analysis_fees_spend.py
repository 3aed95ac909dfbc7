"""AI spend of a month: which charges, net of what, and when the month is closed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import ibis
import pyarrow as pa
import pytest

from analysis.fees_definition import AI, DEFINITION
from analysis.fees_spend import ai_spend

OCTOBER = date(2026, 10, 1)
LATER = date(2026, 11, 6)


def row(day: str, cost: str, **other: Any) -> dict[str, Any]:
    return {
        "ChargeDate": date.fromisoformat(day),
        "ServiceCategory": AI,
        "x_ModelId": None,
        "ChargeCategory": "Usage",
        "BillingCurrency": "USD",
        "x_Connection": "a",
        "BilledCost": Decimal(cost),
        "Charges": 1,
    } | other


def daily(*rows: dict[str, Any]) -> Any:
    kinds: dict[str, Any] = dict.fromkeys(rows[0], pa.string())
    kinds |= {"ChargeDate": pa.date32(), "BilledCost": pa.decimal128(38, 18), "Charges": pa.int64()}
    return ibis.memtable(pa.Table.from_pylist(list(rows), schema=pa.schema(list(kinds.items()))))


def test_which_charges_and_net_of_what() -> None:
    found = ai_spend(
        daily(
            row("2026-10-01", "100"),
            row("2026-10-02", "30", ServiceCategory="Compute", x_ModelId="gpt-x"),
            row("2026-10-02", "500", ServiceCategory="Compute"),
            row("2026-10-02", "500", ServiceCategory=None),
            row("2026-10-03", "-20.000000000000000001", ChargeCategory="Credit"),
            row("2026-10-03", "19", ChargeCategory="Tax"),
            row("2026-10-31", "7", ChargeCategory=None),
            row("2026-11-01", "9"),
            row("2026-09-30", "9"),
        ),
        date(2026, 10, 17),
        today=LATER,
    )
    assert (found.month, found.amount, found.currency) == (OCTOBER, Decimal("116.999999999999999999"), "USD")
    assert (found.tax, found.charges, found.open, found.closed) == (Decimal(19), 5, (), True)
    assert found.record()["definition"] == DEFINITION


def test_a_month_is_open_until_it_has_settled_and_every_source_is_there() -> None:
    a = [row("2026-09-30", "9"), row("2026-10-31", "5")]
    assert ai_spend(daily(*a), OCTOBER, today=date(2026, 11, 5)).open == (
        "October 2026 can still be restated until 2026-11-06.",
    )
    assert ai_spend(daily(*a), OCTOBER, today=LATER).closed
    silent = row("2026-09-30", "9", x_Connection="b")
    assert ai_spend(daily(*a, silent), OCTOBER, today=LATER).open == (
        "b billed AI in the month before and none in October 2026.",
        "b has billed nothing after 2026-09-30.",
    )
    short = row("2026-10-20", "9", x_Connection="b")
    assert ai_spend(daily(*a, short), OCTOBER, today=LATER).open == ("b has billed nothing after 2026-10-20.",)
    # A source that uses AI now and then is whole when its other charges reach the end of the month.
    other = row("2026-10-31", "9", x_Connection="b", ServiceCategory="Compute")
    assert ai_spend(daily(*a, short, other), OCTOBER, today=LATER).closed


def test_what_is_no_spend_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no AI charges of October 2026, which is a gap"):
        ai_spend(daily(row("2026-09-30", "9")), OCTOBER, today=LATER)
    with pytest.raises(ValueError, match="in EUR and USD, which are never summed"):
        ai_spend(daily(row("2026-10-01", "9"), row("2026-10-01", "9", BillingCurrency="EUR")), OCTOBER, today=LATER)
