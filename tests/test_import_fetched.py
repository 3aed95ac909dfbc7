"""Loads of what a live source fetched: the days they cover are on record, the empty ones too."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from connectors.importing import import_files
from ledger.staging import Fetched
from tests.ledgers import open_lake

DAY = 86_400
FIRST = 1_793_491_200  # 2026-11-01


def page(path: Path, days: dict[int, list[str]]) -> str:
    buckets = [
        {
            "object": "bucket",
            "start_time": FIRST + at * DAY,
            "end_time": FIRST + (at + 1) * DAY,
            "results": [
                {
                    "object": "organization.costs.result",
                    "amount": {"value": float(cost), "currency": "usd"},
                    "line_item": "gpt-5.5, input",
                    "project_id": "p",
                }
                for cost in costs
            ],
        }
        for at, costs in days.items()
    ]
    path.write_text(json.dumps({"object": "page", "data": buckets, "has_more": False, "next_page": None}))
    return str(path)


def test_a_day_that_became_empty_is_emptied_and_the_days_covered_are_on_record(tmp_path: Path) -> None:
    fetched = Fetched("costs", "", date(2026, 11, 1), date(2026, 11, 4))
    with open_lake(tmp_path) as lake:
        first = page(tmp_path / "a.json", {0: ["1.5"], 1: ["2"], 2: []})
        import_files(lake, [first], source="prod", format_name="openai-costs", fetched=fetched)
        again = page(tmp_path / "b.json", {0: ["1.5"]})
        import_files(lake, [again], source="prod", format_name="openai-costs", fetched=fetched, force=True)
        assert [str(r["ChargePeriodStart"])[:10] for r in lake.records("FROM charges")] == ["2026-11-01"]
        loads = lake.records("FROM loads ORDER BY LoadedAt")
    assert {r["Connection"] for r in loads} == {"live:prod"}
    assert loads[1]["StreamName"] == "costs"
    assert (loads[1]["CoveredFrom"], loads[1]["CoveredBefore"]) == (date(2026, 11, 1), date(2026, 11, 4))


def test_a_window_without_a_row_is_a_load_too(tmp_path: Path) -> None:
    fetched = Fetched("costs", "v1", date(2026, 11, 1), date(2026, 11, 2))
    with open_lake(tmp_path) as lake:
        import_files(
            lake, [page(tmp_path / "a.json", {0: []})], source="prod", format_name="openai-costs", fetched=fetched
        )
        (load,) = lake.records("FROM loads")
    assert (load["RowsLoaded"], load["StreamVersion"]) == (0, "v1")


def test_a_file_of_one_kind_of_usage_leaves_the_other_kinds_alone(tmp_path: Path) -> None:
    def usage(kind: str) -> str:
        result = {"object": f"organization.usage.{kind}.result", "input_tokens": 5, "model": "m", "project_id": "p"}
        bucket = {"object": "bucket", "start_time": FIRST, "end_time": FIRST + DAY, "results": [result]}
        path = tmp_path / f"{kind}.json"
        path.write_text(json.dumps({"object": "page", "data": [bucket], "has_more": False, "next_page": None}))
        return str(path)

    with open_lake(tmp_path) as lake:
        for kind in ("completions", "embeddings", "completions"):
            import_files(lake, [usage(kind)])
        rows = lake.records("SELECT UsageKind FROM usage ORDER BY 1")
    assert [row["UsageKind"] for row in rows] == ["completions", "embeddings"]
