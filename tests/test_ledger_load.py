from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.importing import import_files
from ledger.errors import LedgerError, OverlappingLoadError, SmallerLoadError
from ledger.lake import Lake
from ledger.remove import remove_source
from ledger.replace import spans
from tests.ledgers import line, open_lake, totals, write_bill, write_parquet


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return open_lake(tmp_path)


def test_sixteen_fraction_digits_survive(lake: Lake, tmp_path: Path) -> None:
    import_files(lake, [str(write_bill(tmp_path / "a.csv", [line("0.1234567890123456", "2026-10-01")]))])
    assert totals(lake) == (1, Decimal("0.1234567890123456"), 1, Decimal("0.1234567890123456"))


def test_loading_again_replaces_the_period_and_nothing_else(lake: Lake, tmp_path: Path) -> None:
    september = write_bill(tmp_path / "sep.csv", [line("7", "2026-09-30")])
    october = write_bill(tmp_path / "oct.csv", [line("1", "2026-10-01"), line("2", "2026-10-02")])
    import_files(lake, [str(september)])
    first = import_files(lake, [str(october)])[0]
    write_bill(october, [line("1", "2026-10-01"), line("2.5", "2026-10-02"), line("3", "2026-10-03")])
    second = import_files(lake, [str(october)])[0]
    assert second.replaced == (first.load_id,)
    assert second.periods == ("2026-10",)
    assert totals(lake) == (4, Decimal("13.5"), 4, Decimal("13.5"))


def test_two_accounts_do_not_replace_each_other(lake: Lake, tmp_path: Path) -> None:
    import_files(lake, [str(write_bill(tmp_path / "a.csv", [line("1", "2026-10-01", account="a")]))])
    import_files(lake, [str(write_bill(tmp_path / "b.csv", [line("2", "2026-10-01", account="b")]))])
    assert totals(lake) == (2, Decimal(3), 2, Decimal(3))


def test_fewer_days_are_refused_unless_told_to_replace(lake: Lake, tmp_path: Path) -> None:
    import_files(lake, [str(write_bill(tmp_path / "a.csv", [line("1", "2026-10-01"), line("1", "2026-10-02")]))])
    half = write_bill(tmp_path / "b.csv", [line("9", "2026-10-02")])
    with pytest.raises(SmallerLoadError, match=r"2026-10, account acct-1: the ledger holds 2 days .* only 1 days"):
        import_files(lake, [str(half)])
    assert totals(lake)[:2] == (2, Decimal(2))
    import_files(lake, [str(half)], force=True)
    assert totals(lake)[:2] == (1, Decimal(9))


def test_clearly_less_money_is_refused(lake: Lake, tmp_path: Path) -> None:
    import_files(lake, [str(write_bill(tmp_path / "a.csv", [line("100", "2026-10-01")]))])
    import_files(lake, [str(write_bill(tmp_path / "b.csv", [line("91", "2026-10-01")]))])
    with pytest.raises(SmallerLoadError):
        import_files(lake, [str(write_bill(tmp_path / "c.csv", [line("50", "2026-10-01")]))])
    assert totals(lake)[1] == Decimal(91)


def test_the_same_bill_from_another_source_is_refused(lake: Lake, tmp_path: Path) -> None:
    file = write_bill(tmp_path / "a.csv", [line("1", "2026-10-01")])
    import_files(lake, [str(file)])
    with pytest.raises(OverlappingLoadError, match="file:focus"):
        import_files(lake, [str(file)], source="second")
    assert totals(lake)[:2] == (1, Decimal(1))


def test_a_load_is_tied_to_its_snapshot(lake: Lake, tmp_path: Path) -> None:
    loaded = import_files(lake, [str(write_bill(tmp_path / "a.csv", [line("1", "2026-10-01")]))])[0]
    rows = lake.records(
        "SELECT snapshot_id, commit_extra_info FROM ducklake_snapshots('lake') WHERE snapshot_id = ?", [loaded.snapshot]
    )
    assert rows == [{"snapshot_id": loaded.snapshot, "commit_extra_info": f'{{"load_id": "{loaded.load_id}"}}'}]


def test_an_answer_of_several_queries_sees_the_ledger_as_it_was_when_it_began(lake: Lake, tmp_path: Path) -> None:
    import_files(lake, [str(write_bill(tmp_path / "a.csv", [line("1", "2026-10-01", account="a")]))])
    with lake.reading("loads", "daily_spend") as (loads, spend):
        assert loads.count().to_pyarrow().as_py() == 1
        import_files(lake, [str(write_bill(tmp_path / "b.csv", [line("2", "2026-10-01", account="b")]))])
        assert (loads.count().to_pyarrow().as_py(), spend["BilledCost"].sum().to_pyarrow().as_py()) == (1, Decimal(1))
    with lake.reading("loads", "daily_spend") as (loads, spend):
        assert (loads.count().to_pyarrow().as_py(), spend["BilledCost"].sum().to_pyarrow().as_py()) == (2, Decimal(3))


def test_an_older_snapshot_answers_as_it_did(lake: Lake, tmp_path: Path) -> None:
    first = import_files(lake, [str(write_bill(tmp_path / "a.csv", [line("1", "2026-10-01")]))])[0]
    import_files(lake, [str(write_bill(tmp_path / "a.csv", [line("5", "2026-10-01")]))])
    then = lake.table("charges", snapshot=first.snapshot)
    now = lake.table("charges")
    assert [t["BilledCost"].sum().to_pyarrow().as_py() for t in (then, now)] == [Decimal(1), Decimal(5)]


def test_an_older_snapshot_survives_merging_files_of_different_decimals(lake: Lake, tmp_path: Path) -> None:
    costs = ("0.5::DECIMAL(18,9)", "0.25::DECIMAL(38,18)", "0.125::DOUBLE")
    first = None
    for number, cost in enumerate(costs):
        start = f"TIMESTAMPTZ '2026-{number + 1:02}-01 00:00:00Z'"
        loaded = import_files(lake, [str(write_parquet(tmp_path / f"{number}.parquet", _charge(cost, start)))])[0]
        first = first or loaded
    assert first is not None
    with lake.lock():
        lake.cursor().execute("CALL ducklake_merge_adjacent_files('lake')")
    assert totals(lake)[:2] == (3, Decimal("0.875"))
    assert lake.table("charges", snapshot=first.snapshot)["BilledCost"].sum().to_pyarrow().as_py() == Decimal("0.5")


def _charge(cost: str, start: str) -> str:
    return (
        f"SELECT {cost} AS BilledCost, {cost} AS EffectiveCost, 'a' AS BillingAccountId, 'USD' AS BillingCurrency, "
        f"{start} AS BillingPeriodStart, {start} + INTERVAL 1 MONTH AS BillingPeriodEnd, {start} AS ChargePeriodStart, "
        f"{start} + INTERVAL 1 DAY AS ChargePeriodEnd, 'Usage' AS ChargeCategory, 'S' AS ServiceName, "
        "'P' AS ProviderName"
    )


def test_rollups_equal_the_charges_after_every_load(lake: Lake, tmp_path: Path) -> None:
    lines = [line(f"{n}.01", f"2026-10-{n:02}", service=f"S{n % 3}") for n in range(1, 20)]
    import_files(lake, [str(write_bill(tmp_path / "a.csv", lines))])
    import_files(lake, [str(write_bill(tmp_path / "a.csv", [*lines, line("-3", "2026-10-20")]))])
    by_service = "SELECT ServiceName, sum(BilledCost) AS b FROM {} GROUP BY 1 ORDER BY 1"
    assert lake.records(by_service.format("charges")) == lake.records(by_service.format("daily_spend"))


def test_columns_that_a_later_file_lacks_are_null_there(lake: Lake, tmp_path: Path) -> None:
    start = "TIMESTAMPTZ '2026-{}-01 00:00:00Z'"
    bare = _charge("250::DECIMAL(18,9)", start.format("02"))
    january = _charge("1.5::DECIMAL(18,9)", start.format("01"))
    full = f"SELECT *, 7::DECIMAL(18,9) AS ListCost, 'r' AS RegionId FROM ({january})"
    import_files(lake, [str(write_parquet(tmp_path / "full.parquet", full))])
    import_files(lake, [str(write_parquet(tmp_path / "bare.parquet", bare))])
    row = lake.records(
        "SELECT count(*) AS n, count(ListCost) AS listed, count(*) FILTER (ListCost IS NULL) AS unlisted, "
        "count(*) FILTER (RegionId IS NULL) AS nowhere, sum(coalesce(ListCost, 1)) AS filled, "
        "count(*) FILTER (BilledCost > 100) AS large FROM charges"
    )[0]
    assert row == {"n": 2, "listed": 1, "unlisted": 1, "nowhere": 1, "filled": Decimal(8), "large": 1}


def test_removing_a_source_leaves_the_others(lake: Lake, tmp_path: Path) -> None:
    import_files(lake, [str(write_bill(tmp_path / "a.csv", [line("1", "2026-10-01", account="a")]))], source="one")
    import_files(lake, [str(write_bill(tmp_path / "b.csv", [line("2", "2026-10-01", account="b")]))], source="two")
    remove_source(lake, "file:one")
    assert totals(lake) == (1, Decimal(2), 1, Decimal(2))
    with pytest.raises(LedgerError, match="its sources are: file:one, file:two"):
        remove_source(lake, "file:three")


def test_a_column_of_a_later_version_is_added_to_an_older_lake(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    lake.cursor().execute("ALTER TABLE charges DROP COLUMN x_Repairs")
    lake.close()
    again = open_lake(tmp_path)
    assert "x_Repairs" in again.table("charges").columns


def test_spans_join_days_that_follow_each_other() -> None:
    days = [datetime(2026, 1, d, tzinfo=UTC).date() for d in (1, 2, 3, 7, 9, 10)]
    assert spans(days) == ["2026-01-01..2026-01-03", "2026-01-07", "2026-01-09..2026-01-10"]


def test_a_folder_with_a_quote_in_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "O'Brien's bills"
    folder.mkdir()
    lake = open_lake(folder)
    import_files(lake, [str(write_bill(folder / "a.csv", [line("1", "2026-10-01")]))])
    assert totals(lake) == (1, Decimal(1), 1, Decimal(1))
