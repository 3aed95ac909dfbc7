from __future__ import annotations

import pytest

from connectors import focus
from connectors.errors import MissingColumnError, UnknownFormatError
from connectors.format import Format
from connectors.mapping import ledger_expression
from connectors.registry import format_of, formats, knows, named, recognised
from ledger.tables import TABLES

#: Some formats have the columns of another one and are taken only where `--format` names them.
BY_COLUMNS = [f for f in formats() if "(taken only by its name)" not in f.signature]


def text(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "VARCHAR")


def test_names_are_unique() -> None:
    names = [f.name for f in formats()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("format_", BY_COLUMNS, ids=lambda f: f.name)
def test_a_format_is_recognised_by_its_own_columns(format_: Format) -> None:
    assert recognised(text(*format_.signature)) is format_
    assert recognised(text(*format_.signature, "Something", "else")) is format_


@pytest.mark.parametrize("format_", formats(), ids=lambda f: f.name)
def test_a_format_fills_columns_that_its_table_has(format_: Format) -> None:
    known = {c.name for c in TABLES[format_.table]} | {"x_State", "x_BilledIn"}
    assert set(ledger_expression(format_).columns) <= known


def test_the_format_that_asks_for_most_wins() -> None:
    azure = text(*focus.SIGNATURE, *named("azure-focus").signature)
    found = recognised(azure)
    assert found is not None
    assert found.name == "azure-focus"


def test_case_does_not_matter() -> None:
    assert recognised(text(*(name.upper() for name in focus.SIGNATURE))) is focus.FORMAT


def test_columns_alone_tell_whether_a_format_is_known() -> None:
    assert knows(["date", "name", "value"])
    assert not knows(["date", "name"])
    assert not knows([])


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(UnknownFormatError, match=r"There is no format 'nope'; there are: .*aws-cur-2.*usage-file\."):
        named("nope")


def test_unknown_columns_are_told_with_the_nearest_format() -> None:
    with pytest.raises(UnknownFormatError) as caught:
        format_of("a.csv", text("date", "name", "colour"), None)
    assert str(caught.value).startswith(
        "a.csv is in no format that is known (its columns: date, name, colour). It comes nearest to Business driver "
        "file, which also has value. If you know its format, name it with --format: anthropic-cost, "
    )


def test_a_file_without_columns_has_no_nearest_format() -> None:
    with pytest.raises(UnknownFormatError, match=r"\(its columns: none\)\. If you know"):
        format_of("a.csv", {}, None)


def test_a_missing_column_is_named() -> None:
    columns = focus.INDISPENSABLE - {"BillingAccountId", "BillingPeriodEnd"}
    with pytest.raises(MissingColumnError, match="has no column BillingAccountId, BillingPeriodEnd"):
        format_of("a.csv", text(*columns), None)


def test_a_forced_format_is_taken_where_its_columns_are_there() -> None:
    layout = text(*focus.INDISPENSABLE)
    assert format_of("a.csv", layout, focus.FORMAT) is focus.FORMAT
    with pytest.raises(MissingColumnError, match="looks like Business driver file but has no column date"):
        format_of("a.csv", layout, named("driver-file"))
