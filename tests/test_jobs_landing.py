"""Pages on their way: the journal, the names, and what is kept."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from connectors.errors import SourceError, StaleResumeError
from connectors.live import Page, Stream, Window
from jobs.coverage import Covering, missing, months
from jobs.landing import Landing, sweep

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
STREAM = Stream("costs", Window(date(2026, 11, 1), date(2026, 11, 8)), "openai-costs")


def test_a_journal_says_after_which_page_to_go_on(tmp_path: Path) -> None:
    place = Landing(tmp_path, STREAM)
    journal = place.keep(Page("a.json", b"{}", "next"), place.journal(NOW))
    found = Landing(tmp_path, STREAM).journal(NOW + timedelta(hours=1))
    assert found == journal
    assert (found.resume, found.pages, found.complete) == ("next", 1, False)
    assert place.keep(Page("b.json", b"{}", None), found).complete


def test_what_landed_a_day_ago_is_begun_anew(tmp_path: Path) -> None:
    place = Landing(tmp_path, STREAM)
    place.keep(Page("a.json", b"{}", "next"), place.journal(NOW))
    assert place.journal(NOW + timedelta(hours=25)).pages == 0
    assert not place.folder.exists()


def test_another_version_of_the_stream_is_begun_anew(tmp_path: Path) -> None:
    place = Landing(tmp_path, STREAM)
    place.keep(Page("a.json", b"{}", "next"), place.journal(NOW))
    newer = Landing(tmp_path, Stream("costs", STREAM.window, version="2"))
    assert newer.journal(NOW).pages == 0


def test_a_damaged_journal_is_begun_anew(tmp_path: Path) -> None:
    place = Landing(tmp_path, STREAM)
    place.keep(Page("a.json", b"{}", "next"), place.journal(NOW))
    (place.folder / ".journal").write_text('{"pages": ')
    assert place.journal(NOW).pages == 0


def test_text_is_compressed_the_same_way_each_time_and_other_files_stay(tmp_path: Path) -> None:
    place = Landing(tmp_path, STREAM)
    journal = place.keep(Page("a.json", b'{"data": []}', "x"), place.journal(NOW))
    first = (place.folder / "a.json.gz").read_bytes()
    place.keep(Page("a.json", b'{"data": []}', "x"), journal)
    assert (place.folder / "a.json.gz").read_bytes() == first
    assert gzip.decompress(first) == b'{"data": []}'
    elsewhere = tmp_path / "elsewhere.parquet"
    elsewhere.write_bytes(b"PAR1")
    place.keep(Page("b.parquet", elsewhere, None), journal)
    assert (place.folder / "b.parquet").read_bytes() == b"PAR1"
    assert not elsewhere.exists()


@pytest.mark.parametrize("name", ["../a.json", "a/b.json", ".journal", ""])
def test_a_page_cannot_be_written_elsewhere(tmp_path: Path, name: str) -> None:
    place = Landing(tmp_path, STREAM)
    with pytest.raises(SourceError, match="cannot be the name of a file"):
        place.keep(Page(name, b"{}", None), place.journal(NOW))


def test_a_load_settles_its_pages_once(tmp_path: Path) -> None:
    place = Landing(tmp_path, STREAM)
    place.keep(Page("a.json", b"{}", None), place.journal(NOW))
    kept = place.settle("load-1")
    place.keep(Page("a.json", b"{}", None), place.journal(NOW))
    assert place.settle("load-1") == kept
    assert [path.name for path in kept.iterdir()] == ["a.json.gz"]
    assert not place.folder.exists()


def test_a_sweep_takes_only_what_is_too_old(tmp_path: Path) -> None:
    place = Landing(tmp_path, STREAM)
    place.keep(Page("a.json", b"{}", "next"), place.journal(NOW))
    sweep(tmp_path, datetime.now(UTC))
    assert place.folder.exists()
    sweep(tmp_path, datetime.now(UTC) + timedelta(hours=25))
    assert not place.folder.exists()


def test_months_come_newest_first_and_cover_every_day_once() -> None:
    found = list(months(date(2026, 9, 15), date(2026, 11, 21)))
    assert found == [
        Window(date(2026, 11, 1), date(2026, 11, 21)),
        Window(date(2026, 10, 1), date(2026, 11, 1)),
        Window(date(2026, 9, 15), date(2026, 10, 1)),
    ]


def test_a_day_is_settled_once_it_was_loaded_after_it_could_be_restated() -> None:
    window = Window(date(2026, 10, 1), date(2026, 11, 1))
    october = Stream("costs", window)
    made = Covering("costs", "", window, datetime(2026, 10, 25, tzinfo=UTC))
    assert missing(october, [], 5) == window
    # Loaded on the 25th with five days of restating: the 19th was over for more than five days, the 20th was not.
    assert missing(october, [made], 5) == Window(date(2026, 10, 20), date(2026, 11, 1))
    late = Covering("costs", "", window, datetime(2026, 11, 6, tzinfo=UTC))
    assert missing(october, [made, late], 5) is None
    assert missing(october, [Covering("usage", "", window, late.made)], 5) == window


def test_a_delivery_that_was_loaded_is_not_fetched_again() -> None:
    window = Window(date(2026, 11, 1), date(2026, 12, 1))
    loads = [Covering("charges", "v1", window, NOW)]
    assert missing(Stream("charges", window, version="v1"), loads, 45) is None
    assert missing(Stream("charges", window, version="v2"), loads, 45) == window


def test_a_sync_that_goes_on_leaves_alone_what_it_has_loaded() -> None:
    window = Window(date(2026, 11, 1), date(2026, 11, 21))
    loads = [Covering("costs", "", window, NOW)]
    assert missing(Stream("costs", window), loads, 35, since=NOW - timedelta(minutes=5)) is None
    assert missing(Stream("costs", window), loads, 35, since=NOW + timedelta(minutes=5)) == window


def test_pages_of_two_accounts_are_not_loaded_together(tmp_path: Path) -> None:
    place = Landing(tmp_path, STREAM)
    journal = place.keep(Page("a.json", b"{}", "x", "org-a"), place.journal(NOW))
    journal = place.keep(Page("b.json", b"{}", "y"), journal)
    assert journal.account == place.journal(NOW).account == "org-a"
    with pytest.raises(StaleResumeError, match="org-a and org-b"):
        place.keep(Page("c.json", b"{}", None, "org-b"), journal)
