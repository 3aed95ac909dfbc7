"""The sample customer: reproducible, labelled, true to its own figures, and readable by the mappings."""

from __future__ import annotations

import csv
import importlib
import json
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from connectors import pages, reading
from connectors.format import Format
from connectors.mapping import mapped_sql
from sample_data import FIRST_DELIVERY, FOLDER, TRUTH, company, files
from sample_data.calendar import DAYS
from sample_data.generate import generate, main
from sample_data.writing import digest

#: Folder of the files, the room of their mapping, the format's name, files of that format.
BILLS = [
    ("aws", "aws", "aws-cur-2", "*.parquet"),
    ("azure", "azure", "azure-focus", "*.parquet"),
    ("gcp", "gcp", "gcp-billing-detailed", "*.gz"),
    ("openai", "openai", "openai-costs", "synthetic_costs_*.json"),
    ("anthropic", "anthropic", "anthropic-cost", "synthetic_cost_*.json"),
]
PROVIDERS = {"aws": "AWS", "azure": "Microsoft", "gcp": "Google Cloud", "openai": "OpenAI", "anthropic": "Anthropic"}
TAKEN = "(x_State IS NULL OR x_State = 'added')"

MapFiles = Callable[[str, str, str, str], duckdb.DuckDBPyConnection]


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    return json.loads(TRUTH.read_text("utf-8"))


@pytest.fixture
def map_files(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> MapFiles:
    """Map all files of one format into a table `rows`."""

    def run(folder: str, room: str, name: str, pattern: str) -> duckdb.DuckDBPyConnection:
        format_: Format = next(f for f in importlib.import_module(f"connectors.{room}").FORMATS if f.name == name)
        parts = defaultdict[str, list[reading.Part]](list)
        for path in sorted((FOLDER / folder).glob(pattern)):
            if path.suffix == ".json":
                table, _ = pages.flatten(path)
                flat = tmp_path / f"{path.stem}.parquet"
                pq.write_table(table, flat)
                path = flat  # noqa: PLW2901 - the flattened page stands for the file
            part = reading.open_part(con, path, lambda _: True)
            parts[str(part.layout)].append(part)
        mapped = [f"SELECT * FROM ({mapped_sql(format_, p[0].layout, reading.union(p))})" for p in parts.values()]
        con.execute(f"CREATE TABLE rows AS {' UNION ALL BY NAME '.join(mapped)}")
        return con

    return run


def money(con: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Decimal]:
    return dict(con.execute(sql).fetchall())


class TestFiles:
    def test_regenerated_files_say_the_same(self, tmp_path: Path) -> None:
        generate(tmp_path)
        ours = {p.relative_to(FOLDER): digest(p) for p in sorted(FOLDER.rglob("*")) if p.is_file()}
        again = {
            p.relative_to(tmp_path / "files"): digest(p) for p in sorted((tmp_path / "files").rglob("*")) if p.is_file()
        }
        assert len(ours) == 74
        assert again == ours
        assert (tmp_path / "truth.json").read_bytes() == TRUTH.read_bytes()

    def test_another_seed_gives_other_noise_in_the_same_structure(self, tmp_path: Path) -> None:
        main(["--out", str(tmp_path), "--seed", "7"])
        theirs = sorted(p for p in (tmp_path / "files").rglob("*") if p.is_file())
        ours = sorted(p for p in FOLDER.rglob("*") if p.is_file())
        assert [p.name for p in theirs] == [p.name for p in ours]
        for one, other in zip(ours, theirs, strict=True):
            if one.suffix == ".parquet":
                assert pq.read_schema(one) == pq.read_schema(other)
            assert one.read_bytes() != other.read_bytes(), one.name

    def test_every_file_says_that_it_is_synthetic(self) -> None:
        for path in FOLDER.rglob("*"):
            if path.is_file():
                assert "synthetic" in path.name, path
            if path.suffix == ".parquet":
                assert b"SYNTHETIC" in pq.read_schema(path).metadata[b"synthetic"]

    def test_small_enough_for_the_repository(self) -> None:
        assert sum(p.stat().st_size for p in FOLDER.rglob("*") if p.is_file()) < 12_000_000

    def test_the_demo_does_not_import_the_first_delivery_or_the_evaluations(self) -> None:
        names = {path.relative_to(FOLDER).as_posix() for path in files()}
        assert len(names) == len(files()) == 71
        assert FIRST_DELIVERY.is_file()
        assert FIRST_DELIVERY not in files()
        assert "usage/synthetic_evaluations.csv" not in names


class TestDaily:
    def test_seeds_differ_in_noise_alone(self) -> None:
        one, other = company.daily(1), company.daily(2)
        keys = ["date", "product", "provider", "route", "model", "tier", "kind"]
        assert one.tokens.select(keys).equals(other.tokens.select(keys))
        first, second = (sum(t.tokens["picodollars"].to_pylist()) for t in (one, other))
        assert first != second
        assert abs(first - second) < first // 20

    def test_the_same_seed_gives_the_same_days(self) -> None:
        assert company.daily(3).tokens.equals(company.daily(3).tokens)

    def test_a_change_not_made_leaves_everything_outside_its_scope(self) -> None:
        made, undone = company.daily(4), company.daily(4, frozenset({"assistant-model-routing"}))
        assert made.drivers.equals(undone.drivers)

        def outside(daily: company.Daily) -> list[dict[str, Any]]:
            rows: list[dict[str, Any]] = daily.tokens.to_pylist()
            return [r for r in rows if (r["product"], r["provider"]) != ("assistant", "OpenAI")]

        assert outside(made) == outside(undone)
        assert made.tokens != undone.tokens

    def test_drivers_cover_every_day(self) -> None:
        with (FOLDER / "usage" / "synthetic_drivers.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == 5 * len(DAYS) == 5 * 396
        assert {r["name"]: r["unit"] for r in rows} == {
            "assistant_requests": "requests",
            "search_requests": "requests",
            "docs_requests": "requests",
            "active_users": "users",
            "documents": "documents",
        }
        assert all(int(r["value"]) > 0 for r in rows)


class TestTruth:
    def test_three_changes_save_a_tenth_and_one_saves_nothing(self, truth: dict[str, Any]) -> None:
        percent = {c["id"]: Decimal(c["saving"]["percent"]) for c in truth["changes"]}
        assert percent.pop("docs-prompt-trimming") == 0
        assert len(percent) == 3
        assert all(p >= 10 for p in percent.values()), percent

    def test_months_add_up_to_the_saving(self, truth: dict[str, Any]) -> None:
        for change in truth["changes"]:
            saving = change["saving"]
            assert sum(map(Decimal, change["saving_by_month"].values())) == Decimal(saving["saved"])
            assert Decimal(saving["cost_without_the_change"]) - Decimal(saving["cost"]) == Decimal(saving["saved"])

    def test_caching_saved_what_its_own_tokens_say(self, truth: dict[str, Any]) -> None:
        """Without a cache every input token would have cost $3 per million; read $0.30 and write $3.75 replaced it."""
        tokens = {(u["kind"], u["month"]): u["tokens"] for u in units(truth, "Anthropic", "claude-sonnet-4-6")}
        saving = next(c for c in truth["changes"] if c["id"] == "search-prompt-caching")["saving_by_month"]
        for month, saved in saving.items():
            read, written = tokens["cache_read", month], tokens["cache_write", month]
            expected = (read * (Decimal(3) - Decimal("0.3")) - written * (Decimal("3.75") - Decimal(3))) / 1_000_000
            assert Decimal(saved) == expected

    def test_the_price_cut_costs_a_fifth_of_what_it_did(self, truth: dict[str, Any]) -> None:
        output = {
            u["month"]: Decimal(u["usd_per_million_tokens"])
            for u in units(truth, "OpenAI", "gpt-5.6-luna")
            if u["kind"] == "output"
        }
        assert output["2026-06"] == 6
        assert Decimal("1.2") < output["2026-07"] < 6
        assert output["2026-08"] == Decimal("1.2")
        assert truth["events"]["price_cut"]["effect"]["percent"] == "80"

    def test_about_sixty_thousand_a_month_two_thirds_for_models(self, truth: dict[str, Any]) -> None:
        total = sum(Decimal(a) for of in truth["billed"].values() for a in of.values())
        models = sum(Decimal(a) for of in truth["ai_billed"].values() for a in of.values())
        assert 54_000 < total / 13 < 66_000
        assert Decimal("0.6") < models / total < Decimal("0.78")

    def test_the_plan_covers_less_than_it_costs_and_saves_nonetheless(self, truth: dict[str, Any]) -> None:
        plan = truth["events"]["commitment"]
        assert plan["days"] == 214
        assert Decimal(plan["fee"]) == Decimal("4.5") * 24 * 214
        assert Decimal(plan["used"]) < Decimal(plan["fee"]) < Decimal(plan["covered_usage_on_demand"])


def units(truth: dict[str, Any], provider: str, model: str) -> list[dict[str, Any]]:
    return [u for u in truth["unit_costs"] if u["provider"] == provider and u["model"] == model]


class TestSourcesAgree:
    def test_openai_usage_and_costs_count_the_same_tokens(self) -> None:
        bought, used = defaultdict[str, int](int), defaultdict[str, int](int)
        for path in sorted((FOLDER / "openai").glob("synthetic_costs_*.json")):
            for row in results(path):
                if row["line_item"]:
                    bought[row["line_item"]] += int(row["quantity"])
        for path in sorted((FOLDER / "openai").glob("synthetic_usage_*.json")):
            for row in results(path):
                assert row["input_tokens"] == (
                    row["input_uncached_tokens"] + row["input_cached_tokens"] + row["input_cache_write_tokens"]
                )
                used[f"{row['model']}, input"] += row["input_uncached_tokens"]
                used[f"{row['model']}, cached input"] += row["input_cached_tokens"]
                used[f"{row['model']}, output"] += row["output_tokens"]
                if row["input_cache_write_tokens"]:
                    used[f"{row['model']}, cache writes"] += row["input_cache_write_tokens"]
        assert bought == used

    def test_anthropic_usage_and_costs_agree_at_list_price(self) -> None:
        cents, tokens = defaultdict[tuple[str, str], Decimal](Decimal), defaultdict[tuple[str, str], int](int)
        for path in sorted((FOLDER / "anthropic").glob("synthetic_cost_*.json")):
            for row in json.loads(path.read_text("utf-8"))["data"]:
                cents[row["group"]["model"], row["group"]["token_type"]] += Decimal(row["cost"]["amount"])
        for path in sorted((FOLDER / "anthropic").glob("synthetic_usage_*.json")):
            for row in json.loads(path.read_text("utf-8"))["data"]:
                for kind in ("uncached_input_tokens", "output_tokens", "cache_read_input_tokens"):
                    tokens[row["group"]["model"], kind] += row["usage"][kind]
        sonnet, haiku = "claude-sonnet-4-6", "claude-haiku-4-5"
        for model, kind, usd_per_million in (
            (sonnet, "uncached_input_tokens", Decimal(3)),
            (sonnet, "cache_read_input_tokens", Decimal("0.3")),
            (sonnet, "output_tokens", Decimal(15)),
            (haiku, "uncached_input_tokens", Decimal(1)),
            (haiku, "output_tokens", Decimal(5)),
        ):
            assert tokens[model, kind] > 1_000_000
            assert cents[model, kind] == tokens[model, kind] * usd_per_million / 10_000

    def test_covered_usage_is_taken_back_out(self) -> None:
        totals = defaultdict[str, Decimal](Decimal)
        for path in sorted((FOLDER / "aws").glob("*.parquet")):
            columns = ["line_item_line_item_type", "line_item_unblended_cost"]
            for row in pq.ParquetFile(path).read(columns=columns).to_pylist():
                totals[row["line_item_line_item_type"]] += Decimal(str(row["line_item_unblended_cost"]))
        assert totals["SavingsPlanCoveredUsage"] == -totals["SavingsPlanNegation"] == Decimal("27611.136")
        assert totals["SavingsPlanRecurringFee"] == 23_112

    def test_the_first_delivery_was_lower(self, truth: dict[str, Any]) -> None:
        told = truth["events"]["restatement"]
        restated = FOLDER / "aws" / "synthetic-cur2-2026-03.snappy.parquet"
        for path, amount, rows in (
            (FIRST_DELIVERY, told["first_delivery"], told["rows_first_delivery"]),
            (restated, told["restated"], told["rows_restated"]),
        ):
            costs = pq.ParquetFile(path).read()["line_item_unblended_cost"].to_pylist()
            assert len(costs) == rows
            assert sum(Decimal(str(c)) for c in costs) == Decimal(amount)
        assert Decimal(told["first_delivery"]) < Decimal(told["restated"])

    def test_the_request_log_holds_single_requests_of_every_seller(self) -> None:
        rows = pq.ParquetFile(FOLDER / "usage" / "synthetic_request_log.parquet").read().to_pylist()
        assert 18_000 < len(rows) < 25_000
        assert {r["provider"] for r in rows} == set(PROVIDERS.values())
        assert {r["requests"] for r in rows} == {1}
        assert all((r["output_tokens"] > 0) == (r["errors"] == 0) for r in rows)
        assert all(r["errors"] or 0 < r["time_to_first_token_ms"] < r["latency_ms"] for r in rows)
        assert 0 < sum(r["errors"] for r in rows) < len(rows) // 50


def results(path: Path) -> list[dict[str, Any]]:
    return [row for bucket in json.loads(path.read_text("utf-8"))["data"] for row in bucket["results"]]


@pytest.mark.parametrize(("folder", "room", "name", "pattern"), BILLS)
class TestMapped:
    def test_every_month_arrives_to_the_last_digit(
        self, folder: str, room: str, name: str, pattern: str, map_files: MapFiles, truth: dict[str, Any]
    ) -> None:
        con = map_files(folder, room, name, pattern)
        assert con.execute("SELECT count(*) FROM rows WHERE x_State = 'bad'").fetchall() == [(0,)]
        sql = f"SELECT strftime(ChargePeriodStart, '%Y-%m'), sum(BilledCost) FROM rows WHERE {TAKEN} GROUP BY ALL"
        expected = {month: Decimal(amount) for month, amount in truth["billed"][PROVIDERS[folder]].items()}
        assert money(con, sql) == expected

    def test_only_the_unknown_meter_is_unmapped(
        self, folder: str, room: str, name: str, pattern: str, map_files: MapFiles, truth: dict[str, Any]
    ) -> None:
        con = map_files(folder, room, name, pattern)
        columns = {row[0] for row in con.execute("DESCRIBE rows").fetchall()}
        assert "x_Unmapped" in columns, "the mapping never says that it does not know a meter"
        meters = "x_UsageType" if "x_UsageType" in columns else "x_Unmapped"
        # Anthropic bills money alone; that its tokens stand in the usage pages is no unknown meter.
        unknown = "x_Unmapped IS NOT NULL"
        meter = truth["events"]["unknown_meter"]
        expected = {meter["usage_type"]: Decimal(meter["amount"])} if folder == "aws" else {}
        assert money(con, f"SELECT {meters}, sum(BilledCost) FROM rows WHERE {unknown} GROUP BY ALL") == expected


KIND = """CASE WHEN x_TokenDirection = 'Output' THEN 'output' WHEN x_TokenCacheAction = 'Read' THEN 'cache_read'
    WHEN x_TokenCacheAction = 'Write' THEN 'cache_write' WHEN x_TokenDirection = 'Input' THEN 'input' END"""
#: An OpenAI line item names no tier unless it is another than the standard one.
KEY = f"x_ModelId, coalesce(x_ServiceTier, 'standard'), strftime(ChargePeriodStart, '%Y-%m'), {KIND}"


@pytest.mark.parametrize(("folder", "room", "name", "pattern"), BILLS[:4])
def test_tokens_arrive_by_model_tier_month_and_kind(
    folder: str, room: str, name: str, pattern: str, map_files: MapFiles, truth: dict[str, Any]
) -> None:
    con = map_files(folder, room, name, pattern)
    sql = f"SELECT {KEY}, sum(x_Tokens) FROM rows WHERE x_Tokens IS NOT NULL AND {TAKEN} GROUP BY ALL"
    found = {row[:4]: row[4] for row in con.execute(sql).fetchall()}
    assert found == by_model(truth, PROVIDERS[folder], "tokens")


@pytest.mark.parametrize(("folder", "room", "name", "pattern"), [BILLS[0], BILLS[1], BILLS[3], BILLS[4]])
def test_the_cost_of_tokens_arrives_by_model_tier_month_and_kind(
    folder: str, room: str, name: str, pattern: str, map_files: MapFiles, truth: dict[str, Any]
) -> None:
    con = map_files(folder, room, name, pattern)
    sql = f"SELECT {KEY}, sum(BilledCost) FROM rows WHERE x_TokenDirection IS NOT NULL AND {TAKEN} GROUP BY ALL"
    found = {row[:4]: row[4] for row in con.execute(sql).fetchall()}
    assert found == by_model(truth, PROVIDERS[folder], "cost")


def by_model(truth: dict[str, Any], provider: str, figure: str) -> dict[tuple[str, ...], Decimal]:
    """Tokens or cost of `unit_costs`, routes together: the same model may be sold by two."""
    sums = defaultdict[tuple[str, ...], Decimal](Decimal)
    for unit in truth["unit_costs"]:
        if unit["provider"] == provider:
            sums[unit["model"], unit["tier"], unit["month"], unit["kind"]] += Decimal(unit[figure])
    return sums


@pytest.mark.parametrize(
    ("name", "pattern", "count"),
    [("driver-file", "synthetic_drivers.csv", 1_980), ("usage-file", "synthetic_request_log.parquet", 22_616)],
)
def test_what_the_customer_records_is_read_whole(name: str, pattern: str, count: int, map_files: MapFiles) -> None:
    con = map_files("usage", "tables", name, pattern)
    assert con.execute("SELECT count(*), count(x_State) FROM rows").fetchall() == [(count, 0)]
