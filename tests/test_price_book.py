"""The shipped book: golden prices by hand, its digest, its dates, and what it refuses."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from ledger.price_book import book
from ledger.price_book.known import as_known, digest
from ledger.price_book.rows import Price, from_table, to_table
from ledger.price_book.schema import PRICES, TOKEN_KINDS
from ledger.price_book.shipped import shipped_left_out

#: Of the book as first shipped.
FIRST_DIGEST = "952a6800449373208c7f10d060133645ca7bdd43658d0e8c96c3bf0fdbb894ff"
NOVEMBER = datetime(2026, 11, 20, tzinfo=UTC)
BOOK = book.load(datetime(2026, 11, 21, tzinfo=UTC))


def per_million(amount: str) -> int:
    """Pico-dollars a token of a price in dollars for a million."""
    return int(Decimal(amount) * 1_000_000)


def price(seller: str, model: str, kind: str, at: datetime = NOVEMBER, **how: Any) -> int | None:
    found = BOOK.price(seller, model, kind, at, **how)
    return None if found is None else found.price_pico


@pytest.mark.parametrize(
    ("seller", "model", "how", "kinds"),
    [
        ("OpenAI", "gpt-5.5", {}, {"input": "5", "cache_read": "0.5", "output": "30"}),
        ("OpenAI", "gpt-5.5", {"input_tokens": 272_000}, {"input": "5", "cache_read": "0.5", "output": "30"}),
        ("OpenAI", "gpt-5.5", {"input_tokens": 272_001}, {"input": "10", "cache_read": "1", "output": "45"}),
        ("OpenAI", "gpt-5.5", {"tier": "batch"}, {"input": "2.5", "cache_read": "0.25", "output": "15"}),
        (
            "OpenAI",
            "gpt-5.5",
            {"tier": "batch", "input_tokens": 272_001},
            {"input": "5", "cache_read": "0.5", "output": "22.5"},
        ),
        ("OpenAI", "gpt-5.5", {"tier": "flex"}, {"input": "2.5", "cache_read": "0.25", "output": "15"}),
        ("OpenAI", "gpt-5.5", {"tier": "priority"}, {"input": "12.5", "cache_read": "1.25", "output": "75"}),
        ("OpenAI", "gpt-5.5", {"tier": "fast"}, {"input": "12.5", "cache_read": "1.25", "output": "75"}),
        # eu and us hosts: 1.1 times.
        ("OpenAI", "gpt-5.5", {"region": "Data Zone"}, {"input": "5.5", "cache_read": "0.55", "output": "33"}),
        (
            "OpenAI",
            "gpt-5.6-sol",
            {},
            {"input": "4", "cache_write": "5", "cache_write_30m": "5", "cache_write_12h": "10", "output": "20"},
        ),
        (
            "OpenAI",
            "gpt-realtime",
            {},
            {"input_audio": "32", "cache_read_audio": "0.4", "output_audio": "64", "input_image": "5"},
        ),
        ("OpenAI", "gpt-image-1.5", {}, {"input_image": "8", "output_image": "32"}),
        ("OpenAI", "text-embedding-3-small", {}, {"input": "0.02", "embedding": "0.02", "output": None}),
        (
            "Anthropic",
            "claude-sonnet-4-5",
            {"input_tokens": 200_000},
            {
                "input": "3",
                "cache_read": "0.3",
                "cache_write": "3.75",
                "cache_write_5m": "3.75",
                "cache_write_1h": "6",
                "output": "15",
            },
        ),
        (
            "Anthropic",
            "claude-sonnet-4-5",
            {"input_tokens": 200_001},
            {"input": "6", "cache_read": "0.6", "cache_write_5m": "7.5", "cache_write_1h": "12", "output": "22.5"},
        ),
        ("Anthropic", "claude-opus-5", {"tier": "fast"}, {"input": "10", "cache_write_1h": "20", "output": "50"}),
        ("Anthropic", "claude-opus-5", {"region": "Data Zone"}, {"input": "5.5", "cache_read": "0.55"}),
        ("Google Cloud", "gemini-2.5-pro", {"input_tokens": 200_000}, {"input": "1.25", "output": "10"}),
        (
            "Google Cloud",
            "gemini-2.5-pro",
            {"input_tokens": 200_001},
            {"input": "2.5", "cache_read": "0.25", "output": "15"},
        ),
        ("Google Cloud", "gemini-2.5-flash", {}, {"input_audio": "1", "cache_read_audio": "0.1", "input": "0.3"}),
        ("Google Cloud", "claude-sonnet-5", {"region": "Regional"}, {"input": "2.2", "output": "11"}),
        ("AWS", "claude-sonnet-4-5", {"region": "Global"}, {"input": "3", "cache_read": "0.3", "output": "15"}),
        (
            "AWS",
            "claude-sonnet-4-5",
            {"region": "Regional"},
            {"input": "3.3", "cache_write_5m": "4.125", "cache_write_1h": "6.6", "output": "16.5"},
        ),
        ("AWS", "claude-haiku-4-5", {"region": "Regional", "tier": "batch"}, {"input": "0.55", "output": "2.75"}),
        ("AWS", "claude-haiku-4-5", {"region": "Global", "tier": "batch"}, {"input": "0.5", "output": "2.5"}),
        ("AWS", "nova-lite", {"region": "Regional"}, {"input": "0.06", "cache_read": "0.015", "output": "0.24"}),
        ("Microsoft", "gpt-5.5", {}, {"input": "5", "cache_read": "0.5", "output": "30"}),
        ("Microsoft", "gpt-5.5", {"region": "Data Zone"}, {"input": "5.5", "cache_read": "0.55", "output": "33"}),
        ("Microsoft", "gpt-5.5", {"tier": "batch"}, {"input": "2.5", "output": "15"}),
    ],
)
def test_golden_prices(seller: str, model: str, how: dict[str, Any], kinds: dict[str, str | None]) -> None:
    found = {kind: price(seller, model, kind, **how) for kind in kinds}
    assert found == {kind: None if amount is None else per_million(amount) for kind, amount in kinds.items()}


def test_a_price_cut_holds_from_its_day_on() -> None:
    day = datetime(2026, 7, 30, tzinfo=UTC)
    eve = datetime(2026, 7, 29, 23, 59, 59, tzinfo=UTC)
    assert price("OpenAI", "gpt-5.6-luna", "input", eve) == per_million("1")
    assert price("OpenAI", "gpt-5.6-luna", "input", day) == per_million("0.2")
    assert price("OpenAI", "gpt-5.6-luna", "input", day, input_tokens=272_001) == per_million("0.4")
    # The undated 12-hour price of the second source says nothing of the time before the cut.
    assert price("OpenAI", "gpt-5.6-luna", "cache_write_12h", eve) is None
    assert price("OpenAI", "gpt-5.6-luna", "cache_write_12h", day) == per_million("0.5")


def test_prices_of_the_future_are_kept() -> None:
    assert price("Google Cloud", "gemini-4-argon", "input") == per_million("2")
    assert price("Google Cloud", "gemini-4-argon", "input", datetime(2026, 12, 1, tzinfo=UTC)) == per_million("4")
    assert price("Google Cloud", "gemini-3.8-flash", "output", datetime(2027, 1, 1, tzinfo=UTC)) == per_million("7.5")


def test_a_context_step_that_was_removed_no_longer_costs_more() -> None:
    before, after = datetime(2026, 3, 12, tzinfo=UTC), datetime(2026, 3, 13, tzinfo=UTC)
    assert price("Anthropic", "claude-opus-4-6", "input", before, input_tokens=200_001) == per_million("10")
    assert price("Anthropic", "claude-opus-4-6", "input", after, input_tokens=200_001) == per_million("5")


def test_batch_before_its_first_day_is_unpriced_not_standard() -> None:
    eve, day = datetime(2026, 10, 13, tzinfo=UTC), datetime(2026, 10, 14, tzinfo=UTC)
    assert price("OpenAI", "gpt-5.5", "input", eve, tier="batch") is None
    assert price("OpenAI", "gpt-5.5", "input", day, tier="batch") == per_million("2.5")
    reason = BOOK.reason("OpenAI", "gpt-5.5", "input", eve, tier="batch")
    assert reason == "the batch price of gpt-5.5 by OpenAI is known from 2026-10-14 on"


def test_no_price_is_guessed() -> None:
    assert price("OpenAI", "gpt-99", "input") is None
    assert price("OpenAI", "claude-sonnet-4-5", "input") is None  # nor another seller's
    assert price("AWS", "claude-sonnet-4-5", "input", region="Data Zone") is None  # nor another place's
    assert price("OpenAI", "gpt-5.5", "cache_write_1h") is None  # nor another kind's
    assert price("Cohere", "command-r-plus-08-2024", "input", tier="batch") is None  # nor half of standard
    assert "sold by" in BOOK.reason("Groq", "gpt-5.5", "input", NOVEMBER)
    assert not any(p.price_pico <= 0 for p in BOOK.prices)


@pytest.mark.parametrize(
    ("how", "named"),
    [({"tier": "Batch"}, "standard, batch"), ({"tier": "turbo"}, "priority"), ({"region": "global"}, "Global")],
)
def test_a_tier_or_place_that_is_not_known_is_refused_with_those_that_are(how: dict[str, str], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        price("OpenAI", "gpt-5.5", "input", **how)


def test_a_kind_or_context_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="cache_write_1h"):
        price("OpenAI", "gpt-5.5", "cached")
    with pytest.raises(ValueError, match="Short, Long"):
        book.at_context(BOOK.prices, "long")


def test_prices_of_a_context_whose_size_is_not_known() -> None:
    long = book.at_context(BOOK.select("gpt-5.5", seller="OpenAI"), "Long")
    assert {p.context_above for p in long} == {272_000}


def test_a_release_with_a_price_of_its_own() -> None:
    assert price("OpenAI", "gpt-4o", "input", version="2024-05-13") == per_million("5")
    assert price("OpenAI", "gpt-4o", "input", version="2024-11-20") == per_million("2.5")
    assert price("OpenAI", "gpt-4o", "input") == per_million("2.5")
    # The release has no cache price, and does not get that of the others.
    assert price("OpenAI", "gpt-4o", "cache_read", version="2024-05-13") is None


@pytest.mark.parametrize(
    ("seller", "model", "kind", "how", "says", "other"),
    [
        ("Anthropic", "claude-sonnet-4-5", "input", {"input_tokens": 200_001}, "6", "3"),
        ("Google Cloud", "claude-3-5-haiku", "input", {}, "0.8", "1"),
        ("Mistral AI", "mistral-large", "input", {}, "2", "0.5"),
    ],
)
def test_where_the_sources_differ_both_prices_stand(
    seller: str, model: str, kind: str, how: dict[str, Any], says: str, other: str
) -> None:
    found = BOOK.price(seller, model, kind, NOVEMBER, **how)
    assert found is not None
    assert (found.source, found.price_pico) == ("genai-prices", per_million(says))
    assert (found.disputed, found.other_source, found.other_price_pico) == (True, "litellm", per_million(other))


def test_a_dispute_is_more_than_one_percent_and_nothing_else() -> None:
    for found in BOOK.prices:
        assert found.disputed == (found.other_price_pico is not None)
        if found.other_price_pico is not None:
            low, high = sorted((found.price_pico, found.other_price_pico))
            assert (high - low) * 100 > low


def test_time_of_day_prices_are_left_out_and_say_so() -> None:
    assert price("DeepSeek", "deepseek-chat", "input") is None
    reasons = {i.reason for i in shipped_left_out() if (i.seller, i.model_name) == ("DeepSeek", "deepseek-chat")}
    assert "the price depends on the time of day" in reasons


def test_rows_are_of_the_schema_and_never_overlap() -> None:
    assert BOOK.table.column_names == [c.name for c in PRICES]
    allowed = {c.name: c.allowed for c in PRICES if c.allowed}
    for name, values in allowed.items():
        assert set(BOOK.table[name].to_pylist()) <= set(values)
    assert {p.token_kind for p in BOOK.prices} >= set(TOKEN_KINDS) - {"cache_write_30m", "request"}
    by_series: dict[tuple[object, ...], list[tuple[datetime, datetime | None]]] = {}
    for row in BOOK.prices:
        by_series.setdefault(row.series, []).append((row.valid_from, row.valid_to))
    for spans in by_series.values():
        ordered = sorted(spans)
        assert all(end is not None and end <= start for (_, end), (start, _) in pairwise(ordered))


def test_the_digest_is_of_the_rows_not_of_their_order() -> None:
    rows = list(BOOK.prices)
    assert digest(to_table(reversed(rows))) == BOOK.digest == digest(to_table(rows))
    changed = [rows[0]._replace(price_pico=rows[0].price_pico + 1), *rows[1:]]
    assert digest(to_table(changed)) != BOOK.digest
    assert digest(to_table(rows[1:])) != BOOK.digest


def test_the_digest_of_the_first_shipped_book_stays() -> None:
    """A proof pins it: rows that were shipped once are never changed, later ones are added with a later KnownFrom."""
    assert BOOK.digest == FIRST_DIGEST


def test_a_digest_by_hand() -> None:
    # sha256 of the JSON array of one row, moments as microseconds.
    day, second = datetime(1970, 1, 2, tzinfo=UTC), datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    what = ("S", "m", None, 'm "1"', "input", "standard", "Global", 0)
    row = Price(*what, day, None, second, 7, "USD", "list", "x", "1")
    text = (
        '["S","m",null,"m \\"1\\"","input","standard","Global",0,86400000000,null,1000000,7,"USD","list","x","1",'
        "false,null,null]"
    )
    assert digest(to_table([row])) == hashlib.sha256(text.encode()).hexdigest()


def test_a_correction_counts_from_when_it_was_known() -> None:
    row = BOOK.price("OpenAI", "gpt-5.5", "input", NOVEMBER)
    assert row is not None
    later = row._replace(known_from=datetime(2026, 12, 1, tzinfo=UTC), price_pico=4_000_000)
    withdrawn = later._replace(known_from=datetime(2026, 12, 2, tzinfo=UTC), valid_to=row.valid_from)
    table = to_table([row, withdrawn, later])

    def known(day: int, month: int = 12) -> list[int]:
        return [p.price_pico for p in from_table(as_known(table, datetime(2026, month, day, tzinfo=UTC)))]

    assert known(30, 11) == [5_000_000]
    assert known(1) == [4_000_000]
    assert known(2) == []
    assert known(1, 1) == []


def test_the_table_is_readable_in_sql(con: duckdb.DuckDBPyConnection) -> None:
    name = BOOK.relation(con)
    found = con.execute(
        f'SELECT "PricePico" FROM {name} WHERE "Seller" = ? AND "ModelId" = ? AND "TokenKind" = ? '
        'AND "ServiceTier" = ? AND "ServingRegion" = ? AND "ContextAbove" = 0',
        ["Anthropic", "claude-opus-5", "output", "standard", "Global"],
    ).fetchall()
    assert found == [(per_million("25"),)]


def test_the_moment_of_knowledge_needs_a_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        book.load(datetime(2026, 11, 21))  # noqa: DTZ001


def test_layers_are_told_apart() -> None:
    assert BOOK.layer("negotiated").table.num_rows == 0
    assert BOOK.layer("list").digest == BOOK.digest
    with pytest.raises(ValueError, match="list, negotiated"):
        BOOK.layer("mine")


def test_an_empty_book_has_the_columns_and_a_digest() -> None:
    empty = book.load(datetime(2000, 1, 1, tzinfo=UTC))
    assert empty.table.num_rows == 0
    assert isinstance(empty.table, pa.Table)
    assert len(empty.digest) == 64
