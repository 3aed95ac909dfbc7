"""Tokens of usage meet cost of the bill in the transaction of either load."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from analysis.unit_cost import unit_cost, with_usage
from connectors.importing import import_files
from ledger import token_usage
from ledger.lake import Lake
from ledger.remove import remove_source
from tests.ledgers import HEADER, line, open_lake

DETAILS = '"{""ModelId"":""gpt-5.5"",""TokenDirection"":""Output""}"'


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    bill = tmp_path / "bill.csv"
    days = [
        f"{line(cost, day).replace('Acme', 'OpenAI')},{DETAILS}"
        for cost, day in (("30", "2026-10-01"), ("60", "2026-10-02"))
    ]
    bill.write_text("\n".join([f"{HEADER},SkuPriceDetails", *days]) + "\n")
    lake = open_lake(tmp_path)
    import_files(lake, [str(bill)])
    return lake


def write_usage(tmp_path: Path, tokens: dict[str, int]) -> str:
    file = tmp_path / "usage.csv"
    rows = [f"{day}T00:00:00Z,day,OpenAI,gpt-5.5,0,{count}" for day, count in tokens.items()]
    file.write_text("\n".join(["time,grain,provider,model,input_tokens,output_tokens", *rows]) + "\n")
    return str(file)


def prices(lake: Lake) -> list[tuple[Decimal, Decimal | None]]:
    table = unit_cost(lake.table("daily_token_costs"), ["day"])
    assert table.rows == unit_cost(with_usage(*lake.tables("daily_tokens", "usage")), ["day"]).rows
    return [(row.tokens, row.cost_per_million) for row in table.rows]


def test_a_bill_without_quantities_has_no_price_until_usage_comes(lake: Lake, tmp_path: Path) -> None:
    assert prices(lake) == [(Decimal(0), None), (Decimal(0), None)]
    import_files(lake, [write_usage(tmp_path, {"2026-10-01": 1_000_000, "2026-10-02": 3_000_000})])
    assert prices(lake) == [(Decimal(1_000_000), Decimal(30)), (Decimal(3_000_000), Decimal(20))]


def test_new_usage_of_a_day_changes_that_day(lake: Lake, tmp_path: Path) -> None:
    import_files(lake, [write_usage(tmp_path, {"2026-10-01": 1_000_000, "2026-10-02": 3_000_000})])
    import_files(lake, [write_usage(tmp_path, {"2026-10-02": 6_000_000})])
    assert prices(lake) == [(Decimal(1_000_000), Decimal(30)), (Decimal(6_000_000), Decimal(10))]


def test_usage_that_is_removed_takes_its_tokens_along(lake: Lake, tmp_path: Path) -> None:
    import_files(lake, [write_usage(tmp_path, {"2026-10-01": 1_000_000})])
    remove_source(lake, "file:usage-file")
    assert prices(lake) == [(Decimal(0), None), (Decimal(0), None)]


def test_days_that_are_refreshed_one_at_a_time_are_those_refreshed_together(lake: Lake, tmp_path: Path) -> None:
    import_files(lake, [write_usage(tmp_path, {"2026-10-01": 1_000_000, "2026-10-02": 3_000_000})])
    with lake.lock(), lake.transaction() as cursor:
        cursor.execute("DELETE FROM daily_token_costs")
        token_usage.refresh(cursor, "SELECT ChargeDate FROM daily_tokens", most=1)
    assert prices(lake) == [(Decimal(1_000_000), Decimal(30)), (Decimal(3_000_000), Decimal(20))]
