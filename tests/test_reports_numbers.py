from datetime import date
from decimal import Decimal

import pytest

from reports import numbers


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (Decimal("1234.565"), "USD", "$1,234.56"),
        (Decimal("1234.575"), "USD", "$1,234.58"),
        (Decimal(-2), "EUR", "\u2212€2.00"),
        (Decimal("-0.004"), "USD", "$0.00"),
        (Decimal(7), "CAD", "CAD 7.00"),
        (Decimal("12345678901234567890.123456789"), "USD", "$12,345,678,901,234,567,890.12"),
        (None, "USD", "—"),
    ],
)
def test_money_has_two_digits_and_its_currency_once(amount: Decimal | None, currency: str, shown: str) -> None:
    assert numbers.money(amount, currency) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (Decimal("3.078028470116"), "$3.07803"),
        (Decimal("0.3"), "$0.30"),
        (Decimal(30), "$30.00"),
        (Decimal("0.0000123456789"), "$0.0000123457"),
        (Decimal("12345.678"), "$12,345.68"),
        (Decimal(0), "$0.00"),
        (None, "—"),
    ],
)
def test_a_unit_price_shows_up_to_six_significant_digits(amount: Decimal | None, shown: str) -> None:
    assert numbers.unit_price(amount, "USD") == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (Decimal(0), "0"),
        (Decimal(950), "950"),
        (Decimal("999.6"), "1.00k"),
        (Decimal(1000), "1.00k"),
        (Decimal(999_999), "1.00M"),
        (Decimal(19_848_214_961), "19.8B"),
        (Decimal(-1_500_000), "\u22121.50M"),
        (None, "—"),
    ],
)
def test_tokens_are_short(count: Decimal | None, shown: str) -> None:
    assert numbers.tokens(count) == shown


def test_a_change_needs_something_to_compare_with() -> None:
    assert numbers.change(Decimal(110), Decimal(100)) == Decimal("0.1")
    assert numbers.change(Decimal(110), None) is None
    assert numbers.change(None, Decimal(100)) is None
    assert numbers.change(Decimal(110), Decimal(0)) is None
    assert numbers.change(Decimal(110), Decimal(-5)) is None


def test_percentages_carry_their_sign_where_asked() -> None:
    assert numbers.percent(Decimal("0.0321"), sign=True) == "+3.2%"
    assert numbers.percent(Decimal("-0.0321"), sign=True) == "\u22123.2%"
    assert numbers.percent(Decimal("0.0321")) == "3.2%"
    assert numbers.percent(Decimal(0), sign=True) == "0.0%"


def test_days_name_the_year_once_where_it_is_the_same() -> None:
    assert numbers.days(date(2026, 8, 1), date(2026, 10, 31)) == "1 Aug to 31 Oct 2026"
    assert numbers.days(date(2025, 12, 1), date(2026, 1, 31)) == "1 Dec 2025 to 31 Jan 2026"
    assert numbers.days(date(2026, 8, 1), date(2026, 8, 1)) == "1 Aug 2026"
