"""The sample customer's own usage at its own prices: what was billed, and what its changes truly saved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from analysis.plan import parse_plan
from analysis.reprice import reprice
from analysis.repriced import Repriced
from cli import app
from connectors.importing import import_files
from ledger.lake import Address, Lake
from sample_data import files
from tests.price_tables import book, dollars, price

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")

TRUTH: dict[str, Any] = json.loads((Path(__file__).parents[1] / "sample_data" / "truth.json").read_text())
#: Token kinds of the sample's price list as its usage reports call them.
KINDS = {
    "OpenAI": {"input": "input", "cache_read": "cache_read", "cache_write": "cache_write_30m", "output": "output"},
    "Anthropic": {"input": "input", "cache_read": "cache_read", "cache_write": "cache_write_5m", "output": "output"},
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    folder = tmp_path_factory.mktemp("sample")
    with Lake(Address(folder / "lake")) as opened:
        chosen = [str(f) for f in files() if f.parent.name in {"openai", "anthropic"}]
        import_files(opened, chosen, synthetic=True)
        yield opened


@pytest.fixture(scope="module")
def prices() -> pa.Table:
    """The sample's own price list."""
    rows = list[dict[str, Any]]()
    for entry in TRUTH["price_list"]:
        for kind, usd in entry["usd_per_million_tokens"].items():
            if entry["provider"] in KINDS:
                until = moment(entry["until"])
                rows.append(
                    price(
                        KINDS[entry["provider"]][kind],
                        dollars(usd),
                        Seller=entry["provider"],
                        ModelId=entry["model"],
                        ServiceTier=entry["tier"],
                        ValidFrom=moment(entry["from"]),
                        ValidTo=until if entry["until"] < "2026-11-01" else None,
                    )
                )
    return book(rows)


def moment(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def run(lake: Lake, prices: pa.Table, plan: str, *by: str, **more: Any) -> Repriced:
    return reprice(lake.table("usage"), prices, parse_plan(plan), digest="d", by=by, **more)


def change(name: str) -> dict[str, Any]:
    return next(c for c in TRUTH["changes"] if c["id"] == name)


def test_the_usage_at_its_own_prices_costs_what_was_billed(lake: Lake, prices: pa.Table) -> None:
    result = run(lake, prices, "", "provider", "month")

    found = {(r.dimensions["provider"], r.record()["month"]): r.planned and r.planned.amount for r in result.rows}
    billed = {(p, month): Decimal(usd) for p in KINDS for month, usd in TRUTH["ai_billed"][p].items()}
    assert found == billed
    assert (result.unpriced, result.unstated, result.incomplete) == ((), (), 0)


def test_undoing_the_cache_gives_its_true_saving(lake: Lake, prices: pa.Table) -> None:
    truth = change("search-prompt-caching")
    plan = '[[lever]]\naction = "uncache"\nwhere = { provider = "Anthropic", model = "claude-sonnet-4-6" }'

    result = run(lake, prices, plan, "provider", "model", start=date.fromisoformat(truth["date"]))

    row = next(r for r in result.rows if r.dimensions == {"provider": "Anthropic", "model": "claude-sonnet-4-6"})
    assert row.planned is not None
    assert row.planned.amount == Decimal(truth["saving"]["cost_without_the_change"])
    assert row.saving == -Decimal(truth["saving"]["saved"])


def test_undoing_the_routing_gives_its_true_saving(lake: Lake, prices: pa.Table) -> None:
    """32 of 42 parts go back to the large model; the simulation rounds each day to whole tokens, we do not."""
    truth = change("assistant-model-routing")
    plan = """
        [[lever]]
        action = "route"
        where = { provider = "OpenAI", model = "gpt-4.1-mini" }
        share = 0.761904761905
        to = { provider = "OpenAI", model = "gpt-5.5" }
    """

    result = run(lake, prices, plan, "provider", start=date.fromisoformat(truth["date"]))

    row = next(r for r in result.rows if r.dimensions == {"provider": "OpenAI"})
    assert row.saving is not None
    assert abs(row.saving + Decimal(truth["saving"]["saved"])) < Decimal("0.01")


def test_the_price_cut_is_what_the_old_prices_would_have_cost_more(lake: Lake, prices: pa.Table) -> None:
    truth = TRUTH["events"]["price_cut"]

    result = run(
        lake,
        prices,
        "prices_at = 2026-07-29T23:59:59Z",
        "model",
        start=date.fromisoformat(truth["date"]),
    )

    row = next(r for r in result.rows if r.dimensions == {"model": "gpt-5.6-luna"})
    assert row.planned is not None
    assert row.used is not None
    assert row.planned.amount == Decimal(truth["effect"]["cost_without_the_change"])
    assert row.used.amount == Decimal(truth["effect"]["cost"])


# The command


def call(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["reprice", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_the_command_prices_a_file_without_a_ledger(tmp_path: Path) -> None:
    usage = tmp_path / "usage.csv"
    usage.write_text(
        "time,provider,model,input_tokens,cache_read_tokens,output_tokens,tier,region,project\n"
        "2026-10-01T12:00:05Z,OpenAI,gpt-4.1-mini,1000000,0,1000000,standard,Global,checkout\n"
        "2026-10-01T12:00:06Z,OpenAI,no-such-model,5,0,5,standard,Global,checkout\n"
        "yesterday,OpenAI,gpt-4.1-mini,5,0,5,standard,Global,checkout\n"
    )

    status, out, err = call("--usage", str(usage), "--by", "model,project", "--json")

    record = json.loads(out)
    assert (status, len(record["rows"])) == (0, 1)
    assert {k: record["rows"][0][k] for k in ("model", "project", "cost", "currency")} == {
        "model": "gpt-4.1-mini",
        "project": "checkout",
        "cost": "2",
        "currency": "USD",
    }
    assert {f["tokens"] for f in record["unpriced"]} == {"10"}
    assert err.startswith("1 row")


def test_the_command_tells_what_has_no_price(tmp_path: Path) -> None:
    usage = tmp_path / "usage.csv"
    usage.write_text(
        "time,provider,model,input_tokens,output_tokens,tier,region\n2026-10-01,OpenAI,no-such-model,5,5,standard,Global\n"
    )

    status, out, _ = call("--usage", str(usage))

    assert status == 0
    assert "Without a price: OpenAI no-such-model, 10 tokens" in out


def test_the_command_refuses_a_plan_with_errors(tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text('[[lever]]\naction = "tier"\ntier = "bacth"\n')

    status, _, err = call("--to", str(plan), "--usage", str(tmp_path / "none.csv"))

    assert (status, err) == (
        1,
        "Error: Lever 1: tier 'bacth' is not known; there are standard, batch, flex, priority, fast.\n",
    )


def test_the_command_refuses_what_is_no_usage(tmp_path: Path) -> None:
    bill = next(f for f in files() if f.suffix == ".parquet" and f.parent.name == "aws")

    status, _, err = call("--usage", str(bill))

    assert status == 1
    assert "has no token usage to price" in err
    missing, _, err = call("--usage", str(tmp_path / "none.parquet"))
    assert (missing, err.count("\n")) == (1, 1)
