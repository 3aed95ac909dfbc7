from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.quality import Coverage, Load, SeenFinding, SourceQuality, current_loads, quality, score

if TYPE_CHECKING:
    from tests.engines import Engine

#: Registered by name before it is imported, so that its assertions are rewritten.
pytest_plugins = ("tests.engines",)
#: Ibis 12 calls a method that DuckDB 1.5 renames.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)
JULY = tuple(date(2026, 7, 1) + timedelta(days=n) for n in range(31))


def load(id_: str = "l1", *, hour: int = 0, periods: tuple[str, ...] = ("2026-07",), **more: Any) -> Load:
    facts: dict[str, Any] = {
        "connection": "aws",
        "table": "charges",
        "rows_in": 1000,
        "rows_loaded": 1000,
        "rows_rejected": 0,
        "billed": {"USD": Decimal(200)},
        "synthetic": False,
    }
    return Load(id=id_, loaded_at=NOON + timedelta(hours=hour), periods=periods, **facts | more)


def finding(severity: str, billed: dict[str, str] | None = None, rows: int = 1, load_id: str = "l1") -> SeenFinding:
    amounts = {currency: Decimal(amount) for currency, amount in (billed or {}).items()}
    return SeenFinding(load_id, f"Check.{severity}", severity, rows, amounts, f"{rows} charges are odd.")


def rated(*findings: SeenFinding, days: tuple[date, ...] = JULY, loads: tuple[Load, ...] = (load(),)) -> SourceQuality:
    return score("aws", loads, findings, Coverage(days))


def test_a_source_of_which_nothing_was_found_has_a_hundred() -> None:
    assert rated().score == Decimal("100.0")
    assert rated(finding("note", {"USD": "200"})).score == Decimal("100.0")


@pytest.mark.parametrize(
    ("severity", "billed", "rows", "expected"),
    [
        ("error", {"USD": "50"}, 1, "75.0"),
        ("warning", {"USD": "50"}, 1, "93.7"),
        ("error", {"USD": "-50"}, 1, "75.0"),
        ("error", {"USD": "500"}, 1, "0.0"),
        ("error", {}, 100, "90.0"),
        ("error", {"USD": "0"}, 100, "90.0"),
        ("error", {"EUR": "50"}, 100, "90.0"),
        ("error", {"USD": "0.0000000000001"}, 1, "99.9"),
    ],
)
def test_a_finding_deducts_its_share_of_the_billed_cost(
    severity: str, billed: dict[str, str], rows: int, expected: str
) -> None:
    assert rated(finding(severity, billed, rows)).score == Decimal(expected)


def test_currencies_stay_apart_and_the_worst_counts() -> None:
    both = load(billed={"USD": Decimal(200), "EUR": Decimal(100)})

    result = rated(finding("error", {"USD": "20", "EUR": "50"}), loads=(both,))

    assert result.shares == {("error", "USD"): Decimal("0.1"), ("error", "EUR"): Decimal("0.5")}
    assert result.score == Decimal("50.0")


def test_errors_and_warnings_deduct_one_after_the_other() -> None:
    result = rated(finding("warning", {"USD": "100"}), finding("error", {"USD": "40"}))

    assert result.score == Decimal("70.0")  # 100 x (1 - 0.2) x (1 - 0.5 / 4)
    assert [f.severity for f in result.findings] == ["error", "warning"]


def test_rejected_rows_deduct_their_share() -> None:
    assert rated(loads=(load(rows_in=1000, rows_loaded=900, rows_rejected=100),)).score == Decimal("90.0")


def test_missing_days_and_months_are_named_and_deducted() -> None:
    days = (date(2026, 5, 30), date(2026, 5, 31), date(2026, 7, 1), date(2026, 7, 3))

    result = rated(days=days)

    june = tuple(date(2026, 6, 1) + timedelta(days=n) for n in range(30))
    assert result.coverage.missing_days == (*june, date(2026, 7, 2))
    assert result.coverage.missing_months == (date(2026, 6, 1),)
    assert result.score == Decimal("11.4")  # 4 of 35 days


def test_nothing_from_a_source_has_a_reason_and_no_score() -> None:
    result = rated(days=(), loads=())

    assert result.score is None
    assert result.reason == "the ledger holds nothing from this source in the period"


def test_findings_of_replaced_loads_are_left_out() -> None:
    old, new = load("l1"), load("l2", hour=1)

    current = current_loads([new, old], {"l2"})

    assert [entry.id for entry in current] == ["l2"]
    assert rated(finding("error", {"USD": "200"}, load_id="l1"), loads=tuple(current)).score == Decimal("100.0")


@pytest.mark.parametrize(
    ("first", "second", "holding", "expected"),
    [
        (load("a"), load("b", hour=1, periods=("2026-08",)), set[str](), ["a", "b"]),
        (load("a"), load("b", hour=1, connection="gcp"), set[str](), ["a", "b"]),
        (load("a"), load("b", hour=1, table="usage"), set[str](), ["a", "b"]),
        (
            load("a", periods=("2026-07-01..2026-07-31",)),
            load("b", hour=1, periods=("2026-07-31",)),
            set[str](),
            ["a", "b"],
        ),
        (
            load("a", periods=("2026-07-30..2026-07-31",)),
            load("b", hour=1, periods=("2026-07-01..2026-07-31",)),
            set[str](),
            ["b"],
        ),
        (load("a", periods=()), load("b", hour=1, periods=()), set[str](), ["b"]),
        (load("a"), load("b", hour=1), {"a", "b"}, ["a", "b"]),
    ],
    ids=[
        "other period",
        "other source",
        "other table",
        "one day replaced",
        "all days replaced",
        "everything",
        "two accounts",
    ],
)
def test_the_latest_load_of_a_period_counts(first: Load, second: Load, holding: set[str], expected: list[str]) -> None:
    assert [entry.id for entry in current_loads([second, first], holding)] == expected


shares = st.integers(0, 250).map(str)


@given(error=shares, warning=shares, more=shares, gaps=st.integers(0, 20))
def test_the_score_never_rises_when_anything_gets_worse(error: str, warning: str, more: str, gaps: int) -> None:
    days = (JULY[0], *JULY[gaps + 1 :])
    before = rated(finding("error", {"USD": error}), finding("warning", {"USD": warning}), days=days).score

    after = [
        rated(*(finding(s, {"USD": a}) for s, a in found), days=kept, loads=loads).score
        for found, kept, loads in [
            ([("error", error), ("warning", warning), ("error", more)], days, (load(),)),
            ([("error", error), ("warning", warning), ("warning", more)], days, (load(),)),
            ([("error", error), ("warning", warning)], (days[0], *days[2:]), (load(),)),
            ([("error", error), ("warning", warning)], days, (load(rows_rejected=int(more)),)),
        ]
    ]

    assert before is not None
    assert all(score_ is not None and Decimal(0) <= score_ <= before <= 100 for score_ in after)


def test_quality_reads_the_ledger(engine: Engine) -> None:
    lineage = {"Format": "f", "Sources": "[]", "RowsDropped": 0, "RowsAdded": 0, "SchemaVersion": 1, "BilledIn": "{}"}
    facts = lineage | {"TableName": "charges", "RowsIn": 10, "RowsLoaded": 10, "RowsRejected": 0, "Synthetic": False}

    def loaded(id_: str, connection: str, hour: int, billed: dict[str, str], **more: Any) -> dict[str, Any]:
        return facts | {
            "LoadId": id_,
            "Connection": connection,
            "LoadedAt": NOON + timedelta(hours=hour),
            "Periods": json.dumps(["2026-07"]),
            "BilledLoaded": json.dumps(billed),
        } | more  # fmt: skip

    def found(id_: str, severity: str, billed: str | None) -> dict[str, Any]:
        row = {"LoadId": id_, "CheckId": "c", "Severity": severity, "RowCount": 5, "Sentence": "s", "Billed": billed}
        return row | {"Examples": "[]"}

    def spent(id_: str, connection: str, day: date) -> dict[str, Any]:
        return {"ChargeDate": day, "x_Connection": connection, "x_LoadId": id_, "BillingCurrency": "USD", "Charges": 1}

    result = quality(
        engine.table(
            "loads",
            [
                loaded("old", "aws", 0, {"USD": "100.5"}),
                loaded("new", "aws", 1, {"USD": "200"}),
                loaded("o1", "openai", 0, {}, Synthetic=True, RowsIn=8, RowsLoaded=6, RowsRejected=2),
            ],
        ),
        engine.table(
            "findings",
            [
                found("old", "error", '{"USD": "100.5"}'),
                found("new", "error", '{"USD": "50"}'),
                found("new", "note", None),
            ],
        ),
        engine.table(
            "daily_spend",
            [spent("new", "aws", JULY[n]) for n in (0, 1, 3)] + [spent("new", "aws", date(2026, 6, 1))],
        ),
        start=date(2026, 7, 1),
        end=date(2026, 8, 1),
    )

    assert [r.record() for r in result] == [
        {
            "connection": "aws",
            "score": "56.2",
            "reason": None,
            "first_day": "2026-07-01",
            "last_day": "2026-07-04",
            "missing_days": ["2026-07-03"],
            "missing_months": [],
            "rows_in": 10,
            "rows_rejected": 0,
            "shares": [
                {"severity": "error", "currency": "USD", "share": "0.25"},
                {"severity": "note", "currency": None, "share": "0.5"},
            ],
            "findings": [
                {"check": "c", "severity": "error", "rows": 5, "billed": {"USD": "50"}, "sentence": "s"},
                {"check": "c", "severity": "note", "rows": 5, "billed": {}, "sentence": "s"},
            ],
            "synthetic": False,
        },
        {
            "connection": "openai",
            "score": "75",
            "reason": None,
            "first_day": None,
            "last_day": None,
            "missing_days": [],
            "missing_months": [],
            "rows_in": 8,
            "rows_rejected": 2,
            "shares": [],
            "findings": [],
            "synthetic": True,
        },
    ]
