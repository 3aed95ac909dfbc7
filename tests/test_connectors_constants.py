"""Columns that hold one text or nothing, by the footer of their file, are not read; what is loaded stays the same."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors import focus, reading
from connectors.aws.cur import CUR_2
from connectors.format import Column, Format, Kind
from connectors.importing import import_files
from connectors.mapping import mapped_sql, settled
from connectors.rows import ledger_rows
from ledger.errors import LoadError
from ledger.footer import Footer
from ledger.lake import Lake
from tests.ledgers import HEADER, line, write_bill
from tests.states import new_lake, rejects, state

SAMPLE = Path(__file__).resolve().parents[1] / "sample_data" / "files"
DAYS = [f"2026-10-{day:02}" for day in range(1, 32)]


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with new_lake(tmp_path) as opened:
        yield opened


def as_parquet(csv: Path, **changed: str) -> Path:
    """A bill as Parquet; `changed` are columns and the SQL that they become."""
    target = csv.with_suffix(".parquet")
    replaced = ", ".join(f"{sql} AS {name}" for name, sql in changed.items())
    columns = f"* REPLACE ({replaced})" if replaced else "*"
    duckdb.execute(f"COPY (SELECT {columns} FROM read_csv('{csv}', all_varchar = true)) TO '{target}' (FORMAT parquet)")
    return target


def row_groups(path: Path, *groups: dict[str, list[object]]) -> Path:
    """A Parquet file of several row groups."""
    tables = [pa.table(group) for group in groups]
    with pq.ParquetWriter(path, tables[0].schema) as writer:
        for table in tables:
            writer.write_table(table)
    return path


def charges(lake: Lake) -> list[dict[str, object]]:
    """Every charge, without what tells one load from another."""
    rows = lake.records("SELECT * EXCLUDE (x_LoadId, x_Connection) FROM charges ORDER BY ChargePeriodStart, BilledCost")
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


class TestFooter:
    @pytest.mark.parametrize(
        ("groups", "constants"),
        [
            ([{"c": ["USD", "USD"]}], {"c": "USD"}),
            ([{"c": ["USD", "USD"]}, {"c": ["USD"]}], {"c": "USD"}),
            ([{"c": ["USD"]}, {"c": ["EUR"]}], {}),
            ([{"c": ["USD", None]}], {}),
            ([{"c": ["USD"]}, {"c": pa.array([None], pa.string())}], {}),
            ([{"c": pa.array([None, None], pa.string())}], {"c": None}),
            ([{"c": ["x" * 100, "x" * 100]}], {}),
            # The second group has no bounds, since its text is too long for them; those of the first say nothing of it.
            ([{"c": ["USD"]}, {"c": ["x" * 5_000]}], {}),
            ([{"c": [1, 1]}], {"c": "1"}),
            ([{"c": [1.5, float("nan")]}], {}),
        ],
    )
    def test_one_value_is_told_from_the_bounds(
        self,
        con: duckdb.DuckDBPyConnection,
        tmp_path: Path,
        groups: list[dict[str, list[object]]],
        constants: dict[str, str | None],
    ) -> None:
        assert Footer.of(con, row_groups(tmp_path / "f.parquet", *groups)).constants == constants

    def test_a_file_without_statistics_says_nothing(self, con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
        pq.write_table(pa.table({"c": ["USD", "USD"]}), tmp_path / "f.parquet", write_statistics=False)
        assert Footer.of(con, tmp_path / "f.parquet") == Footer()

    def test_only_texts_and_empty_columns_are_taken_for_settled(
        self, con: duckdb.DuckDBPyConnection, tmp_path: Path
    ) -> None:
        table = pa.table({"text": ["a"], "number": [1], "none": pa.array([None], pa.int64()), "list": [["a"]]})
        pq.write_table(table, tmp_path / "f.parquet")
        part = reading.open_part(con, tmp_path / "f.parquet", lambda _: True)
        assert part.constants == {"text": "a", "none": None}


class TestSettled:
    def test_a_text_is_followed_through_the_mapping(self) -> None:
        layout = dict.fromkeys(("ProviderName", "BillingCurrency", "ServiceName", "RegionId"), "VARCHAR")
        known = settled(focus.FORMAT, layout, {"ProviderName": "AWS", "BillingCurrency": "USD", "RegionId": ""})
        told = {name: known.get(name, ...) for name in ("ServiceProviderName", "HostProviderName", "BillingCurrency")}
        assert told == {"ServiceProviderName": "AWS", "HostProviderName": "AWS", "BillingCurrency": "USD"}
        assert (known.get("RegionId", ...), known.get("RegionName", ...)) == (None, None)
        assert "ServiceName" not in known

    def test_a_value_before_which_another_may_stand_is_open(self) -> None:
        layout = dict.fromkeys(("ProviderName", "ServiceProviderName"), "VARCHAR")
        assert "ServiceProviderName" not in settled(focus.FORMAT, layout, {"ProviderName": "AWS"})

    def test_a_column_that_added_rows_fill_otherwise_is_open(self) -> None:
        layout = dict.fromkeys(("pricing_unit", "line_item_currency_code"), "VARCHAR")
        known = settled(CUR_2, layout, {"pricing_unit": "Hrs", "line_item_currency_code": "USD"})
        assert "PricingUnit" not in known
        assert known["BillingCurrency"] == "USD"

    def test_a_branch_that_no_row_takes_says_nothing(self) -> None:
        names = ("bill_billing_entity", "line_item_legal_entity", "savings_plan_savings_plan_a_r_n")
        layout = dict.fromkeys((*names, "reservation_reservation_a_r_n"), "VARCHAR")
        nothing = dict.fromkeys(("savings_plan_savings_plan_a_r_n", "reservation_reservation_a_r_n"))
        known = settled(CUR_2, layout, {"bill_billing_entity": "AWS", **nothing})
        assert known["ServiceProviderName"] == "AWS"
        assert (known.get("CommitmentDiscountId", ...), known.get("CommitmentDiscountType", ...)) == (None, None)
        sold_by_others = settled(CUR_2, layout, {"bill_billing_entity": "AWS Marketplace", names[2]: "arn:1"})
        assert not {"ServiceProviderName", "CommitmentDiscountType"} & sold_by_others.keys()

    def test_a_decimal_column_of_texts_is_no_text(self) -> None:
        column = Column("cost", Kind.DECIMAL)
        format_ = Format(
            "small", "Small", "", "charges", frozenset(), (column,), lambda t: ledger_rows(t, BilledCost=t["cost"])
        )
        assert "BilledCost" not in settled(format_, {"cost": "VARCHAR"}, {"cost": "1"})


class TestLoad:
    @pytest.mark.parametrize("currency", ["USD", "it''s"])
    def test_a_parquet_bill_becomes_what_its_csv_becomes(self, tmp_path: Path, currency: str) -> None:
        lines = [line(f"{n}.5", day, currency=currency.replace("''", "'")) for n, day in enumerate(DAYS)]
        csv = write_bill(tmp_path / "bill.csv", lines)
        with new_lake(tmp_path) as plain:
            import_files(plain, [str(csv)])
            expected, held = charges(plain), state(plain)
        (tmp_path / "other").mkdir()
        with new_lake(tmp_path / "other") as lake:
            loaded = import_files(lake, [str(as_parquet(csv))])[0]
            assert (charges(lake), state(lake)) == (expected, held)
        assert set(loaded.billed_loaded) == {currency.replace("''", "'")}

    def test_an_empty_text_is_nothing(self, lake: Lake, tmp_path: Path) -> None:
        csv = write_bill(tmp_path / "bill.csv", [line("1", day) for day in DAYS])
        import_files(lake, [str(as_parquet(csv, ServiceName="''"))])
        assert lake.records("SELECT DISTINCT ServiceName AS s FROM charges") == [{"s": None}]

    def test_files_that_differ_in_a_constant_keep_their_own(self, lake: Lake, tmp_path: Path) -> None:
        files = list[str]()
        for account, currency in (("1", "USD"), ("2", "EUR")):
            csv = write_bill(
                tmp_path / f"{account}.csv", [line("1", d, account=account, currency=currency) for d in DAYS]
            )
            files.append(str(as_parquet(csv)))
        loaded = import_files(lake, files)[0]
        assert loaded.billed_loaded == {"USD": Decimal(31), "EUR": Decimal(31)}
        by = "SELECT BillingAccountId AS a, BillingCurrency AS c, count(*) AS n FROM charges GROUP BY ALL ORDER BY ALL"
        assert [tuple(r.values()) for r in lake.records(by)] == [("1", "USD", 31), ("2", "EUR", 31)]

    def test_files_of_different_layouts_keep_their_own(self, lake: Lake, tmp_path: Path) -> None:
        first = as_parquet(write_bill(tmp_path / "1.csv", [line("1", d, service="S3") for d in DAYS[:9]]))
        tagged = [HEADER + ",Tags", *(line("2", d, service="EC2") + ',"{""a"": 1}"' for d in DAYS[9:])]
        (tmp_path / "2.csv").write_text("\n".join(tagged) + "\n")
        second = as_parquet(tmp_path / "2.csv")
        import_files(lake, [str(first), str(second)])
        by = (
            "SELECT ServiceName AS s, Tags::VARCHAR AS t, count(*) AS n, sum(BilledCost) AS b FROM charges GROUP BY ALL"
        )
        rows = [tuple(r.values()) for r in lake.records(f"{by} ORDER BY ALL")]
        assert rows == [("EC2", '{"a": 1}', 22, Decimal(44)), ("S3", None, 9, Decimal(9))]

    def test_bad_rows_leave_and_are_listed(self, lake: Lake, tmp_path: Path) -> None:
        csv = write_bill(tmp_path / "bill.csv", [line("x", DAYS[0]), *(line("1", day) for day in DAYS[1:])])
        loaded = import_files(lake, [str(as_parquet(csv))])[0]
        assert (loaded.rows_loaded, loaded.rows_rejected) == (30, 1)
        assert state(lake)[:4] == (30, Decimal(30), 30, Decimal(30))
        assert [(row, column, value) for _, row, column, value, _ in rejects(lake)] == [(1, "BilledCost", "x")]

    @pytest.mark.parametrize(
        "column",
        [
            "BilledCost",
            "ChargePeriodStart",
            "ListCost",
            "ContractedCost",
            "ServiceName",
            "ServiceCategory",
            "ProviderName",
            "ChargeDescription",
            "PricingUnit",
        ],
    )
    def test_a_column_of_nothing_is_judged_as_in_a_csv(self, tmp_path: Path, column: str) -> None:
        csv = write_bill(tmp_path / "plain.csv", [line("-1.5" if day == DAYS[3] else "1", day) for day in DAYS])
        written = f"COPY (SELECT * REPLACE (NULL AS {column}) FROM read_csv('{csv}', all_varchar = true)) TO"
        duckdb.execute(f"{written} '{tmp_path}/bill.csv' (HEADER)")
        duckdb.execute(f"{written.replace('NULL', 'NULL::VARCHAR')} '{tmp_path}/bill.parquet' (FORMAT parquet)")
        came = list[object]()
        for kind in ("csv", "parquet"):
            (tmp_path / kind).mkdir()
            with new_lake(tmp_path / kind) as lake:
                try:
                    loaded = import_files(lake, [str(tmp_path / f"bill.{kind}")])[0]
                    came.append((charges(lake), state(lake), sorted(map(str, loaded.findings)), loaded.provider))
                except LoadError as error:
                    came.append(str(error).replace(".csv", ".parquet"))
        assert came[0] == came[1]

    def test_what_a_check_shows_may_be_missing(self, lake: Lake, tmp_path: Path) -> None:
        csv = write_bill(tmp_path / "bill.csv", [line("1", day) for day in DAYS])
        source = f"SELECT *, NULL::VARCHAR AS CommitmentDiscountId, 'Used' AS CommitmentDiscountStatus FROM '{csv}'"
        duckdb.execute(f"COPY ({source}) TO '{tmp_path}/bill.parquet' (FORMAT parquet)")
        loaded = import_files(lake, [str(tmp_path / "bill.parquet")])[0]
        found = {finding.check: finding for finding in loaded.findings}
        assert found["CommitmentDiscount.billed"].rows == found["CommitmentDiscount.id"].rows == 31
        assert found["CommitmentDiscount.billed"].examples[0]["CommitmentDiscountId"] is None

    def test_a_folder_does_not_overrule_its_file(self, lake: Lake, tmp_path: Path) -> None:
        csv = write_bill(tmp_path / "bill.csv", [line("1", day, service=f"s{n % 2}") for n, day in enumerate(DAYS)])
        folder = tmp_path / "BillingCurrency=EUR" / "ServiceName=other"
        folder.mkdir(parents=True)
        import_files(lake, [str(as_parquet(csv).rename(folder / "bill.parquet"))])
        rows = lake.records("SELECT DISTINCT BillingCurrency AS c, ServiceName AS s FROM charges ORDER BY ALL")
        assert [tuple(row.values()) for row in rows] == [("USD", "s0"), ("USD", "s1")]

    def test_a_constant_text_may_hold_anything(self, lake: Lake, tmp_path: Path) -> None:
        csv = write_bill(tmp_path / "bill.csv", [line("1", day) for day in DAYS])
        import_files(lake, [str(as_parquet(csv, ServiceName="'a' || chr(0) || 'b'", BillingAccountName="'é''\"\n'"))])
        rows = lake.records("SELECT DISTINCT ServiceName AS s, BillingAccountName AS a FROM charges")
        assert rows == [{"s": "a\0b", "a": "é'\"\n"}]

    def test_constants_are_found_again_by_what_filters_on_them(self, lake: Lake, tmp_path: Path) -> None:
        csv = write_bill(tmp_path / "bill.csv", [line("1", day) for day in DAYS])
        import_files(lake, [str(as_parquet(csv))])
        count = "SELECT count(*) AS n FROM charges WHERE BillingCurrency"
        assert lake.records(f"{count} = 'USD' AND x_Connection = 'file:focus'") == [{"n": 31}]
        assert lake.records(f"{count} = 'EUR' OR x_Connection = 'other'") == [{"n": 0}]
        assert lake.records(f"{count} IS NULL OR x_LoadId IS NULL") == [{"n": 0}]


@pytest.mark.parametrize("path", sorted((SAMPLE / "aws").glob("*.parquet")), ids=lambda p: p.stem)
def test_the_sample_maps_alike_with_and_without_them(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    part = reading.open_part(con, path, lambda _: True)
    assert part.constants
    con.execute(f"CREATE TABLE plain AS {mapped_sql(CUR_2, part.layout, part.relation)}")
    con.execute(f"CREATE TABLE told AS {mapped_sql(CUR_2, part.layout, part.relation, constants=part.constants)}")
    types = dict(
        con.execute("SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'told'").fetchall()
    )
    names = ", ".join(f'"{name}"::VARCHAR' for name in types)
    assert con.execute(f"SELECT {names} FROM plain EXCEPT ALL SELECT {names} FROM told").fetchall() == []
    others = con.execute("SELECT column_name FROM duckdb_columns() WHERE table_name = 'plain'").fetchall()
    left_out = [name for (name,) in others if name not in types]
    filled = con.execute(f"SELECT {', '.join(f'count({name})' for name in left_out) or '0'} FROM plain").fetchone()
    assert not any(filled or ())
