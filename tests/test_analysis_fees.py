"""Fees: golden amounts, lines that add up, refusals, and the columns that must agree with the one price."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.fees import Fee, Line, Money, VerifiedSaving, price, true_up
from analysis.fees_nodes import (
    Annual,
    Cap,
    Credit,
    Discount,
    Expression,
    FeeError,
    Flat,
    Floor,
    Graduated,
    GreaterOf,
    LesserOf,
    MinimumCommitment,
    Node,
    Package,
    Percent,
    PerUnit,
    Rounding,
    SavingsShare,
    Seats,
    Sum,
    Tier,
    Volume,
    most,
)
from analysis.fees_table import Metered, prices

EARLY = LesserOf((Flat(Decimal(99), "Never more than $99"), Percent("ai_spend", Decimal("0.02"))))
MID = LesserOf((Flat(Decimal(499)), Percent("ai_spend", Decimal("0.05"))))
ENTERPRISE = Graduated(
    "ai_spend",
    (Tier(Decimal(200_000), Decimal("0.15")), Tier(Decimal(500_000), Decimal("0.12")), Tier(None, Decimal("0.08"))),
)


def usd(text: str) -> Money:
    return Money(Decimal(text), "USD")


def saving(text: str) -> VerifiedSaving:
    return VerifiedSaving(usd(text), "T2", "proof-1")


@pytest.mark.parametrize(
    ("node", "metrics", "amount"),
    [
        (EARLY, {"ai_spend": usd("0")}, "0.00"),
        (EARLY, {"ai_spend": usd("3200")}, "64.00"),
        (EARLY, {"ai_spend": usd("4950")}, "99.00"),
        (EARLY, {"ai_spend": usd("20000")}, "99.00"),
        (MID, {"ai_spend": usd("9980")}, "499.00"),
        (Percent("ai_spend", Decimal("0.12")), {"ai_spend": usd("250000")}, "30000.00"),
        (ENTERPRISE, {"ai_spend": usd("600000")}, "74000.00"),
        (PerUnit("insights", Decimal("0.10")), {"insights": 37}, "3.70"),
        (PerUnit("calls", Decimal("0.5"), included=Decimal(10)), {"calls": 15}, "2.50"),
        (PerUnit("calls", Decimal("0.5"), included=Decimal(10)), {"calls": 9}, "0.00"),
        (Seats("seats", Decimal(15), minimum=Decimal(3)), {"seats": 1}, "45.00"),
        (Seats("seats", Decimal(15), minimum=Decimal(3)), {"seats": 14}, "210.00"),
        (PerUnit("sessions", Decimal("0.01")), {"sessions": 123_456}, "1234.56"),
        (Annual(Decimal(99), Decimal("0.15")), {}, "1009.80"),
        (GreaterOf((Flat(Decimal(500)), Percent("ai_spend", Decimal("0.01")))), {"ai_spend": usd("30000")}, "500.00"),
        (GreaterOf((Flat(Decimal(500)), Percent("ai_spend", Decimal("0.01")))), {"ai_spend": usd("80000")}, "800.00"),
        (Graduated("calls", (Tier(Decimal(10), Decimal(1)), Tier(None, Decimal("0.5")))), {"calls": 15}, "12.50"),
        (Volume("calls", (Tier(Decimal(10), Decimal(1)), Tier(None, Decimal("0.5")))), {"calls": 10}, "10.00"),
        (Volume("calls", (Tier(Decimal(10), Decimal(1)), Tier(None, Decimal("0.5")))), {"calls": 15}, "7.50"),
        (Package("messages", Decimal(1000), Decimal(9)), {"messages": 1001}, "18.00"),
        (Package("messages", Decimal(1000), Decimal(9)), {"messages": 0}, "0.00"),
        (Cap(SavingsShare("saving", Decimal("0.2")), Decimal(5000)), {"saving": saving("-700")}, "0.00"),
        (Cap(SavingsShare("saving", Decimal("0.2")), Decimal(5000)), {"saving": saving("12345.67")}, "2469.13"),
        (Cap(SavingsShare("saving", Decimal("0.2")), Decimal(5000)), {"saving": saving("90000")}, "5000.00"),
        (Cap(SavingsShare("saving", Decimal("0.2")), Decimal(5000)), {}, "0.00"),
        (SavingsShare("saving", Decimal("0.2"), deductible=Decimal(100)), {"saving": saving("600")}, "100.00"),
        (Floor(Percent("ai_spend", Decimal("0.02")), Decimal(20)), {"ai_spend": usd("100")}, "20.00"),
        (MinimumCommitment(Flat(Decimal(30)), Decimal(50)), {}, "50.00"),
        (Sum((Flat(Decimal(30)), PerUnit("calls", Decimal("0.1")))), {"calls": 5}, "30.50"),
        (Discount(EARLY, rate=Decimal("0.2"), periods=3), {"ai_spend": usd("9000"), "period": 3}, "79.20"),
        (Discount(EARLY, rate=Decimal("0.2"), periods=3), {"ai_spend": usd("9000"), "period": 4}, "99.00"),
        (Discount(Flat(Decimal(30)), amount=Decimal(50)), {}, "0.00"),
        (Credit(Flat(Decimal(30)), "balance"), {"balance": usd("12")}, "18.00"),
    ],
)
def test_golden_fees(node: Node, metrics: dict[str, Any], amount: str) -> None:
    fee = price(Expression(node), metrics)
    assert f"{fee.amount}" == amount
    assert sum(line.amount for line in fee.lines if line.counted) == fee.amount
    columns = {
        name: [v.amount if isinstance(v, Money) else v.lower.amount if isinstance(v, VerifiedSaving) else v]
        for name, v in metrics.items()
    }
    assert prices(Expression(node), Metered(columns or {"saving": [None]}, "USD")) == [Decimal(amount)]


def test_the_lines_say_what_was_charged_and_what_was_not() -> None:
    fee = price(Expression(EARLY), {"ai_spend": usd("4000")})
    assert fee == Fee(
        Decimal("80.00"),
        "USD",
        (
            Line("2 % of AI spend, 4000 USD", Decimal("80.00")),
            Line("Not charged: Never more than $99", Decimal(99), counted=False),
        ),
    )


def test_it_is_rounded_once_by_the_named_rule() -> None:
    tiny = Sum((Percent("ai_spend", Decimal("0.005")), Percent("ai_spend", Decimal("0.005"))))
    # 0.5 + 0.5 of a cent is one cent, which rounding each would not show.
    assert price(Expression(tiny), {"ai_spend": usd("1")}).amount == Decimal("0.01")
    half = Percent("ai_spend", Decimal("0.5"))
    assert price(Expression(half), {"ai_spend": usd("0.01")}).amount == Decimal("0.01")
    assert price(Expression(half, rounding=Rounding.DOWN), {"ai_spend": usd("0.01")}).amount == Decimal("0.00")
    assert price(Expression(Flat(Decimal("10.5")), "JPY"), {}).amount == Decimal(11)
    assert price(Expression(Flat(Decimal("1.0005")), "KWD"), {}).lines[-1].text == "Rounded half-up to 0.001 KWD"


@pytest.mark.parametrize(
    ("node", "metrics", "said"),
    [
        (EARLY, {}, "needs AI spend"),
        (EARLY, {"ai_spend": usd("-1")}, "zero or more"),
        (EARLY, {"ai_spend": usd("NaN")}, "zero or more"),
        (EARLY, {"ai_spend": Money(Decimal(4000), "EUR")}, "never mixed"),
        (EARLY, {"ai_spend": Decimal(4000)}, "with its currency"),
        (Sum((Flat(Decimal(1)), EARLY)), {"ai_spend": usd("1e-200")}, "more digits than a fee can be exact"),
        (PerUnit("calls", Decimal(1), maximum=Decimal(5)), {"calls": 6}, "at most 5 calls"),
        (PerUnit("calls", Decimal(1)), {"calls": usd("3")}, "is a number"),
        (SavingsShare("saving", Decimal("0.2")), {"saving": Decimal(100)}, "verified saving with its proof"),
        (Discount(Flat(Decimal(1)), rate=Decimal("0.2"), periods=3), {}, "needs period"),
    ],
)
def test_what_cannot_be_priced_is_refused(node: Node, metrics: dict[str, Any], said: str) -> None:
    with pytest.raises(FeeError, match=said):
        price(Expression(node), metrics)


def test_wrong_prices_are_refused_when_they_are_made() -> None:
    for make, said in (
        (lambda: Percent("ai_spend", Decimal("1.01")), "between 0 and 100 %; this one is 101"),
        (lambda: Percent("ai_spend", Decimal("-0.1")), "between 0 and 100 %"),
        (lambda: Flat(Decimal(-1)), "zero or more"),
        (lambda: Package("calls", Decimal(0), Decimal(1)), "more than nothing"),
        (lambda: Graduated("calls", (Tier(Decimal(10), Decimal(1)),)), "without a bound"),
        (
            lambda: Graduated(
                "calls", (Tier(Decimal(10), Decimal(1)), Tier(Decimal(5), Decimal(1)), Tier(None, Decimal(1)))
            ),
            "must rise",
        ),
        (lambda: Discount(Flat(Decimal(1))), "either a rate or an amount"),
        (lambda: LesserOf(()), "at least one"),
        (lambda: Expression(Flat(Decimal(1)), "usd"), "ISO 4217"),
        (lambda: VerifiedSaving(usd("10"), "T4", "p"), "carries no fee"),
        (lambda: VerifiedSaving(usd("10"), "T2", ""), "names the signed proof"),
    ):
        with pytest.raises(FeeError, match=said):
            make()


def test_a_provisional_fee_is_trued_up() -> None:
    charged, final = (price(Expression(EARLY), {"ai_spend": usd(text)}) for text in ("4000", "4400"))
    rest = true_up(charged, final)
    assert (rest.amount, sum(line.amount for line in rest.lines)) == (Decimal("8.00"), Decimal("8.00"))
    assert true_up(final, charged).amount == Decimal("-8.00")
    with pytest.raises(FeeError, match="cannot be trued up"):
        true_up(charged, Fee(Decimal(1), "EUR", ()))


def test_the_most_that_a_price_can_be() -> None:
    assert most(EARLY) == 99
    assert most(ENTERPRISE) is None
    assert most(Cap(SavingsShare("s", Decimal("0.2")), Decimal(5000))) == 5000
    assert most(Sum((EARLY, Flat(Decimal(1))))) == 100
    assert most(Sum((EARLY, ENTERPRISE))) is None
    assert most(GreaterOf((EARLY, MID))) == 499


def test_early_is_never_dearer_than_mid() -> None:
    draw = random.Random(7)  # noqa: S311 - spends of a test
    spends = [Decimal(draw.randrange(10**10)).scaleb(-4) for _ in range(10_000)]
    metered = Metered({"ai_spend": spends}, "USD")
    assert all(
        e <= m for e, m in zip(prices(Expression(EARLY), metered), prices(Expression(MID), metered), strict=True)
    )


amounts = st.decimals(0, 10**9, places=4)
rates = st.decimals(0, 1, places=4)
tiers = st.lists(st.decimals("0.01", 10**6, places=2), max_size=3, unique=True).flatmap(
    lambda bounds: st.lists(rates, min_size=len(bounds) + 1, max_size=len(bounds) + 1).map(
        lambda each: tuple(Tier(b, r) for b, r in zip([*sorted(bounds), None], each, strict=True))
    )
)
leaves: st.SearchStrategy[Node] = st.one_of(
    st.builds(Flat, amounts),
    st.builds(Annual, amounts, rates),
    st.builds(PerUnit, st.just("calls"), rates, amounts),
    st.builds(Seats, st.just("calls"), amounts, amounts),
    st.builds(Percent, st.just("ai_spend"), rates, amounts),
    st.builds(Graduated, st.sampled_from(["ai_spend", "calls"]), tiers),
    st.builds(Volume, st.sampled_from(["ai_spend", "calls"]), tiers),
    st.builds(Package, st.just("calls"), st.decimals("0.01", 1000, places=2), amounts),
    st.builds(SavingsShare, st.just("saving"), rates, amounts),
)


def _wrapped(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(LesserOf, several),
        st.builds(GreaterOf, several),
        st.builds(Sum, several),
        st.builds(Cap, inner, amounts),
        st.builds(Floor, inner, amounts),
        st.builds(MinimumCommitment, inner, amounts),
        st.builds(Discount, inner, rates, st.none(), st.none() | st.integers(1, 5)),
        st.builds(Discount, inner, st.none(), amounts, st.none() | st.integers(1, 5)),
        st.builds(Credit, inner, st.just("balance")),
    )


nodes = st.recursive(leaves, _wrapped, max_leaves=6)


@settings(max_examples=300, deadline=None)
@given(
    nodes,
    st.sampled_from(Rounding),
    st.lists(
        st.tuples(amounts, amounts, amounts, st.decimals(-(10**6), 10**6, places=3), st.integers(1, 6)),
        min_size=1,
        max_size=4,
    ),
)
def test_columns_agree_with_the_one_price_to_the_last_digit(
    node: Node, rounding: Rounding, rows: list[tuple[Decimal, Decimal, Decimal, Decimal, int]]
) -> None:
    expression = Expression(node, rounding=rounding)
    names = ("ai_spend", "calls", "balance", "saving", "period")
    columns = {name: [row[n] for row in rows] for n, name in enumerate(names)}
    one_by_one = [
        price(
            expression,
            {
                "ai_spend": Money(spend, "USD"),
                "calls": calls,
                "balance": Money(balance, "USD"),
                "saving": VerifiedSaving(Money(lower, "USD"), "T1", "p"),
                "period": period,
            },
        )
        for spend, calls, balance, lower, period in rows
    ]
    assert prices(expression, Metered(columns, "USD")) == [fee.amount for fee in one_by_one]
    for fee in one_by_one:
        assert sum((line.amount for line in fee.lines if line.counted), Decimal(0)) == fee.amount
        assert fee.amount >= 0
        bound = most(node)
        assert bound is None or fee.amount <= bound.quantize(Decimal("0.01"), "ROUND_UP")


@given(st.decimals(0, 10**6, places=6), rates)
def test_a_share_of_a_saving_never_exceeds_it(lower: Decimal, rate: Decimal) -> None:
    expression = Expression(SavingsShare("saving", rate), rounding=Rounding.DOWN)
    assert price(expression, {"saving": saving(str(lower))}).amount <= lower


@pytest.mark.parametrize(
    ("columns", "currency", "said"),
    [
        ({"ai_spend": [Decimal(1)]}, "EUR", "in EUR and the price in USD"),
        ({"calls": [Decimal(1)]}, "USD", "needs ai_spend"),
        ({"ai_spend": [Decimal(1), Decimal(-1)]}, "USD", "row 2 must be a number of zero or more; this one is -1"),
        ({"ai_spend": [Decimal(1), None]}, "USD", "missing in row 2"),
        ({"ai_spend": [Decimal(1)], "calls": []}, "USD", "different length"),
    ],
)
def test_columns_that_cannot_be_priced_are_refused(
    columns: dict[str, list[Decimal | None]], currency: str, said: str
) -> None:
    with pytest.raises(FeeError, match=said):
        prices(Expression(EARLY), Metered(columns, currency))
