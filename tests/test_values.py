from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from connectors import values
from connectors.format import Column, Kind
from connectors.values import NARROW, TOO_NARROW, WIDE

EXACT = Context(prec=60)
STEP = Decimal(1).scaleb(-18)
LIMIT = Decimal(10) ** 20

Read = Callable[..., Any]
slow = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def engine() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection


@pytest.fixture(scope="module")
def read(engine: duckdb.DuckDBPyConnection) -> Read:
    """One value of a DuckDB type as a kind."""

    def run(value: object, type_: str, kind: Kind, width: str = WIDE, pattern: str | None = None) -> Any:
        expression = values.typed("v", type_, Column("c", kind, pattern=pattern), width)
        row = engine.execute(f"SELECT {expression} FROM (SELECT ?::{type_} AS v) AS t", [value]).fetchone()
        assert row is not None
        return row[0]

    return run


decimals = st.decimals(min_value=-(LIMIT - 1), max_value=LIMIT - 1, places=18).map(lambda d: d.normalize(EXACT))
short_decimals = st.integers(0, 18).flatmap(lambda p: st.decimals(-(10**8), 10**8, places=p))
amounts = st.one_of(decimals, short_decimals).filter(lambda d: abs(d) < LIMIT)


class TestDecimalsOutOfText:
    @slow
    @given(amount=amounts)
    @example(amount=Decimal("99999999999999999999.999999999999999999"))
    @example(amount=Decimal("0.000000000000000001"))
    @example(amount=Decimal(9007199254740993))
    @example(amount=Decimal("-0.9007199254740993"))
    def test_every_digit_survives(self, read: Read, amount: Decimal) -> None:
        assert read(f"{amount:f}", "VARCHAR", Kind.DECIMAL) == amount

    @slow
    @given(amount=amounts)
    def test_scientific_notation_is_as_exact(self, read: Read, amount: Decimal) -> None:
        sign, digits, exponent = amount.as_tuple()
        mantissa = f"{'-' if sign else ''}{digits[0]}.{''.join(map(str, digits[1:])) or '0'}"
        assert isinstance(exponent, int)
        written = f"{mantissa}e{exponent + len(digits) - 1}"
        given_back = read(written, "VARCHAR", Kind.DECIMAL)
        # What has more digits after its point than the exponent takes up is refused; nothing is ever rounded.
        assert given_back in {amount, None}
        if len(digits) > 1 or not amount:
            assert given_back == amount

    @slow
    @given(amount=amounts)
    def test_a_narrow_type_holds_the_value_or_says_so(self, read: Read, amount: Decimal) -> None:
        nine = amount.quantize(Decimal("1e-9"), context=EXACT)
        if len(f"{amount:f}") > 16 or abs(amount) >= 10**8 or amount != nine:
            with pytest.raises(duckdb.InvalidInputException, match=TOO_NARROW):
                read(f"{amount:f}", "VARCHAR", Kind.DECIMAL, NARROW[0])
        else:
            assert read(f"{amount:f}", "VARCHAR", Kind.DECIMAL, NARROW[0]) == amount

    @slow
    @given(text=st.text(alphabet="0123456789.,+-eE_ xX%$'NaInf", max_size=24))
    @example(text="1_000")
    @example(text="0x10")
    @example(text="1,5")
    @example(text=".")
    @example(text="-")
    @example(text="1e")
    @example(text="1e5000")
    @example(text="e5")
    @example(text="NaN")
    @example(text="inf")
    @example(text="1 000")
    @example(text="1.")
    def test_a_text_is_the_number_it_says_or_nothing(self, read: Read, text: str) -> None:
        found = read(text, "VARCHAR", Kind.DECIMAL)
        if found is not None:
            assert "_" not in text
            assert found == Decimal(text.strip())

    @pytest.mark.parametrize("text", ["0.1234567890123456789", "1e-19", "1.5e-18", "0." + "0" * 18 + "1"])
    def test_what_would_lose_a_digit_is_refused(self, read: Read, text: str) -> None:
        assert read(text, "VARCHAR", Kind.DECIMAL) is None

    @pytest.mark.parametrize("text", ["1e20", "100000000000000000000", "-100000000000000000000.5"])
    def test_what_is_too_large_is_refused(self, read: Read, text: str) -> None:
        assert read(text, "VARCHAR", Kind.DECIMAL) is None

    def test_zeros_at_the_end_are_no_digits(self, read: Read) -> None:
        assert read("0.5" + "0" * 30, "VARCHAR", Kind.DECIMAL) == Decimal("0.5")


doubles = (
    st.floats(-1e19, 1e19)
    | st.floats(-1e-17, 1e-17)
    | st.integers(-(10**9), 10**9).map(lambda thousandths: thousandths / 1000)
)


def shortest(number: float) -> Decimal:
    """The shortest decimal that reads back as the double, at the eighteenth fraction digit."""
    return Decimal(repr(number)).quantize(STEP, ROUND_HALF_UP, EXACT)


class TestDecimalsOutOfDoubles:
    @slow
    @given(number=doubles)
    @example(number=0.1)
    @example(number=1e-19)
    @example(number=5e-19)
    @example(number=999.999999999999)
    @example(number=123456789.12345678)
    @example(number=0.30000000000000004)
    @example(number=-0.0)
    @example(number=5e-324)
    @example(number=5e-20)
    @example(number=9.9e-20)
    @example(number=1.5e-19)
    @example(number=9007199254740993.0)
    @example(number=2.1671825670427116e18)
    @example(number=1372648898057961.8)
    @example(number=99999999999999990000.0)
    @example(number=0.00012345678901234567)
    @example(number=-123456789012.00001)
    def test_it_is_the_shortest_decimal_that_reads_back(self, read: Read, number: float) -> None:
        assert read(number, "DOUBLE", Kind.DECIMAL) == shortest(number)

    @slow
    @given(amount=st.integers(0, 15).flatmap(lambda p: st.integers(-(10**15) + 1, 10**15 - 1).map(lambda n: (n, p))))
    def test_fifteen_digits_survive_the_double(self, read: Read, amount: tuple[int, int]) -> None:
        exact = Decimal(amount[0]).scaleb(-amount[1])
        assert read(float(exact), "DOUBLE", Kind.DECIMAL) == exact

    @slow
    @given(number=doubles, width=st.sampled_from(NARROW))
    def test_a_narrow_type_holds_the_value_or_says_so(self, read: Read, number: float, width: str) -> None:
        scale, exact = values.scale_of(width), Decimal(repr(number))
        if abs(number) < 10 ** (15 - scale) and exact == round(exact, scale):
            assert read(number, "DOUBLE", Kind.DECIMAL, width) == exact
        else:
            with pytest.raises(duckdb.InvalidInputException, match=TOO_NARROW):
                read(number, "DOUBLE", Kind.DECIMAL, width)

    @pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan"), 1e20, -1e300])
    def test_what_no_decimal_holds_is_nothing(self, read: Read, number: float) -> None:
        assert read(number, "DOUBLE", Kind.DECIMAL) is None

    def test_a_single_precision_number_is_its_shortest_decimal(self, read: Read) -> None:
        assert read(0.1, "FLOAT", Kind.DECIMAL) == Decimal("0.1")


class TestOtherKinds:
    @pytest.mark.parametrize("type_", ["TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE"])
    def test_a_moment_without_a_zone_is_in_utc(self, engine: duckdb.DuckDBPyConnection, type_: str) -> None:
        moment = values.typed("v", type_, Column("c", Kind.INSTANT))
        engine.execute("SET TimeZone = 'America/Los_Angeles'")
        try:
            row = engine.execute(
                f"SELECT {moment} = v::TIMESTAMP::VARCHAR || '+00' FROM (SELECT '2026-03-08 02:30:00'::{type_} AS v)"
            ).fetchone()
        finally:
            engine.execute("SET TimeZone = 'UTC'")
        assert row == (True,)

    @pytest.mark.parametrize(
        ("value", "type_", "expected"),
        [
            ("7", "VARCHAR", 7), (" 7 ", "VARCHAR", 7), ("7.0", "VARCHAR", 7), ("7.", "VARCHAR", 7),
            ("-3", "VARCHAR", -3), ("7.5", "VARCHAR", None), ("1e3", "VARCHAR", None),
            ("1,000", "VARCHAR", None), ("1_000", "VARCHAR", None),
            ("x", "VARCHAR", None), ("9223372036854775807", "VARCHAR", 2**63 - 1), (7.0, "DOUBLE", 7),
            (7.5, "DOUBLE", None),
            (Decimal("7.00"), "DECIMAL(9,2)", 7), (12, "INTEGER", 12),
        ],
    )  # fmt: skip
    def test_a_count_is_whole(self, read: Read, value: object, type_: str, expected: int | None) -> None:
        assert read(value, type_, Kind.COUNT) == expected

    @pytest.mark.parametrize("text", ["9223372036854775808", "1" + "0" * 37, "1" + "0" * 60])
    def test_a_count_beyond_64_bits_is_nothing(self, read: Read, text: str) -> None:
        assert read(text, "VARCHAR", Kind.COUNT) is None

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2026-10-31", datetime(2026, 10, 31, tzinfo=UTC)),
            ("2026-10-31T12:00:00Z", datetime(2026, 10, 31, 12, tzinfo=UTC)),
            ("2026-10-31 12:00:00", datetime(2026, 10, 31, 12, tzinfo=UTC)),
            ("2026-10-31T12:00:00+02:00", datetime(2026, 10, 31, 10, tzinfo=UTC)),
            ("2026-10-31 12:00:00 UTC", datetime(2026, 10, 31, 12, tzinfo=UTC)),
            ("10/31/2026", None), ("5/1/25", None), ("2026-02-30", None), ("yesterday", None), ("20261031", None),
        ],
    )  # fmt: skip
    def test_a_moment_is_utc_unless_it_says_otherwise(self, read: Read, text: str, expected: datetime | None) -> None:
        assert read(text, "VARCHAR", Kind.INSTANT) == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2026-10-31 07:08:09.123456 UTC", datetime(2026, 10, 31, 7, 8, 9, 123456, tzinfo=UTC)),
            ("2026-10-31 UTC", None),
            (" UTC", None),
            ("2026-10-31 00:00:00+02 UTC", None),
        ],
    )
    def test_the_name_of_utc_is_read_as_its_offset(self, read: Read, text: str, expected: datetime | None) -> None:
        assert read(text, "VARCHAR", Kind.INSTANT) == expected

    def test_a_pattern_is_tried_where_the_text_is_not_iso(self, read: Read) -> None:
        assert read("10/31/2026", "VARCHAR", Kind.INSTANT, pattern="%m/%d/%Y") == datetime(2026, 10, 31, tzinfo=UTC)
        assert read("31/10/2026", "VARCHAR", Kind.INSTANT, pattern="%m/%d/%Y") is None

    @pytest.mark.parametrize(("text", "expected"), [("0", 1970), ("1790812800", 2026), ("x", None), ("", None)])
    def test_seconds_since_the_epoch(self, read: Read, text: str, expected: int | None) -> None:
        moment = read(text, "VARCHAR", Kind.EPOCH)
        assert (moment and moment.year) == expected

    def test_seconds_far_beyond_any_date_are_nothing(self, read: Read) -> None:
        assert read("99999999999999999", "VARCHAR", Kind.EPOCH) is None

    @pytest.mark.parametrize(
        ("text", "expected"), [('{"a": 1}', '{"a": 1}'), ("[]", "[]"), ("{a: 1}", None), ("", None)]
    )
    def test_json_is_whole_or_nothing(self, read: Read, text: str, expected: str | None) -> None:
        assert read(text, "VARCHAR", Kind.JSON) == expected

    def test_an_empty_text_is_nothing(self, read: Read) -> None:
        assert read("", "VARCHAR", Kind.TEXT) is None

    def test_records_are_typed_field_by_field(self, engine: duckdb.DuckDBPyConnection) -> None:
        column = Column("credits", Kind.RECORDS, fields={"name": Kind.TEXT, "amount": Kind.DECIMAL})
        sql = values.typed("v", "VARCHAR", column)
        text = '[{"name": "a", "amount": "0.123456789012345678", "more": 1}, {"name": "b"}]'
        found = engine.execute(f"SELECT {sql} FROM (SELECT ? AS v)", [text]).fetchone()
        assert found == (
            [{"name": "a", "amount": Decimal("0.123456789012345678")}, {"name": "b", "amount": None}],
        )  # fmt: skip

    def test_records_with_a_value_that_is_none_are_nothing(self, engine: duckdb.DuckDBPyConnection) -> None:
        column = Column("credits", Kind.RECORDS, fields={"name": Kind.TEXT, "amount": Kind.DECIMAL})
        sql = values.typed("v", "VARCHAR", column)
        found = engine.execute(f"SELECT {sql} FROM (SELECT ? AS v)", ['[{"name": "a", "amount": "x"}]']).fetchone()
        assert found == (None,)


class TestTypes:
    @pytest.mark.parametrize(
        ("type_", "fields"),
        [
            ("STRUCT(a VARCHAR, b INTEGER)", {"a": "VARCHAR", "b": "INTEGER"}),
            ("STRUCT(a STRUCT(x VARCHAR, y DECIMAL(38,9)), b INTEGER[])",
             {"a": "STRUCT(x VARCHAR, y DECIMAL(38,9))", "b": "INTEGER[]"}),
            ('STRUCT("a, b" VARCHAR, "end" DATE)', {"a, b": "VARCHAR", "end": "DATE"}),
            ("STRUCT(a VARCHAR)[]", {}),
            ("VARCHAR", {}),
        ],
    )  # fmt: skip
    def test_the_fields_of_a_struct(self, type_: str, fields: dict[str, str]) -> None:
        assert values.struct_fields(type_) == fields

    @slow
    @given(text=st.text(max_size=30).filter(lambda t: "\0" not in t))
    def test_a_literal_is_the_text(self, engine: duckdb.DuckDBPyConnection, text: str) -> None:
        assert engine.execute(f"SELECT {values.literal(text)}").fetchone() == (text,)

    @slow
    @given(name=st.text(min_size=1, max_size=30).filter(lambda t: "\0" not in t))
    def test_a_quoted_name_is_the_name(self, engine: duckdb.DuckDBPyConnection, name: str) -> None:
        columns = engine.execute(f"SELECT 1 AS {values.quoted(name)}").description or []
        assert [column[0] for column in columns] == [name]
