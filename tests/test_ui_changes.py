"""The bridge as the command line prints it."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from analysis.bridge import Bridge, Part
from analysis.result import total
from cli import app
from connectors.importing import import_files
from ledger.errors import UnsupportedQueryError
from tests.ledgers import line, open_lake, write_bill
from ui.changes import in_cents, print_change

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ledger.lake import Lake

#: Ibis 12 calls a method that DuckDB 1.5 renames.
pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

JULY = date(2026, 7, 2), date(2026, 7, 4)
AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=6)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """Two days of a database and, on the second two, of a queue as well."""
    folder = tmp_path_factory.mktemp("changes")
    lines = [line("10.005", f"2026-06-{day}", service="Database") for day in (30,)]
    lines += [line("10.005", "2026-07-01", service="Database"), line("12.5", "2026-07-02", service="Database")]
    lines += [line("12.5", "2026-07-03", service="Database"), line("3", "2026-07-03", service="Queue")]
    with open_lake(folder) as opened:
        import_files(opened, [str(write_bill(folder / "bill.csv", lines))])
        yield opened


def printed(lake: Lake, capsys: pytest.CaptureFixture[str], *by: str, as_json: bool = False, **more: Any) -> str:
    asked = {"after": JULY, "before": (None, None), "metric": "billed"} | more
    print_change(lake, by, as_json=as_json, **asked)
    return capsys.readouterr().out


def test_the_bridge_leads_from_one_period_to_the_other(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [" ".join(text.split()) for text in printed(lake, capsys, "service").splitlines()]

    assert lines[2] == "2026-06-30 to 2026-07-01 20.01"
    assert lines[3].startswith("without quantity +7.99 cost without quantity: whether price or volume changed")
    assert lines[4] == "2026-07-02 to 2026-07-03 28.00"
    assert "Database 20.01 25.00 +4.99 +4.99 USD" in lines
    assert "Queue 0.00 3.00 +3.00 +3.00 USD" in lines
    assert lines[-1] == "Cost without quantity, in USD: 20.01 to 28.00: the charge is not for tokens"


def test_json_is_documented_and_exact(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads(printed(lake, capsys, "service", as_json=True))
    documented = print_change.__doc__ or ""

    assert record["totals"][0]["cost_before"] == "20.01"
    assert record["rows"][0]["parts"]["without_quantity"] == "4.99"
    keys = {*record, *record["totals"][0], *record["totals"][0]["parts"], *record["without_quantity"][0]}
    assert [key for key in keys if f"`{key}`" not in documented] == []


def test_half_a_period_to_compare_with_is_refused(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="--against-from and --against-to"):
        printed(lake, capsys, before=(date(2026, 6, 30), None))


def test_an_unknown_metric_is_refused(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UnsupportedQueryError, match="no metric 'net'; there are billed, effective, list"):
        printed(lake, capsys, metric="net")


def test_nothing_in_either_period_is_said(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    said = printed(lake, capsys, after=(date(2020, 1, 1), date(2020, 2, 1)))

    assert said == "There is no charge in either period.\n"


@given(AMOUNTS, st.dictionaries(st.sampled_from(list(Part)), AMOUNTS.filter(bool)))
def test_cents_add_up_and_stay_within_a_cent(before: Decimal, parts: dict[Part, Decimal]) -> None:
    bridge = Bridge(before, total((before, *parts.values())), parts)

    shown = in_cents(bridge)

    assert total((shown.before, *shown.parts.values())) == shown.after
    assert all(abs(shown.part(part) - amount) <= Decimal("0.02") for part, amount in parts.items())
    assert abs(shown.before - bridge.before) <= Decimal("0.005")


def test_the_command_hands_over_its_days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPENDPROOF_HOME", str(tmp_path))
    runner = CliRunner()

    refused = runner.invoke(app, ["change", "--from", "2026-07-01", "--to", "2026-06-01"])
    empty = runner.invoke(app, ["change", "--from", "2026-07-01", "--to", "2026-07-31", "--json"])

    assert (refused.exit_code, runner.invoke(app, ["change", "--from", "2026-07-01"]).exit_code) == (1, 2)
    record = json.loads(empty.stdout)
    assert (record["before"], record["after"]) == (
        {"from": "2026-05-31", "to": "2026-06-30"},
        {"from": "2026-07-01", "to": "2026-07-31"},
    )
    assert (record["by"], record["totals"]) == (["provider", "model"], [])
