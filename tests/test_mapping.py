from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pytest

from connectors.format import Column, Format, Kind
from connectors.mapping import bind, ibis_type, mapped_sql, places, rejected_sql, widths_sql
from connectors.rows import added_rows, ledger_rows
from tests.conftest import Mapped

COLUMNS = (
    Column("cost", Kind.DECIMAL, ("Cost", "amount.value"), required=True),
    Column("start", Kind.INSTANT, required=True),
    Column("count", Kind.COUNT),
    Column("note"),
    Column("tags", Kind.JSON, ("tag/*",)),
)


def to_ledger(table: ir.Table) -> ir.Table:
    return ledger_rows(table, BilledCost=table["cost"], ChargeDescription=table["note"], Tags=table["tags"])


def make(**changes: Any) -> Format:
    """A small format."""
    given: dict[str, Any] = {
        "name": "small",
        "title": "Small",
        "provider": "",
        "table": "charges",
        "signature": frozenset({"cost"}),
        "columns": COLUMNS,
        "to_ledger": to_ledger,
        "billed": lambda table: table["cost"],
    }
    return Format(**(given | changes))


FORMAT = make()
ROWS = (
    "SELECT * FROM (VALUES ('1.5', '2026-10-01', '3', 'a'), ('x', '2026-10-01', '3', 'b'), ('2', NULL, '3', 'c'), "
    "('4', '2026-10-01', '2.5', 'd'), ('8', '2026-10-01', '', 'e')) AS t(cost, start, count, note)"
)


class TestBind:
    @pytest.mark.parametrize(
        ("layout", "reference", "type_"),
        [
            ({"Cost": "VARCHAR"}, 'source."Cost"', "VARCHAR"),
            ({"COST": "DOUBLE"}, 'source."COST"', "DOUBLE"),
            ({"amount.value": "VARCHAR"}, 'source."amount.value"', "VARCHAR"),
            ({"amount": "STRUCT(value DOUBLE, currency VARCHAR)"}, 'source."amount"."value"', "DOUBLE"),
            ({"amount": "STRUCT(currency VARCHAR)"}, None, "NULL"),
            ({"amount": "VARCHAR"}, None, "NULL"),
            ({"other": "VARCHAR"}, None, "NULL"),
        ],
    )
    def test_a_column_is_found_by_any_of_its_names(
        self, layout: dict[str, str], reference: str | None, type_: str
    ) -> None:
        field = bind(COLUMNS[0], layout)
        assert (field.reference, field.type) == (reference, type_)

    def test_the_first_name_wins(self) -> None:
        assert bind(COLUMNS[0], {"amount.value": "VARCHAR", "cost": "DOUBLE"}).reference == 'source."cost"'

    def test_places_go_into_structs(self) -> None:
        layout = {"Service": "STRUCT(ID VARCHAR, more STRUCT(x DATE))", "cost": "DOUBLE"}
        assert places(layout) == {"service", "service.id", "service.more", "service.more.x", "cost"}


class TestMapped:
    def test_every_source_row_travels_on_and_a_bad_one_says_so(self, mapped: Mapped) -> None:
        rows = mapped(FORMAT, ROWS)
        assert [(r["BilledCost"], r["x_State"], r["x_BilledIn"]) for r in rows] == [
            (Decimal("1.5"), None, Decimal("1.5")),
            (None, "bad", None),
            (Decimal(2), "bad", Decimal(2)),
            (Decimal(4), "bad", Decimal(4)),
            (Decimal(8), None, Decimal(8)),
        ]

    def test_what_the_file_does_not_have_is_not_written(self, mapped: Mapped) -> None:
        rows = mapped(FORMAT, "SELECT '1' AS cost, '2026-10-01' AS start")
        assert set(rows[0]) == {"BilledCost", "x_State", "x_BilledIn"}

    def test_columns_of_one_beginning_become_one_object(self, mapped: Mapped) -> None:
        tags = "'a' AS \"tag/user:team\", '' AS \"tag/b.c\", 'd' AS \"TAG/e\""
        (row,) = mapped(FORMAT, f"SELECT '1' AS cost, '2026-10-01' AS start, {tags}")
        assert row["Tags"] == '{"e":"d","user:team":"a"}'

    def test_dropped_and_added_rows_are_marked(self, mapped: Mapped) -> None:
        def twice(table: ir.Table) -> ir.Table:
            rest = added_rows(table, table["note"] == "a", BilledCost=ibis.literal(0).cast("decimal(38, 18)"))
            return ledger_rows(table, BilledCost=table["cost"]).union(rest)

        changed = make(to_ledger=twice, dropped=lambda table: table["note"] == "e")
        states = [(r["x_State"], r["x_BilledIn"]) for r in mapped(changed, ROWS)]
        assert sorted(states, key=str) == sorted(
            [
                (None, Decimal("1.5")),
                ("bad", None),
                ("bad", Decimal(2)),
                ("bad", Decimal(4)),
                ("dropped", Decimal(8)),
                ("added", Decimal(0)),
            ],
            key=str,
        )

    def test_a_row_that_is_bad_is_not_dropped(self, mapped: Mapped) -> None:
        changed = make(dropped=lambda table: table["note"] == "b")
        assert [r["x_State"] for r in mapped(changed, ROWS)] == [None, "bad", "bad", "bad", None]

    def test_sql_is_made_without_a_connection(self) -> None:
        sql = mapped_sql(FORMAT, {"cost": "VARCHAR", "start": "VARCHAR"}, "FROM nowhere")
        assert "nowhere" in sql

    @pytest.mark.parametrize("kind", list(Kind))
    def test_every_kind_has_the_type_in_ibis_that_it_has_in_the_engine(
        self, con: duckdb.DuckDBPyConnection, kind: Kind
    ) -> None:
        column = Column("c", kind, fields={"a": Kind.DECIMAL} if kind is Kind.RECORDS else {})
        absent = con.execute(f"SELECT {bind(column, {}).value} AS c").to_arrow_table()
        declared = ibis.schema({"c": ibis_type(column)}).to_pyarrow()
        if kind is Kind.DECIMAL:
            assert con.execute(f"SELECT typeof(coalesce({bind(column, {}).value}, 1.5))").fetchone() == (
                "DECIMAL(2,1)",
            )
        elif kind is not Kind.JSON:
            assert absent.schema.field("c").type == declared.field("c").type

    def test_a_column_of_the_file_does_not_take_the_place_of_a_step(self, mapped: Mapped) -> None:
        rows = mapped(FORMAT, "SELECT '1.5' AS cost, '99' AS \"cost=\", '2026-10-01' AS start")
        assert [row["BilledCost"] for row in rows] == [Decimal("1.5")]

    def test_a_full_decimal_has_room_for_a_sum(self, con: duckdb.DuckDBPyConnection) -> None:
        value = bind(COLUMNS[0], {"cost": "DECIMAL(18,17)"}).value
        row = con.execute(f"SELECT {value} + {value} FROM (SELECT 6.5::DECIMAL(18,17) AS cost) AS source").fetchone()
        assert row == (Decimal(13),)

    def test_a_moment_that_never_comes_is_bad(self, mapped: Mapped) -> None:
        column = Column("seen", Kind.INSTANT)
        changed = make(columns=(*COLUMNS, column))
        rows = mapped(changed, "SELECT '1' AS cost, '2026-10-01' AS start, TIMESTAMP 'infinity' AS seen")
        assert [row["x_State"] for row in rows] == ["bad"]


class TestRejected:
    def test_every_bad_row_names_its_column_value_and_reason(self, con: duckdb.DuckDBPyConnection) -> None:
        layout = dict.fromkeys(("cost", "start", "count", "note"), "VARCHAR")
        numbered = f"SELECT *, row_number() OVER () AS x_Row, 'f.csv' AS x_File FROM ({ROWS})"
        assert con.execute(rejected_sql(FORMAT, layout, numbered)).fetchall() == [
            ("f.csv", 2, "cost", "x", "is not a number"),
            ("f.csv", 3, "start", None, "is empty, and a row means nothing without it"),
            ("f.csv", 4, "count", "2.5", "is not a whole number"),
        ]

    def test_a_missing_required_column_is_named(self, con: duckdb.DuckDBPyConnection) -> None:
        numbered = "SELECT '1' AS cost, 1 AS x_Row, 'f.csv' AS x_File"
        assert con.execute(rejected_sql(FORMAT, {"cost": "VARCHAR"}, numbered)).fetchall() == [
            ("f.csv", 1, "start", None, "the file has no such column, and a row means nothing without it")
        ]


class TestWidths:
    @pytest.mark.parametrize(
        ("given", "type_", "width"),
        [
            ("('1.5'), ('0.123456789')", "VARCHAR", "DECIMAL(17,9)"),
            ("('1.5'), (NULL), ('x')", "VARCHAR", "DECIMAL(17,9)"),
            ("('1.5'), ('0.1234567890')", "VARCHAR", "DECIMAL(17,9)"),
            ("('1.5'), ('0.1234567891')", "VARCHAR", None),
            ("('1.5'), ('12345678')", "VARCHAR", "DECIMAL(17,9)"),
            ("('1.5'), ('123456789')", "VARCHAR", None),
            ("(1.5), (0.123456789)", "DOUBLE", "DECIMAL(17,9)"),
            ("(1.5), (0.123456789012)", "DOUBLE", "DECIMAL(17,12)"),
            ("(1.5), (0.1234567890123)", "DOUBLE", None),
            ("(12345678.5), (0.123456789012)", "DOUBLE", None),
        ],
    )
    def test_the_narrowest_type_that_holds_every_value(
        self, con: duckdb.DuckDBPyConnection, given: str, type_: str, width: str | None
    ) -> None:
        relation = f"SELECT v::{type_} AS cost FROM (VALUES {given}) AS t(v)"
        names, sql = widths_sql(FORMAT, {"cost": type_}, relation)
        assert names == ["cost"]
        assert con.execute(sql).fetchone() == (width,)

    def test_a_decimal_column_needs_no_guess(self) -> None:
        assert widths_sql(FORMAT, {"cost": "DECIMAL(38,9)"}, "FROM t")[0] == []
