from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import cli
from connectors.errors import UnreadableFileError
from connectors.importing import import_files
from ledger.errors import SmallerLoadError
from ledger.lake import Lake
from ledger.remove import remove_source
from tests.ledgers import HEADER, line, write_bill, write_parquet
from tests.states import EMPTY, State, accounted, new_lake, rejects, sentences, state

FIRST = [line("1", f"2026-10-{day:02}") for day in range(1, 16)]
SECOND = [line("1", f"2026-10-{day:02}") for day in range(16, 32)]
NDJSON = '{"time": "2026-10-01T00:00:00Z", "provider": "x", "model": "m", "input_tokens": 7, "output_tokens": 1}\n'


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with new_lake(tmp_path) as opened:
        yield opened


def costs_page(day: int, amount: str) -> str:
    """A page of OpenAI's Costs API for one day of October 2026."""
    start = int(datetime(2026, 10, day, tzinfo=UTC).timestamp())
    result = '{"object": "organization.costs.result", "amount": {"value": %s, "currency": "usd"}, "line_item": null}'
    bucket = '{"object": "bucket", "start_time": %d, "end_time": %d, "results": [%s]}'
    return f'{{"object": "page", "data": [{bucket % (start, start + 86_400, result % amount)}], "has_more": false}}'


class TestOnce:
    def test_the_same_file_again_changes_nothing(self, lake: Lake, tmp_path: Path) -> None:
        file = write_bill(tmp_path / "a.csv", [*FIRST, line("x", "2026-10-02")])
        first = import_files(lake, [str(file)])[0]
        before, snapshot = state(lake), lake.snapshot()
        again = import_files(lake, [str(file)])[0]
        assert (first.unchanged, again.unchanged) == (False, True)
        assert (again.load_id, again.rows_in, again.rows_rejected) == (first.load_id, 16, 1)
        assert (again.billed_loaded, again.findings, again.periods) == (
            first.billed_loaded,
            first.findings,
            first.periods,
        )
        assert (state(lake), lake.snapshot()) == (before, snapshot)

    def test_a_copy_under_another_name_is_the_same_file(self, lake: Lake, tmp_path: Path) -> None:
        import_files(lake, [str(write_bill(tmp_path / "a.csv", FIRST))])
        assert import_files(lake, [str(write_bill(tmp_path / "b.csv", FIRST))])[0].unchanged

    def test_a_file_that_is_named_twice_is_read_once(self, lake: Lake, tmp_path: Path) -> None:
        file = write_bill(tmp_path / "a.csv", FIRST)
        loaded = import_files(lake, [str(file), str(tmp_path / "." / "a.csv"), str(tmp_path / "*.csv")])[0]
        assert (loaded.rows_in, loaded.billed_loaded) == (15, {"USD": Decimal(15)})

    def test_two_copies_in_one_command_are_read_once_and_said(self, lake: Lake, tmp_path: Path) -> None:
        for name, rows in (("a.csv", FIRST), ("b.csv", FIRST), ("c.csv", SECOND)):
            write_bill(tmp_path / name, rows)
        said = list[str]()
        loaded = import_files(lake, [str(tmp_path / f"{n}.csv") for n in "abc"], say=said.append)[0]
        assert "b.csv is a copy of a.csv; it was read once." in said
        assert sentences(loaded, "File.read") == ["b.csv is a copy of a.csv; it was read once."]
        assert (loaded.rows_in, loaded.billed_loaded) == (31, {"USD": Decimal(31)})
        sources = json.loads(lake.records("SELECT Sources FROM loads")[0]["Sources"])
        assert [source["name"] for source in sources] == ["a.csv", "c.csv"]
        assert import_files(lake, [str(tmp_path / f"{n}.csv") for n in "ac"])[0].unchanged

    def test_files_of_one_size_that_differ_are_both_read(self, lake: Lake, tmp_path: Path) -> None:
        files = [write_bill(tmp_path / f"{day}.csv", [line("1", f"2026-10-0{day}")]) for day in (1, 2)]
        assert import_files(lake, [str(f) for f in files])[0].rows_loaded == 2

    def test_rows_that_were_removed_are_loaded_again(self, lake: Lake, tmp_path: Path) -> None:
        file = write_bill(tmp_path / "a.csv", FIRST)
        import_files(lake, [str(file)])
        remove_source(lake, "file:focus")
        assert state(lake)[:4] == EMPTY[:4]
        assert not import_files(lake, [str(file)])[0].unchanged
        assert state(lake)[:4] == (15, Decimal(15), 15, Decimal(15))

    def test_rows_of_a_plain_table_that_were_removed_are_loaded_again(self, lake: Lake, tmp_path: Path) -> None:
        (tmp_path / "d.csv").write_text("date,name,value\n2026-10-01,requests,5\n")
        import_files(lake, [str(tmp_path / "d.csv")])
        assert import_files(lake, [str(tmp_path / "d.csv")])[0].unchanged
        remove_source(lake, "file:driver-file")
        assert not import_files(lake, [str(tmp_path / "d.csv")])[0].unchanged
        assert lake.records("SELECT count(*) AS n FROM drivers") == [{"n": 1}]

    def test_rows_that_another_format_of_the_source_replaced_are_loaded_again(self, lake: Lake, tmp_path: Path) -> None:
        file = write_bill(tmp_path / "a.csv", [line("1", "2026-10-01", account="openai")])
        (tmp_path / "costs.json").write_text(costs_page(1, "1"))
        first = import_files(lake, [str(file)], source="s")[0]
        with lake.lock(), lake.transaction() as cursor:
            cursor.execute("DELETE FROM charges")
            cursor.execute("DELETE FROM daily_spend")
        again = import_files(lake, [str(file)], source="s")[0]
        assert again.load_id != first.load_id
        assert state(lake)[:4] == (1, Decimal(1), 1, Decimal(1))

    def test_an_earlier_version_after_a_newer_one_is_loaded_anew(self, lake: Lake, tmp_path: Path) -> None:
        old = write_bill(tmp_path / "old.csv", FIRST)
        new = write_bill(tmp_path / "new.csv", [line("1.01", f"2026-10-{day:02}") for day in range(1, 16)])
        first, second = (import_files(lake, [str(f)])[0] for f in (old, new))
        third = import_files(lake, [str(old)])[0]
        assert third.replaced == (second.load_id,) != (first.load_id,)
        assert state(lake) == State(15, Decimal(15), 15, Decimal(15), 3, 0)

    def test_an_earlier_version_that_is_smaller_is_refused(self, lake: Lake, tmp_path: Path) -> None:
        old = write_bill(tmp_path / "old.csv", FIRST)
        import_files(lake, [str(old)])
        import_files(lake, [str(write_bill(tmp_path / "new.csv", [*FIRST, *SECOND]))])
        with pytest.raises(SmallerLoadError, match=r"the ledger holds 31 days and 31.0* USD, this load only 15 days"):
            import_files(lake, [str(old)])
        assert state(lake) == State(31, Decimal(31), 31, Decimal(31), 2, 0)


class TestHalves:
    def test_two_halves_of_a_period_in_one_command_are_one_load(self, lake: Lake, tmp_path: Path) -> None:
        files = [write_bill(tmp_path / "a.csv", FIRST), write_bill(tmp_path / "b.csv", SECOND)]
        (loaded,) = import_files(lake, [str(f) for f in files])
        assert (loaded.rows_in, loaded.periods) == (31, ("2026-10",))
        assert state(lake) == State(31, Decimal(31), 31, Decimal(31), 1, 0)

    def test_two_halves_one_after_the_other_are_refused_unless_told_to_replace(
        self, lake: Lake, tmp_path: Path
    ) -> None:
        import_files(lake, [str(write_bill(tmp_path / "b.csv", SECOND))])
        half = write_bill(tmp_path / "a.csv", FIRST)
        with pytest.raises(SmallerLoadError, match=r"import them together in one command.*repeat with --replace"):
            import_files(lake, [str(half)])
        assert state(lake) == State(16, Decimal(16), 16, Decimal(16), 1, 0)
        import_files(lake, [str(half)], force=True)
        assert state(lake) == State(15, Decimal(15), 15, Decimal(15), 2, 0)

    def test_days_that_are_missing_inside_a_period_are_named(self, lake: Lake, tmp_path: Path) -> None:
        days = (1, 2, 3, 5, 6, 10)
        file = write_bill(tmp_path / "a.csv", [line("1", f"2026-10-{day:02}") for day in days])
        (sentence,) = sentences(import_files(lake, [str(file)])[0], "Period.days")
        assert sentence == (
            "Account acct-1, billing period 2026-10: no usage on 2026-10-04, 2026-10-07..2026-10-09, although the load "
            "reaches from 2026-10-01 to 2026-10-10; a part of the bill may be missing."
        )

    def test_months_that_are_missing_are_named(self, lake: Lake, tmp_path: Path) -> None:
        file = write_bill(tmp_path / "a.csv", [line("1", f"2026-{month:02}-01") for month in (1, 2, 5, 7)])
        (sentence,) = sentences(import_files(lake, [str(file)])[0], "Period.days")
        assert sentence == (
            "Account acct-1: no billing period 2026-03, 2026-04, 2026-06 between 2026-01 and 2026-07; "
            "a part of the bill may be missing."
        )

    def test_a_month_to_date_is_whole(self, lake: Lake, tmp_path: Path) -> None:
        assert sentences(import_files(lake, [str(write_bill(tmp_path / "a.csv", FIRST))])[0], "Period.days") == []

    def test_an_empty_day_that_pages_cover_is_not_missing(self, lake: Lake, tmp_path: Path) -> None:
        empty = '{"object": "page", "data": [{"object": "bucket", "start_time": %d, "end_time": %d, "results": []}]}'
        start = int(datetime(2026, 10, 2, tzinfo=UTC).timestamp())
        (tmp_path / "a.json").write_text(costs_page(1, "1") + empty % (start, start + 86_400) + costs_page(3, "1"))
        (loaded,) = import_files(lake, [str(tmp_path / "a.json")])
        assert (loaded.rows_loaded, sentences(loaded, "Period.days")) == (2, [])


class TestShapes:
    def test_one_bill_in_every_shape(self, lake: Lake, tmp_path: Path) -> None:
        write_bill(tmp_path / "a.csv", [line("0.1", "2026-10-01")])
        (tmp_path / "b.csv.gz").write_bytes(gzip.compress(f"{HEADER}\n{line('0.2', '2026-10-02')}\n".encode()))
        third = zip(HEADER.split(","), line("0.3", "2026-10-03").split(","), strict=True)
        cells = ", ".join(f"'{value}' AS {name}" for name, value in third)
        write_parquet(tmp_path / "c.parquet", f"SELECT {cells}")
        pairs = dict(zip(HEADER.split(","), line("0.4", "2026-10-04").split(","), strict=True))
        (tmp_path / "d.ndjson").write_text(json.dumps(pairs) + "\n")
        (tmp_path / "e.jsonl.gz").write_bytes(gzip.compress(json.dumps(pairs | {"BilledCost": "0.5"}).encode()))
        names = ("a.csv", "b.csv.gz", "c.parquet", "d.ndjson", "e.jsonl.gz")
        (loaded,) = import_files(lake, [str(tmp_path / name) for name in names])
        assert (loaded.rows_loaded, loaded.billed_loaded) == (5, {"USD": Decimal("1.5")})

    def test_a_json_row_is_named_by_its_number(self, lake: Lake, tmp_path: Path) -> None:
        (tmp_path / "u.ndjson").write_text(NDJSON + NDJSON.replace('"m"', "null") + NDJSON.replace(": 7", ": 8"))
        (loaded,) = import_files(lake, [str(tmp_path / "u.ndjson")])
        assert (loaded.rows_in, loaded.rows_loaded, accounted(loaded)) == (3, 2, True)
        assert [row[:3] for row in rejects(lake)] == [("u.ndjson", 2, "model")]

    @pytest.mark.parametrize("packed", [False, True])
    def test_lines_keep_digits_that_a_double_would_lose(self, lake: Lake, tmp_path: Path, packed: bool) -> None:
        pairs = dict(zip(HEADER.split(","), line("AMOUNT", "2026-10-04").split(","), strict=True))
        template = json.dumps(pairs).replace('"AMOUNT"', "AMOUNT")
        amounts = ("98765432101234.123456789", "0.1", "7", "0.0012340000000000001")
        content = "".join(template.replace("AMOUNT", amount) + "\n" for amount in amounts).encode()
        (tmp_path / "d.ndjson").write_bytes(gzip.compress(content) if packed else content)
        (loaded,) = import_files(lake, [str(tmp_path / "d.ndjson")])
        assert loaded.rows_rejected == 0
        found = lake.records("SELECT BilledCost AS b FROM charges ORDER BY 1")
        assert [row["b"] for row in found] == [
            Decimal("0.001234000000000000"),
            Decimal("0.1"),
            Decimal(7),
            Decimal("98765432101234.123456789"),
        ]

    def test_pages_keep_every_digit(self, lake: Lake, tmp_path: Path) -> None:
        (tmp_path / "p.json").write_text(costs_page(1, "0.123456789012345678"))
        (loaded,) = import_files(lake, [str(tmp_path / "p.json")])
        assert loaded.billed_loaded == {"USD": Decimal("0.123456789012345678")}

    def test_a_folder_of_several_formats_is_a_load_for_each(self, lake: Lake, tmp_path: Path) -> None:
        folder = tmp_path / "bills"
        (folder / "deep" / "er").mkdir(parents=True)
        (folder / ".hidden").mkdir()
        write_bill(folder / "deep" / "er" / "a.csv", FIRST)
        write_bill(folder / ".hidden" / "b.csv", SECOND)
        write_bill(folder / "_b.csv", SECOND)
        (folder / "drivers.csv").write_text("date,name,value\n2026-10-01,requests,5\n")
        (folder / "costs.json").write_text(costs_page(1, "3"))
        (folder / "README.md").write_text("# Bills\n")
        loaded = {r.format: r.rows_loaded for r in import_files(lake, [str(folder)])}
        assert loaded == {"focus": 15, "driver-file": 1, "openai-costs": 1}

    def test_a_pattern_takes_what_it_matches(self, lake: Lake, tmp_path: Path) -> None:
        for name in ("oct-1.csv", "oct-2.csv", "nov-1.csv"):
            write_bill(tmp_path / name, [line("1", f"2026-10-0{len(name) - 7 + int(name[4])}")])
        assert import_files(lake, [str(tmp_path / "oct-?.csv")])[0].rows_loaded == 2

    def test_a_format_can_be_named(self, lake: Lake, tmp_path: Path) -> None:
        file = write_bill(tmp_path / "a.csv", FIRST)
        assert import_files(lake, [str(file)], format_name="focus")[0].format == "focus"


class TestManifests:
    def aws(self, folder: Path, *names: str) -> Path:
        """An export as it lies in a bucket, with a manifest that names `names`."""
        data, metadata = (folder / "exp" / kind / "BILLING_PERIOD=2026-10" for kind in ("data", "metadata"))
        data.mkdir(parents=True)
        metadata.mkdir(parents=True)
        files = [f"s3://bucket/prefix/exp/data/BILLING_PERIOD=2026-10/{name}" for name in names]
        (metadata / "exp-Manifest.json").write_text(json.dumps({"dataFiles": files, "columns": []}))
        return data

    def azure(self, folder: Path, run: str, submitted: str, rows: list[str] | None) -> None:
        """One run of an export with one file, which is absent where there are no rows."""
        place = folder / "exp" / "20261001-20261031" / run
        place.mkdir(parents=True)
        manifest: dict[str, Any] = {
            "exportConfig": {"exportName": "exp"},
            "runInfo": {"submittedTime": submitted, "startDate": "2026-10-01T00:00:00"},
            "blobs": [{"blobName": f"root/exp/20261001-20261031/{run}/part_0_0001.csv"}],
        }
        (place / "manifest.json").write_text(json.dumps(manifest))
        if rows is not None:
            write_bill(place / "part_0_0001.csv", rows)

    def test_an_aws_manifest_finds_its_files(self, lake: Lake, tmp_path: Path) -> None:
        data = self.aws(tmp_path, "a%20b-1.csv", "a-2.csv")
        write_bill(data / "a b-1.csv", FIRST)
        write_bill(data / "a-2.csv", SECOND)
        write_bill(data / "superseded.csv", FIRST)
        manifest = tmp_path / "exp/metadata/BILLING_PERIOD=2026-10/exp-Manifest.json"
        assert import_files(lake, [str(manifest)])[0].rows_loaded == 31

    def test_a_folder_with_manifests_takes_what_they_name_and_says_what_not(self, lake: Lake, tmp_path: Path) -> None:
        bills = tmp_path / "bills"
        data = self.aws(bills, "a-1.csv")
        write_bill(data / "a-1.csv", FIRST)
        stale = write_bill(data / "stale.csv", SECOND)
        (bills / "drivers.csv").write_text("date,name,value\n2026-10-01,requests,5\n")
        said = list[str]()
        loaded = {r.format: r.rows_loaded for r in import_files(lake, [str(bills)], say=said.append)}
        assert loaded == {"focus": 15, "driver-file": 1}
        assert f"{stale} is named by no current manifest of its export; it was left out." in said

    def test_a_manifest_that_names_a_file_which_is_not_there(self, lake: Lake, tmp_path: Path) -> None:
        write_bill(self.aws(tmp_path / "bills", "a-1.csv", "a-2.csv") / "a-1.csv", FIRST)
        with pytest.raises(UnreadableFileError, match=r"exp-Manifest\.json names a-2\.csv, which is not beside it"):
            import_files(lake, [str(tmp_path / "bills")])
        assert state(lake) == EMPTY

    def test_of_two_runs_of_an_export_the_newest_counts(self, lake: Lake, tmp_path: Path) -> None:
        self.azure(tmp_path / "c", "b-run", "2026-10-15T04:00:00", FIRST)
        self.azure(tmp_path / "c", "a-run", "2026-10-31T04:00:00", [*FIRST, *SECOND])
        said = list[str]()
        (loaded,) = import_files(lake, [str(tmp_path / "c")], say=said.append)
        assert (loaded.rows_in, loaded.billed_loaded) == (31, {"USD": Decimal(31)})
        assert any("b-run/manifest.json describes an older delivery" in sentence for sentence in said)

    def test_a_missing_part_is_not_taken_from_another_run(self, lake: Lake, tmp_path: Path) -> None:
        self.azure(tmp_path / "c", "a-run", "2026-10-31T04:00:00", None)
        write_bill(tmp_path / "c" / "part_0_0001.csv", FIRST)
        with pytest.raises(UnreadableFileError, match=r"manifest\.json names part_0_0001\.csv, which is not beside it"):
            import_files(lake, [str(tmp_path / "c")])
        assert state(lake) == EMPTY


class TestCommandLine:
    @pytest.fixture
    def run(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
        monkeypatch.setenv("SPENDPROOF_HOME", str(tmp_path / "home"))
        return lambda *arguments: CliRunner().invoke(cli.app, [str(a) for a in arguments])

    def test_a_summary_as_json(self, run: Any, tmp_path: Path) -> None:
        file = write_bill(tmp_path / "a.csv", [*FIRST, "too,few"])
        result = run("import", file, "--json")
        summary = json.loads(result.stdout)
        assert result.exit_code == 0
        assert {k: summary[k] for k in ("format", "rows_in", "rows_loaded", "rows_rejected", "rows_dropped")} == {
            "format": "focus",
            "rows_in": 16,
            "rows_loaded": 15,
            "rows_rejected": 1,
            "rows_dropped": 0,
        }
        assert Decimal(summary["billed_cost_loaded"]["USD"]) == 15
        again = json.loads(run("import", file, "--json").stdout)
        assert [load["unchanged"] for load in again["loads"]] == [True]
        (reject,) = json.loads(run("rejects", "--json").stdout)
        assert (reject["file"], reject["row"]) == ("a.csv", 16)

    @pytest.mark.parametrize(
        ("name", "content", "sentence"),
        [
            ("a.csv", b"", "Error: a.csv is empty; nothing was loaded from it."),
            ("a.csv", b"colour\nred\n", "Error: a.csv is in no format that is known (its columns: colour)."),
            ("a.parquet", b"PAR1", "Error: a.parquet is not a whole Parquet file (its end is missing)"),
            (
                "a.csv.gz",
                b"\x1f\x8b\x08\x00",
                "Error: a.csv.gz is a truncated or damaged gzip file; download it again.",
            ),
        ],
    )
    def test_one_sentence_and_status_one(
        self, run: Any, tmp_path: Path, name: str, content: bytes, sentence: str
    ) -> None:
        (tmp_path / name).write_bytes(content)
        result = run("import", tmp_path / name, "--json")
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith(sentence)
        assert result.stderr.count("\n") == 1
        assert json.loads(run("loads", "--json").stdout) == []

    def test_a_refused_load_says_how_to_go_on(self, run: Any, tmp_path: Path) -> None:
        run("import", write_bill(tmp_path / "a.csv", [*FIRST, *SECOND]))
        result = run("import", write_bill(tmp_path / "b.csv", FIRST))
        assert result.exit_code == 1
        assert "repeat with --replace" in result.stderr.splitlines()[-1]
        assert run("import", tmp_path / "b.csv", "--replace").exit_code == 0
