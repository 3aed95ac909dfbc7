"""What the pages ask of the ledger, and that no answer crosses from one workspace to another."""

import ast
from collections.abc import Iterator
from dataclasses import astuple
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import streamlit as st

from accounts.home import Settings, lake_address
from accounts.signin import Protection
from analysis.period import days_between
from analysis.quality import Coverage, SourceQuality
from analysis.result import Metric
from connectors.importing import import_files
from ledger.lake import Lake
from ui import controls, data, exports, quality, running, spend
from ui.controls import Span
from ui.frame import View

HEADER = (
    "BilledCost,EffectiveCost,ListCost,BillingCurrency,BillingAccountId,BillingPeriodStart,BillingPeriodEnd,"
    "ChargePeriodStart,ChargePeriodEnd,ChargeCategory,ServiceName,ProviderName\n"
)
UI = Path(data.__file__).parent


def charge(day: int, service: str, cost: str, currency: str = "USD") -> str:
    period = "2026-05-01T00:00:00Z,2026-06-01T00:00:00Z"
    days = f"2026-05-{day:02}T00:00:00Z,2026-05-{day + 1:02}T00:00:00Z"
    return f"{cost},{cost},{cost},{currency},acct,{period},{days},Usage,{service},Acme\n"


def fill(settings: Settings, folder: Path, workspace: str, *rows: str, synthetic: bool = False) -> None:
    file = folder / f"{workspace}.csv"
    file.write_text(HEADER + "".join(rows))
    with Lake(lake_address(settings, workspace)) as lake:
        import_files(lake, [str(file)], synthetic=synthetic)


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    settings = Settings(home=tmp_path / "home")
    running.configure(running.Running(settings, "one", Protection.NONE))
    st.cache_data.clear()
    st.cache_resource.clear()
    yield settings
    st.cache_data.clear()
    st.cache_resource.clear()


def billed(workspace: str) -> dict[str, Decimal]:
    snapshot = data.newest_snapshot(workspace)
    table = data.spend(workspace, snapshot, ("service",), None, None, Metric.BILLED)
    return {str(row.dimensions["service"]): row.billed_cost for row in table.rows}


def test_two_workspaces_with_the_same_snapshot_number_share_no_cached_value(settings: Settings, tmp_path: Path) -> None:
    fill(settings, tmp_path, "one", charge(1, "Compute", "10.01"))
    fill(settings, tmp_path, "two", charge(1, "Storage", "99.02"))
    assert data.newest_snapshot("one") == data.newest_snapshot("two")
    assert billed("one") == {"Compute": Decimal("10.01")}
    assert billed("two") == {"Storage": Decimal("99.02")}
    assert billed("one") == {"Compute": Decimal("10.01")}
    snapshot = data.newest_snapshot("one")
    assert data.quality("one", snapshot) != data.quality("two", snapshot)
    assert data.lineage("one", snapshot).loads[0]["Sources"][0]["name"] == "one.csv"
    assert data.lineage("two", snapshot).loads[0]["Sources"][0]["name"] == "two.csv"


def test_a_new_load_is_seen_at_once(settings: Settings, tmp_path: Path) -> None:
    fill(settings, tmp_path, "one", charge(1, "Compute", "10"))
    assert billed("one") == {"Compute": Decimal(10)}
    fill(settings, tmp_path, "one", charge(1, "Compute", "10"), charge(2, "Compute", "5"))
    assert billed("one") == {"Compute": Decimal(15)}


def test_every_cached_loader_takes_the_workspace_first_and_every_cached_value_its_snapshot_too() -> None:
    seen = list[str]()
    for file in sorted(UI.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.FunctionDef):
                continue
            marks = [ast.unparse(mark) for mark in node.decorator_list]
            if not any("cache_data" in mark or "cache_resource" in mark for mark in marks):
                continue
            names = [argument.arg for argument in node.args.args]
            # The open lake is the one thing that outlives a snapshot; it holds no value.
            assert names[:1] == ["workspace"] if node.name == "lake_of" else names[:2] == ["workspace", "snapshot"], (
                node.name
            )
            seen.append(node.name)
    assert {"spend", "cost_of_tokens", "coverage", "quality", "lineage"} <= set(seen)


def test_looking_at_a_workspace_that_is_not_there_makes_none(settings: Settings) -> None:
    assert not data.exists("nowhere")
    assert not (settings.home / "workspaces").exists()


def test_coverage_knows_days_currencies_and_samples(settings: Settings, tmp_path: Path) -> None:
    rows = (charge(3, "Compute", "1", "EUR"), charge(5, "Compute", "1"), charge(9, "Storage", "2"))
    fill(settings, tmp_path, "one", *rows, synthetic=True)
    found = data.coverage("one", data.newest_snapshot("one"))
    assert astuple(found) == (("USD", "EUR"), date(2026, 5, 3), date(2026, 5, 9), date(2026, 5, 1), True, False)


def test_an_empty_lake_has_no_coverage_instead_of_zeros(settings: Settings) -> None:
    Lake(lake_address(settings, "one")).close()
    found = data.coverage("one", data.newest_snapshot("one"))
    assert found == data.Coverage()
    assert found.first is None


def view(*, synthetic: bool) -> View:
    return View("one", 7, data.Coverage(("USD",), synthetic=synthetic))


def test_every_row_of_an_export_of_sample_data_says_so() -> None:
    span = Span(date(2026, 5, 1), date(2026, 5, 31))
    text = exports.csv_text(
        [{"service": "a", "billed_cost": "1.50"}, {"service": "b"}], exports.about(view(synthetic=True), span)
    )
    assert text.splitlines() == [
        "data,workspace,snapshot,from,to,service,billed_cost",
        "Synthetic sample data,one,7,2026-05-01,2026-05-31,a,1.50",
        "Synthetic sample data,one,7,2026-05-01,2026-05-31,b,",
    ]
    assert (
        exports.file_name(view(synthetic=True), "spend", span) == "synthetic-sample-spend-one-2026-05-01-2026-05-31.csv"
    )


def test_an_export_of_real_data_does_not() -> None:
    assert "data" not in exports.about(view(synthetic=False))
    assert exports.file_name(view(synthetic=False), "loads") == "loads-one.csv"


def test_a_cell_that_a_spreadsheet_would_run_is_quoted() -> None:
    text = exports.csv_text([{"service": '=HYPERLINK("x")', "cost": "-1.5"}], {})
    assert text.splitlines()[1] == '"\'=HYPERLINK(""x"")",-1.5'


def test_named_ranges_count_whole_months_back_from_the_last_day() -> None:
    first, last = date(2025, 10, 4), date(2026, 10, 20)
    assert controls.preset(controls.NEWEST, first, last) == Span(date(2026, 10, 1), last)
    assert controls.preset(controls.THREE, first, last) == Span(date(2026, 8, 1), last)
    assert controls.preset(controls.TWELVE, first, last) == Span(date(2025, 11, 1), last)
    assert controls.preset(controls.ALL, first, last) == Span(first, last)
    assert controls.preset(controls.TWELVE, date(2026, 9, 9), last) == Span(date(2026, 9, 9), last)


@pytest.mark.parametrize(
    ("span", "before"),
    [
        (Span(date(2026, 8, 1), date(2026, 10, 31)), Span(date(2026, 5, 1), date(2026, 7, 31))),
        (Span(date(2026, 3, 1), date(2026, 3, 31)), Span(date(2026, 2, 1), date(2026, 2, 28))),
        (Span(date(2026, 3, 2), date(2026, 3, 11)), Span(date(2026, 2, 20), date(2026, 3, 1))),
    ],
)
def test_the_period_before_has_as_many_days_or_as_many_months(span: Span, before: Span) -> None:
    assert span.before == before


def test_the_newest_billing_period_and_one_that_is_not_over_are_provisional() -> None:
    held = data.Coverage(newest_period=date(2026, 10, 1))
    assert controls.provisional_from(held, date(2026, 11, 20)) == date(2026, 10, 1)
    assert controls.provisional_from(held, date(2026, 10, 20)) == date(2026, 10, 1)
    ahead = data.Coverage(newest_period=date(2026, 12, 1))
    assert controls.provisional_from(ahead, date(2026, 10, 20)) == date(2026, 10, 1)
    assert controls.provisional_from(data.Coverage(), date(2026, 10, 20)) is None


def test_amounts_of_two_currencies_stand_side_by_side() -> None:
    assert quality.money_by_currency({"USD": Decimal(2), "EUR": Decimal("1.005")}) == "€1.00; $2.00"
    assert quality.money_by_currency({}) == "—"


def source(name: str, *days: date) -> SourceQuality:
    return SourceQuality(f"file:{name}", Decimal(100), None, Coverage(days), 1, 0, {}, (), (), synthetic=False)


def incomplete(held: list[SourceQuality], span: Span) -> list[str]:
    return spend.incomplete(held, span, span.before)


def test_a_source_that_ends_begins_or_pauses_within_the_period_is_named() -> None:
    may, june = date(2026, 5, 1), date(2026, 6, 1)
    sources = [
        source("whole", date(2026, 1, 1), *days_between(may, date(2026, 6, 30))),
        source("late", *days_between(date(2026, 5, 10), date(2026, 6, 30))),
        source("stopped", *days_between(date(2026, 4, 1), date(2026, 6, 12))),
        source(
            "paused",
            *days_between(date(2026, 4, 1), date(2026, 6, 3)),
            *days_between(date(2026, 6, 6), date(2026, 6, 30)),
        ),
        source("retired", *days_between(date(2025, 1, 1), date(2025, 6, 1))),
        source("tokens only"),
    ]
    assert incomplete(sources, Span(june, date(2026, 6, 30))) == [
        "Days without any charge, by source: paused (2); see Loads and data quality.",
        "late begins on 10 May 2026: earlier charges are not loaded.",
        "stopped ends on 12 Jun 2026: later charges are not loaded.",
    ]


def test_nothing_is_said_of_sources_that_cover_the_period_and_the_one_before() -> None:
    held = [source("whole", *days_between(date(2026, 4, 1), date(2026, 6, 30)))]
    assert incomplete(held, Span(date(2026, 6, 1), date(2026, 6, 30))) == []


def test_a_source_that_begins_with_the_ledger_is_no_news() -> None:
    held = [source("whole", *days_between(date(2026, 4, 1), date(2026, 6, 30)))]
    assert incomplete(held, Span(date(2026, 4, 1), date(2026, 6, 30))) == []
    held.append(source("late", *days_between(date(2026, 5, 1), date(2026, 6, 30))))
    assert incomplete(held, Span(date(2026, 4, 1), date(2026, 6, 30))) == [
        "late begins on 1 May 2026: earlier charges are not loaded."
    ]
