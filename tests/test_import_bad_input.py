from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from decimal import Context, Decimal
from pathlib import Path

import pytest

from connectors import importing
from connectors.errors import (
    MissingColumnError,
    SourceNameError,
    UnknownFormatError,
    UnreadableFileError,
)
from connectors.importing import import_files
from ledger.errors import LoadError, OverlappingLoadError
from ledger.lake import Lake
from ledger.staging import Incoming, Staged
from tests.ledgers import HEADER, line, write_bill, write_parquet
from tests.states import State, accounted, new_lake, rejects, sentences, state

SEPARATOR = "has a thousands separator or a decimal comma; export plain numbers such as 1234.50"
GOOD = line("1.5", "2026-10-01")
LATER = line("2.5", "2026-10-02")
COLUMNS = HEADER.split(",")


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with new_lake(tmp_path) as opened:
        yield opened


def with_value(column: str, value: str, cost: str = "9") -> str:
    """A line of a bill with one value of it changed."""
    values = line(cost, "2026-10-03").split(",")
    values[COLUMNS.index(column)] = value
    return ",".join(values)


def exactly(*amounts: Decimal) -> Decimal:
    """A sum to its last digit: Decimal's own arithmetic stops at 28."""
    return sum(amounts, Decimal(0)) if len(amounts) < 2 else Context(prec=60).add(amounts[0], exactly(*amounts[1:]))


def charge(cost: str = "1.5::DECIMAL(38,18)", day: str = "TIMESTAMPTZ '2026-10-01 00:00:00Z'") -> str:
    """A Parquet charge of an October bill as SQL; `{n}` may stand for a row number."""
    return (
        f"{cost} AS BilledCost, {cost} AS EffectiveCost, 'acct-1' AS BillingAccountId, 'USD' AS BillingCurrency, "
        "TIMESTAMPTZ '2026-10-01 00:00:00Z' AS BillingPeriodStart, "
        "TIMESTAMPTZ '2026-11-01 00:00:00Z' AS BillingPeriodEnd, "
        f"{day} AS ChargePeriodStart, {day} + INTERVAL 1 DAY AS ChargePeriodEnd, 'Usage' AS ChargeCategory, "
        "'Compute' AS ServiceName, 'Acme' AS ProviderName"
    )


def refused(lake: Lake, error: type[Exception], sentence: str, *names: Path | str, **options: str) -> None:
    """The import is refused with a sentence, and the ledger is as it was."""
    before = state(lake)
    with pytest.raises(error) as caught:
        import_files(lake, [str(name) for name in names], **options)
    assert re.search(sentence, str(caught.value)), str(caught.value)
    assert state(lake) == before
    assert not [f for f in lake.address.staging.iterdir() if not f.name.startswith("spill-")]


class TestDamagedFiles:
    @pytest.mark.parametrize("keep", [0.3, 0.7, 0.999])
    def test_a_truncated_gzip_is_refused_wherever_it_was_cut(self, lake: Lake, tmp_path: Path, keep: float) -> None:
        packed = gzip.compress(_many(30_000).encode())
        file = tmp_path / "bill.csv.gz"
        file.write_bytes(packed[: int(len(packed) * keep)])
        refused(lake, UnreadableFileError, r"bill\.csv\.gz is a truncated or damaged gzip file", file)

    def test_a_gzip_with_a_wrong_checksum_is_refused(self, lake: Lake, tmp_path: Path) -> None:
        packed = bytearray(gzip.compress(_many(100).encode()))
        packed[-6] ^= 0xFF
        (tmp_path / "bill.csv.gz").write_bytes(packed)
        refused(lake, UnreadableFileError, "truncated or damaged gzip", tmp_path / "bill.csv.gz")

    def test_a_gzip_of_several_members_is_whole(self, lake: Lake, tmp_path: Path) -> None:
        (tmp_path / "bill.csv.gz").write_bytes(
            gzip.compress(f"{HEADER}\n{GOOD}\n".encode()) + gzip.compress(f"{LATER}\n".encode())
        )
        loaded = import_files(lake, [str(tmp_path / "bill.csv.gz")])[0]
        assert (loaded.rows_loaded, loaded.billed_loaded) == (2, {"USD": Decimal(4)})

    @pytest.mark.parametrize("keep", [0.5, 0.9])
    def test_a_truncated_parquet_file(self, lake: Lake, tmp_path: Path, keep: float) -> None:
        file = write_parquet(tmp_path / "bill.parquet", f"SELECT {charge()} FROM range(5000)")
        file.write_bytes(file.read_bytes()[: int(file.stat().st_size * keep)])
        refused(lake, UnreadableFileError, r"bill\.parquet is not a whole Parquet file \(its end is missing\)", file)

    def test_a_parquet_file_that_is_none(self, lake: Lake, tmp_path: Path) -> None:
        (tmp_path / "bill.parquet").write_text("nonsense\n")
        refused(lake, UnreadableFileError, r"bill\.parquet is not a Parquet file although", tmp_path / "bill.parquet")

    def test_a_parquet_file_damaged_in_the_middle(self, lake: Lake, tmp_path: Path) -> None:
        whole = write_parquet(tmp_path / "a.parquet", f"SELECT {charge()} FROM range(10)")
        file = write_parquet(
            tmp_path / "b.parquet",
            f"SELECT md5(i::VARCHAR) AS ChargeDescription, {charge('(i / 7)::DECIMAL(18,9)')} FROM range(20000) t(i)",
        )
        content = bytearray(file.read_bytes())
        content[200:60_000] = bytes(59_800)
        file.write_bytes(content)
        refused(lake, UnreadableFileError, r"^b\.parquet is damaged .*Nothing was loaded\.$", whole, file)

    def test_truncated_pages(self, lake: Lake, tmp_path: Path) -> None:
        (tmp_path / "costs.json").write_text('{"object": "page", "data": [{"object": "bucket", "start_time": 17')
        refused(lake, UnreadableFileError, r"costs\.json is not complete JSON", tmp_path / "costs.json")

    def test_truncated_lines_of_json(self, lake: Lake, tmp_path: Path) -> None:
        (tmp_path / "u.ndjson").write_text(
            '{"time": "2026-10-01T00:00:00Z", "provider": "x", "model": "m"}\n{"time": "2'
        )
        refused(lake, UnreadableFileError, r"u\.ndjson, line 2 is not whole JSON", tmp_path / "u.ndjson")

    def test_an_empty_file(self, lake: Lake, tmp_path: Path) -> None:
        (tmp_path / "bill.csv").write_text("")
        (tmp_path / "bill.csv.gz").write_bytes(gzip.compress(b""))
        refused(lake, UnreadableFileError, r"bill\.csv is empty; nothing was loaded", tmp_path / "bill.csv")
        refused(lake, UnreadableFileError, r"bill\.csv\.gz is empty", tmp_path / "bill.csv.gz")

    def test_a_header_without_rows(self, lake: Lake, tmp_path: Path) -> None:
        file = write_bill(tmp_path / "bill.csv", [])
        refused(lake, UnreadableFileError, r"bill\.csv: there is no row under the header of FOCUS", file)

    def test_a_header_without_rows_beside_a_file_with_rows(self, lake: Lake, tmp_path: Path) -> None:
        files = [write_bill(tmp_path / "a.csv", []), write_bill(tmp_path / "b.csv", [GOOD])]
        assert import_files(lake, [str(f) for f in files])[0].rows_loaded == 1

    @pytest.mark.parametrize(
        "content", [b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", b"PK\x03\x04\x14\x00\x06\x00\x08\x00"]
    )
    def test_something_else_altogether(self, lake: Lake, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "bill.csv").write_bytes(content)
        refused(lake, UnreadableFileError, r"bill\.csv is not a bill in a format this product", tmp_path / "bill.csv")

    def test_a_file_that_changes_while_it_is_read(
        self, lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = write_bill(tmp_path / "bill.csv", [GOOD])
        meddle(monkeypatch, lambda: write_bill(file, [GOOD, LATER]))
        refused(lake, UnreadableFileError, r"bill\.csv changed while it was read; nothing was loaded", file)

    def test_a_file_that_is_replaced_while_it_is_read(
        self, lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = write_bill(tmp_path / "bill.csv", [GOOD])
        meddle(monkeypatch, lambda: write_bill(tmp_path / "new", [GOOD]).replace(file))
        refused(lake, UnreadableFileError, r"bill\.csv changed while it was read", file)

    def test_a_file_that_goes_while_it_is_read(
        self, lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = write_bill(tmp_path / "bill.csv", [GOOD])
        meddle(monkeypatch, file.unlink)
        refused(lake, UnreadableFileError, r"bill\.csv changed while it was read", file)


def meddle(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Change a file between its being read and its load's being committed."""
    stage = importing.stage

    def staged_then_changed(cursor: object, incoming: Incoming, folder: Path) -> Staged:
        staged = stage(cursor, incoming, folder)  # pyright: ignore[reportArgumentType]
        change()
        return staged

    monkeypatch.setattr(importing, "stage", staged_then_changed)


def _many(count: int) -> str:
    return "\n".join([HEADER, *(line(f"{n}.25", f"2026-10-{n % 28 + 1:02}") for n in range(count))]) + "\n"


class TestNames:
    def test_a_file_that_is_not_there(self, lake: Lake, tmp_path: Path) -> None:
        refused(lake, UnreadableFileError, r"There is no file .*nowhere\.csv; check the path", tmp_path / "nowhere.csv")

    def test_a_pattern_that_matches_nothing(self, lake: Lake, tmp_path: Path) -> None:
        refused(lake, UnreadableFileError, r"No file matches .*\*\.csv; check the path", tmp_path / "*.csv")

    def test_a_folder_without_a_bill(self, lake: Lake, tmp_path: Path) -> None:
        (tmp_path / "photos").mkdir()
        (tmp_path / "photos" / "a.jpg").write_bytes(b"x")
        refused(lake, UnreadableFileError, r"The folder .*photos holds no bill", tmp_path / "photos")

    def test_a_device_is_no_file(self, lake: Lake) -> None:
        refused(lake, UnreadableFileError, "/dev/null is neither a file nor a folder", "/dev/null")

    def test_one_bad_file_of_several_stops_all(self, lake: Lake, tmp_path: Path) -> None:
        good = write_bill(tmp_path / "a.csv", [GOOD])
        (tmp_path / "b.csv").write_text("")
        refused(lake, UnreadableFileError, r"b\.csv is empty", good, tmp_path / "b.csv")

    def test_a_source_with_a_quote_in_its_name(self, lake: Lake, tmp_path: Path) -> None:
        file = write_bill(tmp_path / "a.csv", [GOOD])
        refused(lake, SourceNameError, r"cannot be the name of a source", file, source="o'brien")
        assert import_files(lake, [str(file)], source="o.brien @work")[0].connection == "file:o.brien @work"

    @pytest.mark.parametrize(
        "name", ["o'brien's bill.csv", "bill [1].csv", "a*b?.csv", "Rechnung Größe 中.csv", "{a,b}.csv"]
    )
    def test_odd_names_of_files(self, lake: Lake, tmp_path: Path, name: str) -> None:
        write_bill(tmp_path / "bill 1.csv", [line("100", "2026-10-05")])
        write_bill(tmp_path / "axby.csv", [line("100", "2026-10-05")])
        loaded = import_files(lake, [str(write_bill(tmp_path / name, [GOOD, with_value("BilledCost", "x")]))])[0]
        assert loaded.billed_loaded == {"USD": Decimal("1.5")}
        assert rejects(lake) == [(name, 2, "BilledCost", "x", "is not a number")]

    def test_two_files_of_one_name_are_told_apart(self, lake: Lake, tmp_path: Path) -> None:
        for folder, rows in (("one", [GOOD]), ("two", [LATER, with_value("BilledCost", "x")])):
            (tmp_path / folder).mkdir()
            write_bill(tmp_path / folder / "part.csv", rows)
        loaded = import_files(lake, [str(tmp_path / "one/part.csv"), str(tmp_path / "two/part.csv")])[0]
        assert loaded.rows_loaded == 2
        assert [row[:2] for row in rejects(lake)] == [(str(tmp_path / "two/part.csv"), 2)]


class TestFormats:
    def test_a_format_that_does_not_exist(self, lake: Lake, tmp_path: Path) -> None:
        file = write_bill(tmp_path / "a.csv", [GOOD])
        refused(lake, UnknownFormatError, r"There is no format 'aws'; there are: .*focus", file, format_name="aws")

    def test_a_format_that_does_not_fit(self, lake: Lake, tmp_path: Path) -> None:
        file = write_bill(tmp_path / "a.csv", [GOOD])
        refused(
            lake,
            MissingColumnError,
            r"a\.csv .*Google Cloud.* has no column .*nothing was loaded",
            file,
            format_name="gcp-billing-standard",
        )

    def test_columns_of_no_known_format(self, lake: Lake, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("BilledCost,EffectiveCost,colour\n1,1,red\n")
        refused(
            lake,
            UnknownFormatError,
            r"a\.csv is in no format .*BilledCost, EffectiveCost, colour.*FOCUS",
            tmp_path / "a.csv",
        )

    def test_a_mandatory_column_that_is_missing(self, lake: Lake, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text(f"{HEADER}\n{GOOD}\n".replace("BillingPeriodStart,", "Other,"))
        refused(
            lake,
            MissingColumnError,
            r"a\.csv looks like FOCUS.* but has no column BillingPeriodStart",
            tmp_path / "a.csv",
        )

    def test_an_extra_column_is_named(self, lake: Lake, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text(f"{HEADER},Colour\n{GOOD},red\n")
        loaded = import_files(lake, [str(tmp_path / "a.csv")])[0]
        assert sentences(loaded, "Columns.unused") == ["Columns that the ledger does not keep: Colour."]

    def test_a_needed_column_that_stands_twice(self, lake: Lake, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text(f"{HEADER},BilledCost\n{GOOD},7\n")
        refused(lake, UnreadableFileError, r"a\.csv has the column BilledCost more than once", tmp_path / "a.csv")

    def test_a_column_that_nobody_needs_may_stand_twice(self, lake: Lake, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text(f"{HEADER},Note,note\n{GOOD},7,8\n")
        assert import_files(lake, [str(tmp_path / "a.csv")])[0].rows_loaded == 1


class TestText:
    @pytest.mark.parametrize(("delimiter", "shown"), [(";", "';'"), ("\t", r"'\\t'"), ("|", "'|'")])
    def test_another_delimiter_is_read_and_said(self, lake: Lake, tmp_path: Path, delimiter: str, shown: str) -> None:
        (tmp_path / "a.csv").write_text(f"{HEADER}\n{GOOD}\n".replace(",", delimiter))
        loaded = import_files(lake, [str(tmp_path / "a.csv")])[0]
        assert sentences(loaded, "File.read") == [
            f"a.csv was read with {shown.replace(chr(92) * 2, chr(92))} between its columns."
        ]
        assert loaded.billed_loaded == {"USD": Decimal("1.5")}

    def test_rows_with_another_delimiter_than_the_header(self, lake: Lake, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text(f"{HEADER}\n{GOOD.replace(',', ';')}\n")
        refused(lake, LoadError, r"No row of a\.csv .*row 1.*fewer columns than the header", tmp_path / "a.csv")

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
    def test_a_byte_order_mark(self, lake: Lake, tmp_path: Path, encoding: str) -> None:
        (tmp_path / "a.csv").write_bytes(f"{HEADER}\n{GOOD.replace('charge', 'é')}\n".encode(encoding))
        assert import_files(lake, [str(tmp_path / "a.csv")])[0].billed_loaded == {"USD": Decimal("1.5")}
        assert lake.records("SELECT ChargeDescription AS d FROM charges") == [{"d": "é"}]

    def test_big_endian_text_is_refused(self, lake: Lake, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(b"\xfe\xff" + f"{HEADER}\n{GOOD}\n".encode("utf-16-be"))
        refused(
            lake,
            UnreadableFileError,
            r"a\.csv is UTF-16 text in big-endian order; save it as UTF-8",
            tmp_path / "a.csv",
        )

    def test_lines_that_end_as_on_windows(self, lake: Lake, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(f"{HEADER}\r\n{GOOD}\r\n{LATER}\r\n".encode())
        loaded = import_files(lake, [str(tmp_path / "a.csv")])[0]
        assert (loaded.rows_loaded, loaded.rows_rejected) == (2, 0)
        assert lake.records("SELECT DISTINCT PricingUnit AS u FROM charges") == [{"u": "Hours"}]

    def test_a_gzip_without_its_ending_and_an_ending_without_gzip(self, lake: Lake, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(gzip.compress(f"{HEADER}\n{GOOD}\n".encode()))
        (tmp_path / "b.csv.gz").write_text(f"{HEADER}\n{LATER}\n")
        loaded = import_files(lake, [str(tmp_path / "a.csv"), str(tmp_path / "b.csv.gz")])[0]
        assert loaded.billed_loaded == {"USD": Decimal(4)}

    def test_bytes_that_are_not_utf_8_cost_their_row_only(self, lake: Lake, tmp_path: Path) -> None:
        content = f"{HEADER}\n{GOOD}\n{with_value('ChargeDescription', 'Größe')}\n{LATER}\n"
        (tmp_path / "a.csv").write_bytes(content.encode("latin-1"))
        loaded = import_files(lake, [str(tmp_path / "a.csv")])[0]
        assert (loaded.rows_in, loaded.rows_loaded, loaded.rows_rejected) == (3, 2, 1)
        assert [(*row[:3], row[4]) for row in rejects(lake)] == [
            ("a.csv", 2, "ChargeDescription", "the line is not UTF-8 text; export the file as UTF-8")
        ]
        assert state(lake)[:4] == (2, Decimal(4), 2, Decimal(4))

    def test_rows_are_counted_as_records_not_as_lines(self, lake: Lake, tmp_path: Path) -> None:
        rows = [
            GOOD.replace("charge", '"two\nlines and ""quotes"""'),
            "too,few",
            with_value("BilledCost", "abc"),
            LATER + ",surplus",
            LATER,
            with_value("EffectiveCost", "1.2.3"),
        ]
        loaded = import_files(lake, [str(write_bill(tmp_path / "a.csv", rows))])[0]
        assert (loaded.rows_in, loaded.rows_loaded, loaded.rows_rejected) == (6, 2, 4)
        assert [(row[1], row[2], row[4]) for row in rejects(lake)] == [
            (2, "ListCost", "the line has fewer columns than the header"),
            (3, "BilledCost", "is not a number"),
            (4, None, "the line has more columns than the header"),
            (6, "EffectiveCost", "is not a number"),
        ]
        assert lake.records("SELECT ChargeDescription AS d FROM charges WHERE d LIKE 'two%'") == [
            {"d": 'two\nlines and "quotes"'}
        ]

    def test_the_reader_s_rejects_of_several_files_are_kept_apart(self, lake: Lake, tmp_path: Path) -> None:
        files = [write_bill(tmp_path / f"{name}.csv", [day, "too,few"]) for name, day in (("a", GOOD), ("b", LATER))]
        loaded = import_files(lake, [str(f) for f in files])[0]
        assert (loaded.rows_in, loaded.rows_loaded, loaded.rows_rejected) == (4, 2, 2)
        assert [row[:2] for row in rejects(lake)] == [("a.csv", 2), ("b.csv", 2)]

    def test_a_quote_that_is_never_closed_is_refused(self, lake: Lake, tmp_path: Path) -> None:
        file = write_bill(tmp_path / "a.csv", [GOOD, with_value("ChargeDescription", '"open'), *[LATER] * 50])
        refused(lake, UnreadableFileError, r"a\.csv, row 2: a quote is not closed.*Nothing was loaded", file)

    def test_a_quote_that_a_later_row_closes_is_refused(self, lake: Lake, tmp_path: Path) -> None:
        quoted = LATER.replace("charge", '"charge"')
        file = write_bill(tmp_path / "a.csv", [GOOD, with_value("ChargeDescription", '"open'), *[quoted] * 5])
        refused(lake, UnreadableFileError, r"a\.csv, row 2: a quote is not closed", file)

    def test_a_cell_of_a_hundred_thousand_characters(self, lake: Lake, tmp_path: Path) -> None:
        file = write_bill(
            tmp_path / "a.csv", [GOOD.replace("charge", "x" * 100_000), with_value("BilledCost", "9" * 100_000)]
        )
        loaded = import_files(lake, [str(file)])[0]
        assert loaded.rows_loaded == 1
        assert lake.records("SELECT length(ChargeDescription) AS n FROM charges") == [{"n": 100_000}]
        assert [(row[1], row[2], len(row[3])) for row in rejects(lake)] == [(2, "BilledCost", 200)]

    def test_a_formula_in_a_tag_stays_what_it_is(self, lake: Lake, tmp_path: Path) -> None:
        formula = "=HYPERLINK(\"http://x\";1)+cmd|' /C calc'!A0"
        cell = '"{""team"": ""' + formula.replace('"', '\\""') + '""}"'
        (tmp_path / "a.csv").write_text(f"{HEADER},Tags\n{GOOD},{cell}\n")
        import_files(lake, [str(tmp_path / "a.csv")])
        assert lake.records("SELECT Tags->>'$.team' AS t FROM charges") == [{"t": formula}]


class TestValues:
    @pytest.mark.parametrize(
        ("column", "value", "reason"),
        [
            ("BilledCost", '"1,234.50"', SEPARATOR),
            ("BilledCost", "12 USD", "is not a number"),
            ("BilledCost", "NaN", "is not a number"),
            ("BilledCost", "1_000", "is not a number"),
            ("BilledCost", "0.1234567890123456789", "has more than 18 decimal places, which would be lost"),
            ("BilledCost", "1e-19", "has more than 18 decimal places, which would be lost"),
            ("BilledCost", "NULL", "is empty, and a row means nothing without it"),
            ("BilledCost", "", "is empty, and a row means nothing without it"),
            ("BilledCost", '""', "is empty, and a row means nothing without it"),
            ("BillingAccountId", "", "is empty, and a row means nothing without it"),
            ("BillingCurrency", "NULL", "is empty, and a row means nothing without it"),
            ("ListCost", "n/a", "is not a number"),
            ("ChargePeriodStart", "10/31/2026", "is not a date or time such as 2026-10-31 or 2026-10-31T00:00:00Z"),
            ("ChargePeriodStart", "2026-13-01", "is not a date or time such as 2026-10-31 or 2026-10-31T00:00:00Z"),
        ],
    )  # fmt: skip
    def test_a_value_that_cannot_be_taken_costs_its_row_only(
        self, lake: Lake, tmp_path: Path, column: str, value: str, reason: str
    ) -> None:
        file = write_bill(tmp_path / "a.csv", [GOOD, with_value(column, value), LATER])
        loaded = import_files(lake, [str(file)])[0]
        assert accounted(loaded)
        assert (loaded.rows_in, loaded.rows_rejected) == (3, 1)
        written = None if value in {"", "NULL", '""'} else value.strip('"')
        assert rejects(lake) == [("a.csv", 2, column, written, reason)]
        assert state(lake) == State(2, Decimal(4), 2, Decimal(4), 1, 1)
        assert loaded.billed_loaded == {"USD": Decimal(4)}

    @pytest.mark.parametrize(
        ("written", "amount"),
        [
            ("1.5e3", "1500"), ("2E-7", "0.0000002"), ("-0.01", "-0.01"), ("+7", "7"), (".5", "0.5"),
            (" 3.25 ", "3.25"), ("1e-18", "0.000000000000000001"), ("12345678901234567890.123456789012345678",) * 2,
            ("0.100000000000000000000", "0.1"),
        ],
    )  # fmt: skip
    def test_numbers_that_are_written_oddly(self, lake: Lake, tmp_path: Path, written: str, amount: str) -> None:
        file = write_bill(tmp_path / "a.csv", [line("0.5", "2026-10-01"), line(written, "2026-10-02")])
        loaded = import_files(lake, [str(file)])[0]
        billed = exactly(Decimal(amount), Decimal("0.5"))
        assert loaded.billed_in == loaded.billed_loaded == {"USD": billed}
        assert state(lake)[:4] == (2, billed, 2, billed)

    def test_null_as_text_is_nothing(self, lake: Lake, tmp_path: Path) -> None:
        rows = [GOOD.replace("Hours", word) for word in ("NULL", "null", r"\N", "")]
        import_files(lake, [str(write_bill(tmp_path / "a.csv", rows))])
        assert lake.records("SELECT count(*) AS n, count(PricingUnit) AS u FROM charges") == [{"n": 4, "u": 0}]

    def test_currencies_are_kept_apart(self, lake: Lake, tmp_path: Path) -> None:
        file = write_bill(tmp_path / "a.csv", [GOOD, line("7", "2026-10-02", currency="EUR")])
        loaded = import_files(lake, [str(file)])[0]
        assert loaded.billed_loaded == {"USD": Decimal("1.5"), "EUR": Decimal(7)}
        assert sentences(loaded, "Currency.several") == [
            "The bill is in several currencies (EUR, USD); they are kept apart."
        ]

    def test_a_currency_in_lower_case_is_noticed(self, lake: Lake, tmp_path: Path) -> None:
        loaded = import_files(lake, [str(write_bill(tmp_path / "a.csv", [line("7", "2026-10-02", currency="usd")]))])[0]
        assert sentences(loaded, "BillingCurrency.code") == ["Charges whose currency is no three-letter code: 1."]
        assert loaded.billed_loaded == {"usd": Decimal(7)}

    def test_what_rejected_rows_held_is_the_difference(self, lake: Lake, tmp_path: Path) -> None:
        file = write_bill(tmp_path / "a.csv", [GOOD, with_value("ListCost", "x", cost="9"), LATER])
        loaded = import_files(lake, [str(file)])[0]
        assert (loaded.billed_in, loaded.billed_loaded) == ({"USD": Decimal(13)}, {"USD": Decimal(4)})

    def test_times_without_a_zone_are_utc_and_said(self, lake: Lake, tmp_path: Path) -> None:
        file = write_bill(tmp_path / "a.csv", [GOOD.replace("T00:00:00Z", " 00:00:00")])
        loaded = import_files(lake, [str(file)])[0]
        (sentence,) = sentences(loaded, "File.zone")
        assert sentence == (
            "Times without a zone were read as UTC: BillingPeriodEnd, BillingPeriodStart, ChargePeriodEnd, "
            "ChargePeriodStart (in a.csv, BillingPeriodEnd says '2026-11-01 00:00:00')."
        )
        start = lake.records("SELECT epoch(ChargePeriodStart)::BIGINT AS e FROM charges")
        assert start == [{"e": 1_790_812_800}]

    @pytest.mark.parametrize("zone", ["Z", "+00:00", "+0000", "+00", " UTC"])
    def test_times_with_a_zone_need_no_word(self, lake: Lake, tmp_path: Path, zone: str) -> None:
        file = write_bill(tmp_path / "a.csv", [GOOD.replace("00Z", f"00{zone}")])
        loaded = import_files(lake, [str(file)])[0]
        assert (loaded.rows_loaded, sentences(loaded, "File.zone")) == (1, [])

    def test_all_rows_bad_is_refused(self, lake: Lake, tmp_path: Path) -> None:
        file = write_bill(tmp_path / "a.csv", [with_value("BilledCost", "x")] * 3)
        refused(
            lake, LoadError,
            r"No row of a\.csv could be taken as focus; nothing was loaded\. "
            r"The first: row 1, column BilledCost: is not a number",
            file,
        )  # fmt: skip

    def test_a_value_beyond_the_sample_that_needs_more_digits(self, lake: Lake, tmp_path: Path) -> None:
        rows = [line("0.25", f"2026-10-{n % 28 + 1:02}") for n in range(20_050)]
        rows += [line("0.123456789012345678", "2026-10-05"), "too,few", line("98765432101234.5", "2026-10-06")]
        loaded = import_files(lake, [str(write_bill(tmp_path / "a.csv", rows))])[0]
        billed = exactly(Decimal("5012.5"), Decimal("0.123456789012345678"), Decimal("98765432101234.5"))
        assert (loaded.rows_in, loaded.rows_loaded, loaded.rows_rejected) == (20_053, 20_052, 1)
        assert loaded.billed_loaded == {"USD": billed}
        assert state(lake) == State(20_052, billed, 20_052, billed, 1, 1)
        assert rejects(lake)[0][:2] == ("a.csv", 20_052)

    @pytest.mark.parametrize(
        "amount", ["0.1234567890123456", "1234567.890123456", "0.10000000000000002", "123456789.12345678"]
    )
    def test_money_that_a_parquet_file_holds_as_double(self, lake: Lake, tmp_path: Path, amount: str) -> None:
        file = write_parquet(tmp_path / "a.parquet", f"SELECT {charge(f'{amount}::DOUBLE')}")
        import_files(lake, [str(file)])
        assert lake.records("SELECT BilledCost AS b FROM charges") == [{"b": Decimal(amount)}]

    def test_a_parquet_row_is_named_by_its_number(self, lake: Lake, tmp_path: Path) -> None:
        cost = "CASE WHEN i = 3 THEN NULL WHEN i = 6 THEN (1/0.0)::DOUBLE ELSE i::DOUBLE END"
        file = write_parquet(tmp_path / "a.parquet", f"SELECT {charge(cost)} FROM range(8) t(i)")
        loaded = import_files(lake, [str(file)])[0]
        assert (loaded.rows_in, loaded.rows_loaded, loaded.rows_rejected) == (8, 6, 2)
        assert [row[:3] for row in rejects(lake)] == [("a.parquet", 4, "BilledCost"), ("a.parquet", 7, "BilledCost")]


class TestAnotherSource:
    def test_the_same_account_and_day_is_refused(self, lake: Lake, tmp_path: Path) -> None:
        import_files(lake, [str(write_bill(tmp_path / "a.csv", [GOOD]))], source="one")
        again = write_bill(tmp_path / "b.csv", [line("3", "2026-10-01")])
        refused(
            lake, OverlappingLoadError,
            r"charges of account acct-1 from 2026-10-01 to 2026-10-01 from the source file:one already"
            r".*--remove-source file:one",
            again, source="two",
        )  # fmt: skip

    def test_it_is_refused_where_the_rows_name_no_provider_too(self, lake: Lake, tmp_path: Path) -> None:
        nameless = GOOD.replace(",Acme,Acme,", ",,,")
        import_files(lake, [str(write_bill(tmp_path / "a.csv", [nameless]))], source="one")
        refused(lake, OverlappingLoadError, "account acct-1", write_bill(tmp_path / "b.csv", [nameless]), source="two")

    def test_what_was_loaded_before_the_refusal_is_said(self, lake: Lake, tmp_path: Path) -> None:
        import_files(lake, [str(write_bill(tmp_path / "a.csv", [GOOD]))], source="one")
        (tmp_path / "drivers.csv").write_text("date,name,value\n2026-10-01,requests,5\n")
        other = write_bill(tmp_path / "b.csv", [GOOD])
        with pytest.raises(
            OverlappingLoadError, match=r"The other files of this command are in the ledger: driver-file \(load "
        ):
            import_files(lake, [str(tmp_path / "drivers.csv"), str(other)], source="two")
        assert lake.records("SELECT count(*) AS n FROM drivers") == [{"n": 1}]
        assert state(lake)[:4] == (1, Decimal("1.5"), 1, Decimal("1.5"))
