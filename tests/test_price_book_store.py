"""The book of a workspace: refreshes append, agreements count, killed writes leave nothing."""

from __future__ import annotations

import json
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.lake import Address, Lake
from ledger.price_book import book, negotiated, store
from ledger.price_book.changes import compare
from ledger.price_book.rows import BEGINNING, Price
from ledger.price_book.sources import Reading, SourceMissingError

FIRST = datetime(2026, 12, 1, tzinfo=UTC)
SECOND = datetime(2026, 12, 2, tzinfo=UTC)
USED = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def lake(tmp_path: Path) -> Generator[Lake]:
    with Lake(Address(tmp_path / "lake")) as opened:
        yield opened


def gpt(found: book.Book, kind: str = "input", **how: str) -> Price:
    price = found.price("OpenAI", "gpt-5.5", kind, USED, **how)
    assert price is not None
    return price


def reads(monkeypatch: pytest.MonkeyPatch, prices: list[Price]) -> None:
    reading = Reading(prices, [], {"genai-prices": "0.2.4", "litellm": "1.110.0"})
    monkeypatch.setattr(store, "read_sources", lambda *_, **__: reading)


def changed(**fields: int) -> list[Price]:
    shipped = list(book.load().prices)
    return [p._replace(**fields) if p == gpt(book.load()) else p for p in shipped]


def count(lake: Lake, table: str = "prices") -> int:
    return int(lake.records(f"SELECT count(*) AS n FROM {table}")[0]["n"])


def test_a_lake_without_prices_has_the_shipped_book(lake: Lake) -> None:
    assert book.load(lake=lake).digest == book.load().digest
    assert count(lake) == 0


def test_a_refresh_without_news_seeds_the_lake_and_then_changes_nothing(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads(monkeypatch, list(book.load().prices))
    assert store.refresh(lake, FIRST).changes.rows(FIRST) == []
    rows, snapshot = count(lake), lake.snapshot()
    store.refresh(lake, SECOND)
    assert (count(lake), lake.snapshot()) == (rows, snapshot)
    assert book.load(lake=lake).digest == book.load().digest


def test_a_correction_is_appended_and_the_day_before_keeps_its_digest(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = book.load(lake=lake).digest
    reads(monkeypatch, changed(price_pico=4_000_000))
    assert [(b.price_pico, a.price_pico) for b, a in store.preview(lake, FIRST).changes.changed] == [
        (5_000_000, 4_000_000)
    ]
    assert count(lake) == 0  # a preview writes nothing
    store.refresh(lake, FIRST)
    assert gpt(book.load(lake=lake)).price_pico == 4_000_000
    assert gpt(book.load(lake=lake)).known_from == FIRST
    then = book.load(datetime(2026, 11, 30, tzinfo=UTC), lake=lake)
    assert (gpt(then).price_pico, then.digest) == (5_000_000, before)
    assert book.load(lake=lake).digest != before


def test_a_refresh_that_fails_half_way_leaves_the_book_as_it_was(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    reads(monkeypatch, changed(price_pico=4_000_000))
    append, calls = store._append, list[str]()

    def killed(*args: object) -> None:
        calls.append("")
        if len(calls) == 2:
            raise KeyboardInterrupt
        append(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "_append", killed)
    with pytest.raises(KeyboardInterrupt):
        store.refresh(lake, FIRST)
    assert count(lake) == 0
    monkeypatch.setattr(store, "_append", append)
    store.refresh(lake, FIRST)
    assert gpt(book.load(lake=lake)).price_pico == 4_000_000


def test_a_price_whose_date_is_corrected_is_withdrawn_and_one_that_is_gone_stands() -> None:
    one = gpt(book.load())
    other = one._replace(model_id="other")
    moved = one._replace(valid_from=USED)
    found = compare([one, other], [moved])
    assert (found.new, found.withdrawn, found.gone) == ((moved,), (one,), (other,))
    appended = found.rows(FIRST)
    assert [(p.valid_from, p.valid_to) for p in appended] == [(USED, None), (BEGINNING, BEGINNING)]


def test_older_sources_are_refused(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(list(book.load().prices), [], {"genai-prices": "0.2.2", "litellm": "1.110.0"})
    monkeypatch.setattr(store, "read_sources", lambda *_, **__: reading)
    with pytest.raises(store.OlderSourceError, match=r"0\.2\.3; 0\.2\.2 is older"):
        store.refresh(lake, FIRST)


def test_without_the_sources_the_shipped_book_is_the_source_but_never_over_a_newer_one(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads(monkeypatch, changed(price_pico=4_000_000))
    absent = SourceMissingError("litellm is not installed")

    def missing(*_: object, **__: object) -> Reading:
        raise absent

    with monkeypatch.context() as patched:
        patched.setattr(store, "read_sources", missing)
        assert store.preview(lake, FIRST).from_package_data
    store.refresh(lake, FIRST)
    monkeypatch.setattr(store, "read_sources", missing)
    with pytest.raises(SourceMissingError):
        store.refresh(lake, SECOND)


def agreements(folder: Path, *lines: str) -> list[negotiated.Agreement]:
    file = folder / "agreements.csv"
    header = "seller,model,kind,tier,region,context_above,from,until,price_per_million,discount_percent"
    file.write_text("\n".join([header, *lines]) + "\n")
    return negotiated.read(file)


def test_a_discount_makes_exact_prices_that_win_over_the_list(lake: Lake, tmp_path: Path) -> None:
    store.agree(lake, agreements(tmp_path, "OpenAI,gpt-5.5,,,,,2026-07-01,2027-07-01,,12.5"), FIRST)
    found = book.load(lake=lake)
    assert (gpt(found).price_pico, gpt(found).layer) == (4_375_000, "negotiated")
    assert gpt(found, "output").price_pico == 26_250_000
    assert gpt(found.layer("list")).price_pico == 5_000_000
    early = found.price("OpenAI", "gpt-5.5", "input", datetime(2026, 6, 30, tzinfo=UTC))
    assert early is not None
    assert (early.price_pico, early.layer) == (5_000_000, "list")
    # A batch price begins when the list's does.
    assert found.price("OpenAI", "gpt-5.5", "input", datetime(2026, 10, 13, tzinfo=UTC), tier="batch") is None


def test_a_discount_follows_the_list(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.agree(lake, agreements(tmp_path, "OpenAI,gpt-5.5,,,,,,,,10"), FIRST)
    reads(monkeypatch, changed(price_pico=4_000_000))
    store.refresh(lake, SECOND)
    assert gpt(book.load(lake=lake)).price_pico == 3_600_000
    assert gpt(book.load(FIRST, lake=lake)).price_pico == 4_500_000


def test_a_price_beats_a_discount_and_the_line_that_says_more_beats_the_other(lake: Lake, tmp_path: Path) -> None:
    lines = ("OpenAI,,,,,,,,,10", "OpenAI,gpt-5.5,,,,,,,,20", "OpenAI,gpt-5.5,output,,,,,,24.5,")
    store.agree(lake, agreements(tmp_path, *lines), FIRST)
    found = book.load(lake=lake)
    assert gpt(found).price_pico == 4_000_000
    assert gpt(found, "output").price_pico == 24_500_000
    other = found.price("OpenAI", "gpt-4o", "input", USED)
    assert other is not None
    assert other.price_pico == 2_250_000


def test_a_discounted_price_that_is_not_whole_is_withheld_with_the_list_price(lake: Lake, tmp_path: Path) -> None:
    _, withheld = store.agree(lake, agreements(tmp_path, "OpenAI,gpt-5.5,input,standard,Global,0,,,,33.33333"), FIRST)
    assert [sentence.split(";")[0] for sentence in withheld] == [
        "33.33333 % off gpt-5.5 by OpenAI (input, standard) is not a whole number of pico-dollars"
    ]
    found = book.load(lake=lake)
    assert found.gaps == tuple(withheld)
    assert found.price("OpenAI", "gpt-5.5", "input", USED) is None
    assert gpt(found, "output").layer == "list"


def test_a_new_file_replaces_the_one_before_and_the_same_file_changes_nothing(lake: Lake, tmp_path: Path) -> None:
    store.agree(lake, agreements(tmp_path, "OpenAI,gpt-5.5,,,,,,,,10"), FIRST)
    rows = count(lake, "agreements")
    store.agree(lake, agreements(tmp_path, "OpenAI,gpt-5.5,,,,,,,,10.0"), SECOND)
    assert count(lake, "agreements") == rows
    store.agree(lake, agreements(tmp_path), SECOND)
    assert gpt(book.load(lake=lake)).layer == "list"
    assert gpt(book.load(FIRST, lake=lake)).layer == "negotiated"


def test_two_lines_about_the_same_thing_at_one_time_are_refused(lake: Lake, tmp_path: Path) -> None:
    lines = ("OpenAI,gpt-5.5,,,,,,2026-09-02,,10", "OpenAI,gpt-5.5,,,,,2026-09-01,,,12")
    with pytest.raises(ValueError, match="Lines 2 and 3"):
        store.agree(lake, agreements(tmp_path, *lines), FIRST)
    assert count(lake, "agreements") == 0


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("OpenAI,gpt-5.5,,Batch,,,,,,10", "line 2: There is no tier 'Batch'; there are standard, batch"),
        ("OpenAI,gpt-5.5,inputs,,,,,,5,", "cache_read"),
        (",gpt-5.5,,,,,,,,10", "names no seller"),
        ("OpenAI,gpt-5.5,,,,,,,5,10", "one of the two"),
        ("OpenAI,gpt-5.5,,,,,,,,110", "between 0 and 100"),
        ("OpenAI,,input,,,,,,5,", "names its model"),
        ("OpenAI,gpt-5.5,input,,,,,,0.0000001,", "whole number"),
        ("OpenAI,gpt-5.5,,,,,2026-02-01,2026-01-01,,10", "ends before"),
        ("OpenAI,gpt-5.5,,,,,,,,ten", "not a number"),
        ("OpenAI,gpt-5.5,,,,,,,,1.2345678", "six decimals"),
    ],
)
def test_a_line_that_is_no_agreement_is_refused_by_its_number(line: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=reason):
        agreements(tmp_path, line)


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner  # noqa: PLC0415

    from cli import app  # noqa: PLC0415

    monkeypatch.setenv("SPENDPROOF_HOME", str(tmp_path))
    run = CliRunner().invoke
    shown = json.loads(run(app, ["prices", "show", "openai/gpt-5.5", "--seller", "OpenAI", "--json"]).stdout)
    assert shown["model_id"] == "gpt-5.5"
    assert {p["per_million"] for p in shown["prices"]} >= {"5.00", "0.50", "30.00", "22.50"}
    early = run(app, ["prices", "show", "gpt-5.5", "--at", "2026-10-01", "--json"]).stdout
    tiers = {p["service_tier"] for p in json.loads(early)["prices"] if p["seller"] == "OpenAI"}
    assert tiers == {"standard"}
    unknown = run(app, ["prices", "show", "gpt-99"])
    assert (unknown.exit_code, "unpriced" in unknown.stdout) == (0, True)
    reads(monkeypatch, changed(price_pico=4_000_000))
    assert "would be appended: 0 new, 1 corrected" in run(app, ["prices", "diff"]).stdout
    done = json.loads(run(app, ["prices", "refresh", "--json"]).stdout)
    assert [(c["before"]["per_million"], c["after"]["per_million"]) for c in done["changed"]] == [("5.00", "4.00")]
    file = tmp_path / "agreements.csv"
    file.write_text("seller,discount_percent\nOpenAI,10\n")
    assert "1 agreements with OpenAI" in run(app, ["prices", "negotiated", str(file)]).stdout
    assert "negotiated" not in run(app, ["prices", "show", "gpt-5.5", "--seller", "AWS", "--json"]).stdout
