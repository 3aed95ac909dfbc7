"""Plans as data: every version keeps its golden fees and its digest for ever."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from analysis.fees import price
from analysis.fees_nodes import FeeError
from billing import catalog
from billing.catalog import Plan, coupon, coupons, metrics, plan, plans

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize("each", [p for p in plans() if p.expression], ids=lambda p: f"{p.id} {p.version}")
def test_every_plan_has_golden_fees_and_keeps_them(each: Plan) -> None:
    assert each.golden
    for golden in each.golden:
        fee = price(each.priced(), metrics(golden.metrics, "USD", proof="p", evidence="T1"))
        assert f"{fee.amount}" == golden.amount


def test_a_published_version_never_changes() -> None:
    assert {(p.id, p.version): p.digest[:12] for p in plans() if p.price_list == "spendproof"} == PUBLISHED


PUBLISHED = {
    ("early", "1"): "a6507e6811aa",
    ("early-annual", "1"): "509d56c2fdc0",
    ("enterprise", "1"): "33cbbfc6d72b",
    ("free", "1"): "d84c1089f3d6",
    ("mid", "1"): "99f27256b452",
    ("mid-annual", "1"): "73bbbbc75651",
    ("savings-share", "1"): "2f62af25722b",
}


def test_the_five_lists_are_there() -> None:
    assert {p.price_list for p in plans()} == {"spendproof", "sessiontrack", "claude-sessions", "psp", "chatbot"}
    assert all(p.unpriced for p in plans() if p.expression is None)


def test_the_caps_are_met_where_the_percentage_crosses_them() -> None:
    for name, cap, rate, at in (("early", 99, "0.02", 4950), ("mid", 499, "0.05", 9980)):
        found = plan(name, TODAY)
        assert found.never_more == cap == Decimal(rate) * at
        below = price(found.priced(), metrics({"ai_spend": f"{at - 50}"}, "USD"))
        assert below.amount == cap - 50 * Decimal(rate)


def test_a_referred_customer_pays_a_fifth_less_for_three_months() -> None:
    referred = coupon("referred").on(plan("early", TODAY))
    fees = [
        price(referred.priced(), metrics({"ai_spend": "9000", "period": f"{n}"}, "USD")).amount for n in range(1, 5)
    ]
    assert fees == [Decimal("79.20")] * 3 + [Decimal(99)]
    assert referred.digest != plan("early", TODAY).digest
    # What one referral costs at most: a free month and 20 % of three.
    free = coupon("month-free").on(plan("early", TODAY))
    first = price(free.priced(), metrics({"ai_spend": "9000", "period": "1"}, "USD")).amount
    assert (Decimal(99) - first) + sum(Decimal(99) - fee for fee in fees) == Decimal("158.40")
    assert {c.id for c in coupons()} == {"referred", "month-free"}


def test_what_is_not_there_is_refused_with_what_is() -> None:
    with pytest.raises(FeeError, match=r"no plan 'gold'; there are .*early"):
        plan("gold", TODAY)
    with pytest.raises(FeeError, match="valid on 2020-01-01"):
        plan("early", date(2020, 1, 1))
    with pytest.raises(FeeError, match="no coupon"):
        coupon("half")
    with pytest.raises(FeeError, match="has no price: the list says custom"):
        plan("sessiontrack-api-enterprise", TODAY).priced()


VERSIONS = """
[[plan]]
id = "p"
title = "P"
version = "1"
valid_from = 2026-01-01
valid_to = 2026-07-01
source = "test"
price = { kind = "flat", amount = "10" }

[[plan]]
id = "p"
title = "P"
version = "2"
valid_from = 2026-07-01
source = "test"
price = { kind = "flat", amount = "12" }
"""


def test_the_version_of_a_day_prices_it() -> None:
    both = catalog.parse(VERSIONS, "test")
    assert [plan("p", day, both).version for day in (date(2026, 6, 30), date(2026, 7, 1), TODAY)] == ["1", "2", "2"]
    with pytest.raises(FeeError, match="Two versions of the plan p are valid on 2026-07-01"):
        catalog.parse(VERSIONS.replace("valid_to = 2026-07-01", ""), "test")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('amount = "10"', "amount = 10.5", "quotation marks"),
        ('amount = "10"', 'amount = "ten"', "no decimal"),
        ('amount = "10"', 'amount = "-1"', "zero or more"),
        ('kind = "flat", amount = "10"', 'kind = "gift"', "no kind of price"),
        ('kind = "flat", amount = "10"', 'kind = "flat"', "flat needs amount"),
        ('kind = "flat", amount = "10"', 'kind = "flat", amount = "1", cap = "3"', "does not know cap"),
        (
            'kind = "flat", amount = "10"',
            'kind = "percent", metric = "ai_spend", rate = "15"',
            "between 0 and 100 %; this one is 1500",
        ),
        ('title = "P"', 'titel = "P"', "does not know titel"),
        ('source = "test"', "", "needs source"),
        ("valid_from = 2026-01-01", 'valid_from = "2026-01-01"', "no day"),
        ('version = "1"', 'version = "1"\nrounding = "up"', "rounding is"),
        ('version = "1"', 'version = "1"\nperiod = "week"', "a period is"),
        ('version = "1"', 'version = "1"\nunpriced = "why"', "either a price or"),
    ],
)
def test_a_plan_that_is_not_understood_is_refused(old: str, new: str, said: str) -> None:
    assert old in VERSIONS
    with pytest.raises(FeeError, match=said):
        catalog.parse(VERSIONS.replace(old, new, 1), "test")


def test_a_contract_overrides_the_list(tmp_path: Path) -> None:
    file = tmp_path / "acme.toml"
    file.write_text(
        '[[plan]]\nid = "enterprise"\ntitle = "Acme"\nversion = "acme-1"\n'
        'valid_from = 2026-01-01\nsource = "contract"\n'
        'price = { kind = "percent", metric = "ai_spend", rate = "0.12" }\n'
    )
    acme = plan("enterprise", TODAY, catalog.contract(file))
    assert price(acme.priced(), metrics({"ai_spend": "250000"}, "USD")).amount == Decimal(30_000)
    assert acme.price_list == "contract acme"
    file.write_text("not TOML")
    with pytest.raises(FeeError, match=r"acme\.toml is no contract"):
        catalog.contract(file)
    file.write_text("")
    with pytest.raises(FeeError, match="holds no"):
        catalog.contract(file)


def test_a_typed_saving_needs_its_proof() -> None:
    with pytest.raises(FeeError, match="carries no fee"):
        metrics({"verified_saving": "100"}, "USD")
