"""The fee on a proof: which plans price a verified saving, and what they take of its lower bound."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from analysis.fees import Money
from analysis.fees_nodes import FeeError
from reports.charging import chargeable, fee_of, plan_for

DAY = date(2026, 11, 21)
CONTRACT = """
[[plan]]
id = "acme"
title = "Acme"
version = "2026"
valid_from = 2026-01-01
source = "Contract"
price = {price}
"""


def of(low: str, plan: str = "savings-share", currency: str = "USD") -> tuple[list[Decimal], str]:
    lines = fee_of(plan_for(plan, DAY), "p1")(Money(Decimal(low), currency), "T3")
    return [line.amount for line in lines], lines[0].text


def test_a_fifth_of_the_lower_bound_rounded_down() -> None:
    amounts, text = of("12345.67")
    assert amounts == [Decimal("2469.13")]
    assert text.startswith("Share of verified savings, version 1: 20 % of the lower bound of the verified saving")
    assert text.endswith("the verified saving, $12,345.67 (T3, proof p1), rounded down to 0.01 USD")


def test_a_bound_of_the_plan_holds_for_the_whole_proof() -> None:
    assert sum(of("90000")[0]) == Decimal(5000)


def test_a_plan_that_is_priced_by_something_else_is_refused_with_those_that_are_not() -> None:
    with pytest.raises(FeeError, match=r"early is priced by ai spend.*savings-share.*spendproof fee --plan early"):
        plan_for("early", DAY)
    with pytest.raises(FeeError, match="free is priced by nothing that is measured"):
        plan_for("free", DAY)
    with pytest.raises(FeeError, match="There is no plan 'nobody'"):
        plan_for("nobody", DAY)
    assert "savings-share" in [plan.id for plan in chargeable(DAY)]
    assert chargeable(date(2020, 1, 1)) == []


def test_amounts_of_two_currencies_are_not_mixed() -> None:
    with pytest.raises(FeeError, match="is in EUR and the price in USD"):
        of("100", currency="EUR")


def test_a_contract_sets_its_own_share_and_never_more_than_is_verified(tmp_path: Path) -> None:
    file = tmp_path / "acme.toml"
    share = '{ kind = "savings_share", metric = "verified_saving", rate = "0.35" }'
    file.write_text(CONTRACT.format(price=share))
    (line,) = fee_of(plan_for("acme", DAY, file), "p1")(Money(Decimal(200), "USD"), "T2")
    assert line.amount == Decimal(70)
    file.write_text(CONTRACT.format(price=f'{{ kind = "floor", amount = "500", of = {share} }}'))
    with pytest.raises(FeeError, match=r"comes to \$500.00, more than the \$200.00 that is verified"):
        fee_of(plan_for("acme", DAY, file), "p1")(Money(Decimal(200), "USD"), "T3")
