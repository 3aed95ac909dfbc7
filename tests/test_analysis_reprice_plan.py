from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from analysis.plan import AS_USED, FIELDS, Lever, Plan, PlanError, Target, parse_plan

ROUTE = 'action = "route"\nto = { provider = "OpenAI", model = "gpt-4.1-mini" }\n'


def errors(text: str) -> list[str]:
    with pytest.raises(PlanError) as caught:
        parse_plan(text)
    return list(caught.value.sentences)


def test_a_whole_plan() -> None:
    plan = parse_plan("""
        name = "Small model"
        description = "for easy requests"
        prices_at = 2026-07-30
        known_at = 2026-08-01T12:00:00+02:00

        [assume]
        tier = "standard"
        region = "Global"
        context = "Short"

        [[lever]]
        action = "route"
        where = { provider = "OpenAI", model = ["gpt-5.5", "gpt-5"], tag = { "user:team" = "search" } }
        share = 0.42
        to = { provider = "OpenAI", model = "gpt-4.1-mini", tier = "batch" }

        [[lever]]
        action = "cache"
        reads = 0.45
        writes = 0.04
        lifetime = "5m"

        [[lever]]
        action = "tier"
        tier = "flex"
        share = 1
    """)

    assert plan == Plan(
        name="Small model",
        description="for easy requests",
        prices_at=datetime(2026, 7, 30, tzinfo=UTC),
        known_at=datetime(2026, 8, 1, 10, tzinfo=UTC),
        assume_tier="standard",
        assume_region="Global",
        assume_context="Short",
        levers=(
            Lever(
                "route",
                {"provider": ("OpenAI",), "model": ("gpt-5.5", "gpt-5"), "tag:user:team": ("search",)},
                share=Decimal("0.42"),
                to=Target("OpenAI", "gpt-4.1-mini", tier="batch"),
            ),
            Lever("cache", {}, share=Decimal("0.45"), writes=Decimal("0.04"), lifetime="5m"),
            Lever("tier", {}, share=Decimal(1), tier="flex"),
        ),
    )
    assert plan.digits == 4
    assert plan.asks == ("provider", "model", "tag:user:team")


def test_an_empty_plan_prices_usage_as_it_was() -> None:
    assert parse_plan("").levers == AS_USED.levers == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            '[assume]\ntier = "Batch"',
            "[assume] tier 'Batch' is not known; there are standard, batch, flex, priority, fast.",
        ),
        ('[assume]\nregion = "EU"', "[assume] region 'EU' is not known; there are Global, Data Zone, Regional."),
        ('[assume]\ncontext = "long"', "[assume] context 'long' is not known; there are Short, Long."),
        (
            '[[lever]]\naction = "tier"\ntier = "provisioned"',
            "Lever 1: tier 'provisioned' is not known; there are standard, batch, flex, priority, fast.",
        ),
        (
            '[[lever]]\naction = "region"',
            "Lever 1 does not say which region; there are Global, Data Zone, Regional.",
        ),
        (
            '[[lever]]\naction = "rout"',
            "Lever 1: action 'rout' is not known; there are route, cache, uncache, tier, region.",
        ),
        ("[[lever]]\nshare = 1", "Lever 1 has no action; there are route, cache, uncache, tier, region."),
        (
            '[[lever]]\naction = "route"',
            'Lever 1 does not say where to: to = { provider = "...", model = "..." }.',
        ),
        ('[[lever]]\naction = "uncache"\nshare = 1.01', "Lever 1: share is 1.01, which is not from 0 to 1."),
        ('[[lever]]\naction = "uncache"\nshare = "half"', "Lever 1: share is no number from 0 to 1."),
        ('[[lever]]\naction = "uncache"\nshare = nan', "Lever 1: share is NaN, which is not from 0 to 1."),
        (
            '[[lever]]\naction = "cache"',
            "Lever 1 does not say which share of the input is read from the cache (reads).",
        ),
        (
            '[[lever]]\naction = "cache"\nreads = 0.9\nwrites = 0.2',
            "Lever 1: reads and writes are more than the whole input together.",
        ),
        (
            '[[lever]]\naction = "cache"\nreads = 0.9\nlifetime = "2h"',
            "Lever 1: lifetime '2h' is not known; there are 5m, 30m, 1h, 12h.",
        ),
        (
            f'[[lever]]\n{ROUTE}where = {{ modle = "x" }}',
            f"Lever 1: where has 'modle', which is not known; there are {', '.join((*FIELDS, 'tag'))}.",
        ),
        (
            f'[[lever]]\n{ROUTE}where = {{ tier = "bacth" }}',
            "Lever 1: where tier 'bacth' is not known; there are standard, batch, flex, priority, fast, provisioned.",
        ),
        (f"[[lever]]\n{ROUTE}where = {{ model = 5 }}", "Lever 1: where model is neither a text nor a list of texts."),
        (
            f"[[lever]]\n{ROUTE}shares = 1",
            "Lever 1 has 'shares', which is not known; there are action, where, share, to.",
        ),
        (f"[lever]\n{ROUTE}", "Levers are written as [[lever]], with two brackets."),
        (
            'prices_at = "2026-07-30"',
            "prices_at is no date; write 2026-07-30 or 2026-07-30T00:00:00Z, without quotation marks.",
        ),
        (
            "date = 2026-07-30",
            "The plan has 'date', which is not known; there are name, description, prices_at, known_at, assume, lever.",
        ),
        (
            '[[lever]]\naction = "uncache"\nshare = 0.1234567\n[[lever]]\naction = "uncache"\nshare = 0.123456',
            "The shares have 13 fraction digits in all, and tokens are split exactly to 12 only; write them shorter.",
        ),
    ],
)
def test_what_is_not_understood_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    assert errors(text) == [sentence]


def test_every_error_is_told_at_once() -> None:
    found = errors('nmae = "x"\n[assume]\ntier = "Batch"\n[[lever]]\naction = "route"\nshare = 2')

    assert [sentence.split()[0] for sentence in found] == ["The", "[assume]", "Lever", "Lever"]


def test_no_toml_at_all() -> None:
    (sentence,) = errors("action: route")

    assert sentence.startswith("The plan is no TOML: ")


def test_the_documented_plan_is_one() -> None:
    page = (Path(__file__).parents[1] / "docs" / "plan.md").read_text()
    example = page.split("```toml\n", 1)[1].split("```", 1)[0]

    plan = parse_plan(example)

    assert [lever.action for lever in plan.levers] == ["route", "cache", "tier"]
