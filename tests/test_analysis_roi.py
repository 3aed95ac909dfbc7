"""Return of a saving: finance by golden numbers, estimates by hand, levers, baselines and projections, and refusals."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.fees_nodes import Expression, Flat, LesserOf, Percent, SavingsShare
from analysis.finance import Flow, breakeven, dated_irr, irr, months_after, npv
from analysis.projection import Growth, mixed, needed, project
from analysis.roi import CASES, Case, Range, roi
from analysis.roi_baseline import baseline
from analysis.roi_levers import LEVERS, assumptions, parts, saved_share, split

START = date(2027, 1, 1)
EARLY = Expression(LesserOf((Flat(Decimal(99)), Percent("ai_spend", Decimal("0.02")))))


def span(low: str, expected: str | None = None, high: str | None = None) -> Range:
    return Range(Decimal(low), Decimal(expected or low), Decimal(high or expected or low), "test")


def case(**other: Any) -> Case:
    facts = {
        "currency": "USD",
        "baseline": span("10000"),
        "saving": span("1000", "2000", "3000"),
        "price": EARLY,
        "plan": "early",
        "implementation": span("5000"),
        "running": Decimal(0),
        "ramp": 0,
        "rate": Decimal("0.1"),
        "start": START,
    }
    return Case(**(facts | other))


@pytest.mark.parametrize(
    ("flows", "rate"),
    [
        ([-100, 39, 59, 55, 20], 0.2809484211599611),
        ([-100, 0, 0, 74], -0.0955),
        ([-100, 100, 0, 7], 0.06206),
    ],
)
def test_internal_rates_are_the_published_ones(flows: list[float], rate: float) -> None:
    found = irr(list(enumerate(flows)))
    assert found is not None
    assert abs(found - rate) < (1e-12 if len(str(rate)) > 10 else 5e-5)


def test_flows_that_change_sign_twice_or_never_have_no_rate() -> None:
    # NumPy's documentation gives -0.0833 for the first; the flows change sign twice, so it is not the only root.
    assert irr([(0, -100), (1, 100), (2, 0), (3, -7)]) is None
    assert irr([(0, -100), (1, -1)]) is None
    assert irr([(0, 0), (1, 5)]) is None
    assert irr([]) is None


@given(st.lists(st.floats(1, 1e6), min_size=1, max_size=36), st.floats(1, 1e6))
def test_an_internal_rate_makes_the_present_value_zero(gains: list[float], laid_out: float) -> None:
    flows = [(0.0, -laid_out), *((n / 12, gain) for n, gain in enumerate(gains, 1))]
    rate = irr(flows)
    if rate is not None and -0.99 < rate < 1e6:
        assert abs(sum(amount * (1 + rate) ** -time for time, amount in flows)) < 1e-5 * laid_out


def test_present_value_by_hand() -> None:
    flows = [Flow(START, Decimal(-100)), Flow(date(2028, 1, 1), Decimal(110))]
    assert npv(flows, Decimal("0.1"), START) == 0
    assert npv(flows, Decimal(0), START) == 10
    assert dated_irr(flows, START) == Decimal("0.1")
    with pytest.raises(ValueError, match="above -100 %"):
        npv(flows, Decimal(-1), START)


def test_months_end_where_they_end() -> None:
    assert [months_after(date(2027, 1, 31), n) for n in (1, 12)] == [date(2027, 2, 28), date(2028, 1, 31)]


@pytest.mark.parametrize(
    ("laid_out", "months", "days"),
    [
        ("310", ["310", "0"], 31),
        ("155", ["310"], 16),
        ("310", ["0", "280"], None),
        ("280", ["0", "280"], 59),
        ("0", ["5"], 0),
        # It is covered in January, lost again in February, and covered for good in the middle of March.
        ("100", ["200", "-200", "200"], 31 + 28 + 16),
    ],
)
def test_breakeven_by_hand(laid_out: str, months: list[str], days: int | None) -> None:
    assert breakeven(Decimal(laid_out), [Decimal(m) for m in months], START) == days


def test_an_estimate_by_hand() -> None:
    low, expected, high = roi(case()).over(12)
    # 12 x (1000 - 99) - 5000 = 5812, on 12 x 99 + 5000 = 6188 laid out.
    assert (low.saving, low.fee, low.implementation, low.net) == (12000, 1188, 5000, 5812)
    assert low.roi == (Decimal(5812) / 6188).quantize(Decimal("1e-12"))
    assert (expected.net, high.net) == (17812, 29812)
    assert low.npv < low.net
    assert low.effective_rate == Decimal("0.0901")
    # 5000 / 901 is 5.549 months: June is the sixth, and 0.549 of its 30 days are 17.
    assert (low.breakeven, low.payback) == (31 + 28 + 31 + 30 + 31 + 17, date(2027, 6, 18))
    assert low.irr is not None
    assert low.irr > 1


def test_the_fee_is_taken_on_what_is_left() -> None:
    small = case(baseline=span("4000"), saving=span("1000"), implementation=span("0"))
    (month, *_) = roi(small).months["low"]
    assert month.fee == 60
    assert month.net == 940


def test_the_saving_grows_over_the_ramp() -> None:
    months = roi(case(ramp=3)).months["low"]
    assert [month.saving for month in months[:4]] == [Decimal("333.33"), Decimal("666.67"), 1000, 1000]


def test_low_is_the_low_saving_with_the_high_cost() -> None:
    low, expected, high = roi(case(implementation=span("1000", "2000", "9000"))).over(12)
    assert [o.implementation for o in (low, expected, high)] == [9000, 2000, 1000]


def test_half_of_a_claim_is_half_a_gain_and_a_whole_loss() -> None:
    halved = roi(case(saving=span("-200", "1000", "3000"), halved=True))
    assert [halved.months[c][0].saving for c in CASES] == [-200, 500, 1500]


def test_without_a_saving_the_fee_is_a_loss() -> None:
    found = roi(case(implementation=span("0"))).without
    assert (found.saving, found.net, found.breakeven, found.irr) == (0, -1188, None, None)
    share = Expression(SavingsShare("verified_saving", Decimal("0.2")))
    assert roi(case(price=share, implementation=span("0"))).without.net == 0


def test_a_saving_that_never_covers_its_cost_says_so() -> None:
    low, _, _ = roi(case(saving=span("50"))).over(36)
    assert low.breakeven is None
    assert low.payback is None
    assert low.net < 0
    assert low.roi is not None
    assert low.roi < 0


def test_nothing_that_costs_nothing_has_a_return() -> None:
    free = roi(case(price=Expression(Flat(Decimal(0))), implementation=span("0"))).over(12)[0]
    assert (free.roi, free.irr, free.breakeven) == (None, None, 0)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"baseline": span("0"), "saving": span("0")}, "nothing to save; give a spend above 0"),
        ({"saving": span("20000")}, "more than the spend"),
        ({"implementation": span("-1")}, "below zero"),
        ({"running": Decimal(-1)}, "below zero"),
        ({"ramp": 13}, "between 0 and 12 months"),
        ({"ramp": -1}, "between 0 and 12 months"),
        ({"rate": Decimal("1.5")}, "not 150"),
    ],
)
def test_cases_that_make_no_sense_are_refused(other: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        case(**other)


def test_horizons_and_ranges_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="between 1 and 36 months"):
        roi(case(), (48,))
    with pytest.raises(ValueError, match="between 1 and 36 months"):
        roi(case(), (-12,))
    with pytest.raises(ValueError, match="reaches 12 months, not 24"):
        roi(case(), (12,)).over(24)
    with pytest.raises(ValueError, match="from low over expected to high"):
        span("2", "1", "3")
    with pytest.raises(ValueError, match="from low over expected to high"):
        span("NaN")


def test_levers_are_pulled_on_what_is_left() -> None:
    both = saved_share({"batch": Decimal(1), "tier": Decimal(1)})
    assert both.expected == Decimal("0.75")
    assert (both.low, both.high) == (1 - Decimal("0.8") * Decimal("0.57"), 1 - Decimal("0.5") * Decimal("0.4"))
    by_lever = {lever.id: part for lever, part in split({"batch": Decimal(1), "tier": Decimal(1)}, "expected")}
    assert (by_lever["batch"], by_lever["tier"], by_lever["route"]) == (Decimal("0.5"), Decimal("0.25"), 0)
    assert saved_share({}).high == 0
    # Batch first saves 50 %, and 25 % after the tier; so does the tier: each 37.5 % in the mean.
    assert [p.any_order for p in parts({"batch": Decimal(1), "tier": Decimal(1)})] == [Decimal("0.375")] * 2
    assert all(lever.saves.source and lever.risk for lever in LEVERS)
    assert [a.name for a in assumptions({"batch": Decimal("0.3"), "route": Decimal(0)})] == ["Batch"]


@given(st.lists(st.decimals(0, 1, places=3), min_size=5, max_size=5))
def test_both_tellings_of_the_levers_add_up_to_the_whole(each: list[Decimal]) -> None:
    shares = {lever.id: share for lever, share in zip(LEVERS, each, strict=True)}
    whole = saved_share(shares).expected
    assert sum((p.in_order for p in parts(shares)), Decimal(0)) == whole
    assert abs(sum((p.any_order for p in parts(shares)), Decimal(0)) - whole) <= Decimal("1e-11")


@pytest.mark.parametrize(
    ("shares", "said"),
    [({"magic": "0.5"}, "no lever 'magic'"), ({"batch": "1.2"}, "not 120"), ({"batch": "-1"}, "0 to")],
)
def test_levers_that_make_no_sense_are_refused(shares: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        saved_share({name: Decimal(share) for name, share in shares.items()})


def spent(month: date, amount: str, first: int = 1, last: int | None = None, **other: Any) -> dict[str, Any]:
    end = months_after(month, 1).toordinal() - month.toordinal()
    facts = {"month": month, "currency": "USD", "connection": "a", "amount": Decimal(amount)}
    return facts | {"first": month.replace(day=first), "last": month.replace(day=last or end)} | other


def test_a_baseline_is_the_last_complete_months() -> None:
    rows = [spent(date(2026, m, 1), f"{m}000") for m in (6, 7, 8, 9)] + [spent(date(2026, 10, 1), "500", last=10)]
    found = baseline(rows)
    assert found.months == (date(2026, 7, 1), date(2026, 8, 1), date(2026, 9, 1))
    assert (found.spend.low, found.spend.expected, found.spend.high) == (7000, 8000, 9000)
    assert (found.horizons, found.notes) == ((12, 24, 36), ())


def test_few_months_carry_a_short_horizon() -> None:
    one = baseline([spent(date(2026, 9, 1), "9000")])
    assert one.horizons == (12,)
    assert any("One complete month only" in note for note in one.notes)
    two = baseline(
        [spent(date(2026, 8, 1), "1"), spent(date(2026, 9, 1), "9"), spent(date(2026, 9, 1), "9", connection="b")]
    )
    assert two.horizons == (12, 24)
    assert "b billed no AI in August 2026: a gap, or no use." in two.notes


def test_what_is_no_baseline_is_refused() -> None:
    with pytest.raises(ValueError, match="No AI charges are loaded"):
        baseline([])
    with pytest.raises(ValueError, match="cover 10 days and no complete month"):
        baseline([spent(date(2026, 9, 1), "9", first=3, last=12)])
    with pytest.raises(ValueError, match="August 2026 is missing or incomplete between July 2026 and September 2026"):
        baseline([spent(date(2026, 7, 1), "9"), spent(date(2026, 9, 1), "9")])
    two = [spent(date(2026, 9, 1), "9"), spent(date(2026, 9, 1), "9", currency="EUR")]
    with pytest.raises(ValueError, match="in EUR and USD, which are never summed"):
        baseline(two)
    assert baseline(two, "EUR").currency == "EUR"


def test_revenue_grows_evenly_between_what_is_known() -> None:
    prices = {"pro": Decimal(8), "team": Decimal(15)}
    found = project(Growth(prices, {3: {}, 6: {"pro": Decimal(100)}, 12: {"pro": Decimal(300), "team": Decimal(200)}}))
    assert [m.mrr for m in found.months[2:7]] == [0, Decimal("266.67"), Decimal("533.33"), 800, Decimal("1566.67")]
    assert (found.mrr, found.arr) == (5400, 64800)
    assert found.collected_high == Decimal(22500)
    assert found.collected_low == Decimal(19800)


def test_users_conversion_and_mix_make_customers() -> None:
    assert mixed(Decimal(10000), Decimal("0.05"), {"a": Decimal("0.9"), "b": Decimal("0.1")}) == {"a": 450, "b": 50}
    with pytest.raises(ValueError, match="not 120"):
        mixed(Decimal(1), Decimal("1.2"), {"a": Decimal(1)})
    with pytest.raises(ValueError, match="adds up to 90"):
        mixed(Decimal(1), Decimal("0.2"), {"a": Decimal("0.9")})
    with pytest.raises(ValueError, match="has no price"):
        Growth({}, {1: {"a": Decimal(1)}})
    with pytest.raises(ValueError, match="counted from 1"):
        Growth({"a": Decimal(1)}, {-3: {"a": Decimal(1)}})
    with pytest.raises(ValueError, match="at least one month"):
        project(Growth({"a": Decimal(1)}, {1: {"a": Decimal(1)}}), 0)


def test_how_many_customers_a_revenue_takes() -> None:
    assert [needed(Decimal(100_000), Decimal(p)) for p in (99, 499, 30_000)] == [1011, 201, 4]
    with pytest.raises(ValueError, match="never reach"):
        needed(Decimal(1), Decimal(0))
