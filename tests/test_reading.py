from __future__ import annotations

import gzip
import json
from pathlib import Path

import duckdb
import pytest

from connectors.errors import UnreadableFileError
from connectors.files import Fingerprint, digests, shown
from connectors.manifests import newest, read_manifest
from connectors.reading import Part, Shape, expand, explain, open_part, union


def known(columns: object) -> bool:
    return columns == ["a", "b"]


def opened(con: duckdb.DuckDBPyConnection, path: Path, content: bytes | str) -> Part:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return open_part(con, path, known)


def rows(con: duckdb.DuckDBPyConnection, part: Part) -> list[tuple[object, ...]]:
    return con.execute(part.relation).fetchall()


class TestShapes:
    @pytest.mark.parametrize(
        ("name", "content", "shape"),
        [
            ("a.csv", "a,b\n1,2\n", Shape.CSV),
            ("a.txt", "a\tb\n1\t2\n", Shape.CSV),
            ("a", "a,b\n1,2\n", Shape.CSV),
            ("a.csv", '{"not json",b\n1,2\n', Shape.CSV),
            ("a.ndjson", '{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n', Shape.LINES),
            ("a.json", '{"a": 1, "b": 2}\n{"a": 3, "b": 4}\n', Shape.LINES),
            ("a.jsonl", '{"a": 1, "b": 2}', Shape.LINES),
            ("a.json", '{"object": "page", "data": []}', Shape.PAGES),
            ("a.json", '[{"object": "page", "data": []}]', Shape.PAGES),
            ("a.json", '\ufeff  {\n"data": []}', Shape.PAGES),
        ],
    )
    def test_a_file_is_told_by_what_it_holds(
        self, con: duckdb.DuckDBPyConnection, tmp_path: Path, name: str, content: str, shape: Shape
    ) -> None:
        assert opened(con, tmp_path / name, content).shape is shape

    def test_parquet_is_told_without_its_ending(self, con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
        con.execute(f"COPY (SELECT 1 AS a, 0.5::DECIMAL(18,9) AS b) TO '{tmp_path}/a' (FORMAT parquet)")
        part = open_part(con, tmp_path / "a", known)
        assert (part.shape, part.layout) == (Shape.PARQUET, {"a": "INTEGER", "b": "DECIMAL(18,9)"})

    @pytest.mark.parametrize("ending", ["csv", "csv.gz"])
    def test_gzip_is_told_by_its_first_bytes(self, con: duckdb.DuckDBPyConnection, tmp_path: Path, ending: str) -> None:
        assert rows(con, opened(con, tmp_path / f"a.{ending}", gzip.compress(b"a,b\n1,2\n"))) == [("1", "2")]
        assert rows(con, opened(con, tmp_path / f"b.{ending}", b"a,b\n1,2\n")) == [("1", "2")]


class TestHeaders:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_the_delimiter_is_the_one_that_makes_known_columns(
        self, con: duckdb.DuckDBPyConnection, tmp_path: Path, delimiter: str
    ) -> None:
        part = opened(con, tmp_path / "a.csv", f"a{delimiter}b\n1{delimiter}2\n")
        assert (list(part.layout), rows(con, part)) == (["a", "b"], [("1", "2")])
        assert bool(part.notes) == (delimiter != ",")

    def test_of_unknown_columns_the_delimiter_that_splits_most(
        self, con: duckdb.DuckDBPyConnection, tmp_path: Path
    ) -> None:
        assert list(opened(con, tmp_path / "a.csv", "x;y;z,w\n1;2;3,4\n").layout) == ["x", "y", "z,w"]

    def test_names_are_trimmed_and_made_unique(self, con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
        part = opened(con, tmp_path / "a.csv", " a ,A,,a_1,a\n1,2,3,4,5\n")
        assert list(part.layout) == ["a", "A_1", "column2", "a_1_1", "a_2"]
        assert part.repeated == ("a", "A")
        assert rows(con, part) == [("1", "2", "3", "4", "5")]

    def test_a_name_may_hold_a_quote_or_a_line_break(self, con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
        part = opened(con, tmp_path / "a.csv", '"it\'s","two\nlines"\n1,2\n')
        assert (list(part.layout), rows(con, part)) == (["it's", "two\nlines"], [("1", "2")])

    def test_text_is_never_read_as_anything_else(self, con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
        part = opened(con, tmp_path / "a.csv", 'a,b\n007,2026-10-01\n1e5,"x, ""y"""\nNULL,\\N\n')
        assert rows(con, part) == [("007", "2026-10-01"), ("1e5", 'x, "y"'), (None, None)]


class TestNumbers:
    def test_rows_are_numbered_in_order(self, con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
        parts = [opened(con, tmp_path / f"{n}.csv", f"a,b\n{n},x\n{n},y\n") for n in (1, 2)]
        found = con.execute(f"SELECT a, b, x_Row, x_File FROM ({union(parts, numbered=True)}) ORDER BY ALL").fetchall()
        one, two = (str(tmp_path / f"{n}.csv") for n in (1, 2))
        assert found == [("1", "x", 1, one), ("1", "y", 2, one), ("2", "x", 1, two), ("2", "y", 2, two)]


class TestExpand:
    def test_each_file_once_in_order(self, tmp_path: Path) -> None:
        for name in ("b.csv", "a.csv"):
            (tmp_path / name).write_text("x")
        (tmp_path / "link.csv").symlink_to(tmp_path / "a.csv")
        assert expand([str(tmp_path / "b.csv"), str(tmp_path), str(tmp_path / "*.csv")]) == [
            tmp_path / "b.csv",
            tmp_path / "a.csv",
        ]

    def test_a_file_named_like_a_pattern_is_a_file(self, tmp_path: Path) -> None:
        for name in ("a[1].csv", "a1.csv"):
            (tmp_path / name).write_text("x")
        assert expand([str(tmp_path / "a[1].csv")]) == [tmp_path / "a[1].csv"]


class TestManifests:
    @pytest.mark.parametrize(
        "document",
        ["[]", "{}", "nonsense", '{"dataFiles": []}', '{"dataFiles": "x"}', '{"blobs": [1]}', '{"data": []}'],
    )
    def test_other_json_is_no_manifest(self, tmp_path: Path, document: str) -> None:
        (tmp_path / "m.json").write_text(document)
        assert read_manifest(tmp_path / "m.json") is None

    @pytest.mark.parametrize(
        "document",
        [
            {"dataFiles": ["s3://bucket/p/a.csv"]},
            {"reportKeys": ["p/a.csv"], "reportName": "r"},
            {"blobs": [{"blobName": "p/a.csv"}]},
        ],
    )
    def test_every_spelling_leads_to_the_local_copy(self, tmp_path: Path, document: object) -> None:
        (tmp_path / "p").mkdir()
        (tmp_path / "p" / "a.csv").write_text("x")
        for folder in (tmp_path, tmp_path / "p"):
            (folder / "m.json").write_text(json.dumps(document))
            manifest = read_manifest(folder / "m.json")
            assert manifest is not None
            assert manifest.files() == [tmp_path / "p" / "a.csv"]

    def test_a_name_cannot_lead_out_of_the_folder(self, tmp_path: Path) -> None:
        (tmp_path / "secret.csv").write_text("x")
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "m.json").write_text('{"dataFiles": ["s3://b/../secret.csv", "../secret.csv"]}')
        with pytest.raises(UnreadableFileError, match=r"names secret\.csv, which is not beside it"):
            expand([str(tmp_path / "in" / "m.json")])

    def test_the_outer_manifest_of_a_legacy_report_is_current(self, tmp_path: Path) -> None:
        period = tmp_path / "20261001-20261101"
        found = list[Path]()
        for folder in (period / "old", period / "new", period):
            folder.mkdir(parents=True, exist_ok=True)
            found.append(folder / "r-Manifest.json")
            keys = [f"p/20261001-20261101/{'new' if folder == period else folder.name}/r-1.csv.gz"]
            document = {"reportName": "r", "reportKeys": keys, "billingPeriod": {"start": "20261001T000000.000Z"}}
            found[-1].write_text(json.dumps(document))
        manifests = [m for path in found if (m := read_manifest(path))]
        current, older = newest(manifests)
        assert [m.path for m in current] == [period / "r-Manifest.json"]
        assert {m.path for m in older} == set(found[:2])

    def test_manifests_of_two_periods_both_count(self, tmp_path: Path) -> None:
        for month in ("10", "11"):
            folder = tmp_path / f"BILLING_PERIOD=2026-{month}"
            folder.mkdir()
            (folder / "m.json").write_text('{"dataFiles": ["s3://b/a.csv"], "exportArn": "arn"}')
        manifests = [m for path in sorted(tmp_path.rglob("*.json")) if (m := read_manifest(path))]
        assert len(newest(manifests)[0]) == 2


class TestFiles:
    def test_a_digest_is_that_of_the_bytes(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"abc")
        (file,) = digests([tmp_path / "a"])
        assert (file.name, file.bytes) == ("a", 3)
        assert file.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    def test_a_large_gzip_is_checked_in_pieces(self, tmp_path: Path) -> None:
        packed = gzip.compress(bytes(30_000_000))
        (tmp_path / "a.gz").write_bytes(packed)
        assert digests([tmp_path / "a.gz"])[0].bytes == len(packed)
        (tmp_path / "a.gz").write_bytes(packed[:-1])
        with pytest.raises(UnreadableFileError, match=r"a\.gz is a truncated or damaged gzip file"):
            digests([tmp_path / "a.gz"])

    def test_one_name_in_two_folders_is_shown_whole(self) -> None:
        paths = [Path("/x/a.csv"), Path("/y/a.csv"), Path("/y/b.csv")]
        assert list(shown(paths).values()) == ["/x/a.csv", "/y/a.csv", "b.csv"]

    def test_a_file_that_has_gone(self, tmp_path: Path) -> None:
        with pytest.raises(UnreadableFileError, match=r"a\.csv has gone since it was listed"):
            Fingerprint.of(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("No magic bytes found at end of file 'x'", "a.csv is not a whole Parquet file (its end is missing)"),
        ("IO Error: Input is not a GZIP stream: x", "a.csv is a truncated or damaged gzip file; download it again."),
        ("Snappy decompression failure", "a.csv is damaged (a part of it cannot be decompressed)"),
        ("Something new\nand long", "a.csv cannot be read: Something new"),
    ],
)
def test_an_error_of_the_engine_is_one_sentence(error: str, sentence: str) -> None:
    assert explain(Path("a.csv"), duckdb.Error(error)).startswith(sentence)
