"""Reading and combining the sources: what is taken, what is left out, which price stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest
from genai_prices import Usage
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo

from connectors.models import identity
from ledger.price_book import book, genai, litellm_map
from ledger.price_book.combine import combine
from ledger.price_book.naming import Name, identities, identity_of
from ledger.price_book.rows import BEGINNING, Price, Span, Statement, pico_of
from ledger.price_book.shipped import shipped_left_out
from ledger.price_book.sources import SourceMissingError, read_sources

NOW = datetime(2026, 11, 20, tzinfo=UTC)
MID = datetime(2026, 6, 1, tzinfo=UTC)
CUT = datetime(2026, 8, 1, tzinfo=UTC)


def cost_map(folder: Path, **entries: dict[str, Any]) -> Path:
    file = folder / "map.json"
    file.write_text(json.dumps(entries))
    return file


def statement(prices: dict[tuple[str, str, int], list[Span]], source: str = "genai-prices", **how: Any) -> Statement:
    how = {"seller": "OpenAI", "name": "gpt-x", "region": "Global", "source_version": "1", **how}
    return Statement(source=source, prices=prices, **how)


def always(pico: int) -> list[Span]:
    return [Span(BEGINNING, None, pico)]


def rows(first: list[Statement], second: list[Statement], **how: Any) -> list[Price]:
    spelled = {s.name for s in (*first, *second)} | {a for s in first for a in s.aliases}
    return combine(first, second, identities(spelled), now=NOW, **how)[0]


def told(prices: list[Price]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    return {
        (p.serving_region, p.token_kind, p.service_tier, p.context_above, p.valid_from): (
            p.price_pico,
            p.source,
            p.other_price_pico,
        )
        for p in prices
    }


def test_one_percent_is_no_dispute_and_more_is() -> None:
    first = [statement({("input", "standard", 0): always(10_000), ("output", "standard", 0): always(10_000)})]
    second = [
        statement({("input", "standard", 0): always(10_100), ("output", "standard", 0): always(10_101)}, "litellm")
    ]
    assert told(rows(first, second)) == {
        ("Global", "input", "standard", 0, BEGINNING): (10_000, "genai-prices", None),
        ("Global", "output", "standard", 0, BEGINNING): (10_000, "genai-prices", 10_101),
    }


def test_an_undated_price_is_held_against_the_price_of_now_alone_and_fills_from_the_last_change_on() -> None:
    first = [statement({("input", "standard", 0): [Span(BEGINNING, CUT, 10), Span(CUT, None, 5)]})]
    second = [
        statement({("input", "standard", 0): always(5), ("cache_write_12h", "standard", 0): always(9)}, "litellm")
    ]
    assert told(rows(first, second)) == {
        ("Global", "input", "standard", 0, BEGINNING): (10, "genai-prices", None),
        ("Global", "input", "standard", 0, CUT): (5, "genai-prices", None),
        ("Global", "cache_write_12h", "standard", 0, CUT): (9, "litellm", None),
    }


def test_the_second_source_does_not_fill_the_time_before_a_dated_tier() -> None:
    first = [statement({("input", "standard", 0): always(10), ("input", "batch", 0): [Span(CUT, None, 5)]})]
    second = [statement({("input", "batch", 0): always(5)}, "litellm")]
    batch = {key: value for key, value in told(rows(first, second)).items() if key[2] == "batch"}
    assert batch == {("Global", "input", "batch", 0, CUT): (5, "genai-prices", None)}


def test_a_context_step_of_one_source_alone_is_in_dispute() -> None:
    first = [statement({("input", "standard", 0): always(3)})]
    second = [statement({("input", "standard", 0): always(3), ("input", "standard", 200_000): always(6)}, "litellm")]
    found = told(rows(first, second))
    assert found["Global", "input", "standard", 200_000, BEGINNING] == (3, "genai-prices", 6)
    found = told(rows([statement({**second[0].prices})], [statement({("input", "standard", 0): always(3)}, "litellm")]))
    assert found["Global", "input", "standard", 200_000, BEGINNING] == (6, "genai-prices", 3)


def test_an_uplift_is_exact_or_left_out() -> None:
    first = [statement({("input", "standard", 0): always(10), ("output", "standard", 0): always(15)})]
    second = [
        statement({("input", "standard", 0): always(10)}, "litellm", uplifts={"Data Zone": Decimal("1.1")}),
    ]
    prices, left_out = combine(first, second, identities(["gpt-x"]), now=NOW)
    zone = {key: value for key, value in told(prices).items() if key[0] == "Data Zone"}
    assert zone == {("Data Zone", "input", "standard", 0, BEGINNING): (11, "genai-prices, litellm uplift", None)}
    assert ["whole number" in item.reason for item in left_out] == [True]


def test_releases_at_the_same_price_are_the_model_and_others_are_apart() -> None:
    prices = {("input", "standard", 0): always(10)}
    dear = {("input", "standard", 0): always(20)}
    names = ["gpt-x-2026-01-01", "gpt-x-2026-02-01"]
    same = rows([statement(prices, name=name) for name in names], [])
    assert [(p.model_id, p.model_version) for p in same] == [("gpt-x", None)]
    apart = rows([statement(prices, name=names[0]), statement(dear, name=names[1])], [])
    assert {(p.model_version, p.price_pico) for p in apart} == {("2026-01-01", 10), ("2026-02-01", 20)}


def test_a_release_that_is_the_model_brings_what_is_said_of_other_places_along() -> None:
    first = [statement({("input", "standard", 0): always(10)}, name="gpt-x")]
    named = {"name": "gpt-x-2026-01-01", "source": "litellm"}
    second = [
        statement({("input", "standard", 0): always(10)}, **named),
        statement({("input", "standard", 0): always(13)}, **named, rank=litellm_map.WITNESS),
    ]
    assert told(rows(first, second)) == {("Global", "input", "standard", 0, BEGINNING): (10, "genai-prices", 13)}


def test_a_name_that_the_source_states_for_a_model_is_that_model() -> None:
    first = [statement({("input", "standard", 0): always(10)}, aliases=("gpt-x-codex", "gpt-x-2026-01-01"))]
    assert {(p.model_id, p.model_version) for p in rows(first, [])} == {("gpt-x", None), ("gpt-x-codex", None)}


def test_what_the_first_source_cannot_express_is_not_filled_by_the_second() -> None:
    second = [statement({("input", "standard", 0): always(5)}, "litellm", name="deepseek-x", seller="DeepSeek")]
    assert len(rows([], second)) == 1
    assert rows([], second, unread=[("DeepSeek", "deepseek-x")]) == []


def test_the_cost_map_is_read_and_not_guessed(tmp_path: Path) -> None:
    file = cost_map(
        tmp_path,
        **{
            "azure/us/gpt-x": {
                "litellm_provider": "azure",
                "input_cost_per_token": 5.5e-07,
                "input_cost_per_token_above_272k_tokens_batches": 1.1e-06,
                "output_cost_per_token": 0,
                "search_context_cost_per_query": {"low": 0.01},
                "cache_read_input_token_cost": 1e-13,
            },
            "xai/grok-x": {"litellm_provider": "xai", "input_cost_per_token_above_200k_tokens": 4e-06},
            "deepseek/d": {"litellm_provider": "deepseek", "input_cost_per_token": 1e-06, "off_peak_pricing": {}},
            "bedrock/us-gov-west-1/amazon.nova-x": {"litellm_provider": "bedrock", "input_cost_per_token": 1e-06},
            "someone/else": {"litellm_provider": "someone", "input_cost_per_token": 1e-06},
        },
    )
    statements, left_out = litellm_map.read(file, "1.0")
    assert [(s.seller, s.name, s.region, s.prices) for s in statements] == [
        (
            "Microsoft",
            "gpt-x",
            "Data Zone",
            {("input", "standard", 0): always(550_000), ("input", "batch", 272_000): always(1_100_000)},
        ),
        # xAI's step begins at the limit.
        ("xAI", "grok-x", "Global", {("input", "standard", 199_999): always(4_000_000)}),
    ]
    assert {(item.model_name, item.key) for item in left_out} == {
        ("azure/us/gpt-x", "output_cost_per_token"),
        ("azure/us/gpt-x", "search_context_cost_per_query"),
        ("azure/us/gpt-x", "cache_read_input_token_cost"),
        ("deepseek/d", "prices"),
        ("bedrock/us-gov-west-1/amazon.nova-x", "prices"),
    }


def test_a_file_that_is_no_cost_map_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not LiteLLM's cost map"):
        litellm_map.read(cost_map(tmp_path, a={"b": 1}), "1.0")


def test_a_missing_source_is_named_with_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_: str) -> str:
        raise litellm_map.metadata.PackageNotFoundError("litellm")

    monkeypatch.setattr(litellm_map.metadata, "files", absent)
    with pytest.raises(SourceMissingError, match="--no-deps litellm"):
        read_sources(NOW)


def test_the_identity_of_a_model_is_that_of_the_mappings() -> None:
    spelled = [
        "Claude4.6Sonnet",
        "Claude Sonnet 4.6",
        "us.anthropic.claude-sonnet-4-6-20260101-v1:0",
        "anthropic/claude-sonnet-4.6",
        "NovaLite",
        "gpt-5.5-2026-04-23",
        "publishers/google/models/gemini-2.5-pro",
        "mistral-large-latest",
    ]
    table = ibis.memtable(pa.table({"name": spelled}))
    found = identity(table["name"])
    expected = table.select("name", id=found.id, version=found.version).to_pyarrow().to_pylist()
    assert identities(spelled) == {row["name"]: Name(row["id"], row["version"]) for row in expected}
    assert identity_of("us.anthropic.claude-sonnet-4-6-20260101-v1:0") == Name("claude-sonnet-4-6", "20260101")
    assert identity_of("accounts/fireworks/models/deepseek-r1").model_id == "deepseek-r1"
    assert identity_of("claude-opus-5@default").model_id == "claude-opus-5"


def stated(model: ModelInfo) -> Iterator[tuple[str, Decimal]]:
    """Every amount that genai-prices states for a model in a context that the book has a tier for."""
    parts = [c.prices for c in model.prices] if isinstance(model.prices, list) else [model.prices]
    parts += [v.prices for v in model.price_variants or () if next(iter(v.when.items())) in genai.CONTEXTS]
    for prices in parts:
        for key, value in vars(prices).items():
            if isinstance(value, Decimal):
                yield key, value
            elif value is not None:
                yield from ((key, amount) for amount in (value.base, *(tier.price for tier in value.tiers)))


def test_every_price_of_genai_prices_is_in_the_book_or_listed() -> None:
    statements, left_out = genai.read()
    read = {(s.seller, span.pico) for s in statements for spans in s.prices.values() for span in spans}
    listed = {(item.seller, item.model_name, item.key) for item in left_out}
    for provider in get_snapshot().providers:
        seller = genai.GENAI_SELLERS.get(provider.id) or str(provider.name)
        for model in provider.models:
            for key, amount in stated(model):
                if listed.isdisjoint({(seller, model.id, "prices"), (seller, model.id, key)}):
                    assert (seller, pico_of(amount / genai.KINDS[key][1])) in read, (seller, model.id, key)


def test_the_book_says_what_genai_prices_says() -> None:
    """Input and output of every model read from it, around the context steps, by the library's own arithmetic."""
    current = book.load(datetime(2026, 11, 21, tzinfo=UTC))
    providers = [p for p in get_snapshot().providers if p.id in {"openai", "anthropic", "google"}]
    names = identities(model.id for provider in providers for model in provider.models)
    checked = 0
    for provider in providers:
        seller = genai.GENAI_SELLERS.get(provider.id) or str(provider.name)
        for model in provider.models:
            name = names[model.id]
            for size in (1_000, 200_000, 200_001, 272_000, 272_001):
                how: dict[str, Any] = {"input_tokens": size, "version": name.version}
                found = [current.price(seller, name.model_id, kind, MID, **how) for kind in ("input", "output")]
                if any(p is None or (p.model_name, p.source) != (model.id, genai.SOURCE) for p in found):
                    continue
                usage = Usage(input_tokens=size, output_tokens=1_000)
                spent = model.calc_price(usage, provider, genai_request_timestamp=MID)
                mine = sum(p.price_pico * n for p, n in zip(found, (size, 1_000), strict=True) if p)
                assert Decimal(mine).scaleb(-12) == spent.total_price, (model.id, size)
                checked += 1
    assert checked > 500


def test_what_is_left_out_of_the_shipped_book_has_a_reason() -> None:
    assert all(item.reason and item.source in {"genai-prices", "litellm"} for item in shipped_left_out())
    assert any("time of day" in item.reason for item in shipped_left_out())
