"""What a customer has agreed with a seller: prices of their own, and discounts off the list.

Both come in one CSV file that is the whole truth of the agreements: loading a file replaces the one before. A discount
is kept as a discount and applied to the list as it is known, so that a later list price is discounted too.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from ledger.price_book.book import check
from ledger.price_book.naming import identity_of
from ledger.price_book.rows import BEGINNING, Price
from ledger.price_book.schema import REGIONS, TIERS, TOKEN_KINDS

SOURCE: Final = "agreement"
COLUMNS: Final = (
    "seller",
    "model",
    "kind",
    "tier",
    "region",
    "context_above",
    "from",
    "until",
    "price_per_million",
    "discount_percent",
    "currency",
)
_HUNDRED: Final = Decimal(100)
_PICO_PER_MILLION: Final = Decimal(1_000_000)


class Agreement(NamedTuple):
    """One line of the file: what it is about (None: all) and either a price or a discount.

    `valid_to` is exclusive; `price_pico` is pico-units of the currency for one token or other unit.
    """

    line: int
    seller: str
    model_id: str | None
    token_kind: str | None
    service_tier: str | None
    serving_region: str | None
    context_above: int | None
    valid_from: datetime
    valid_to: datetime | None
    price_pico: int | None
    discount_percent: Decimal | None
    currency: str

    @property
    def origin(self) -> str:
        """Where the price comes from, as SourceVersion says it."""
        return f"line {self.line}"

    @property
    def specificity(self) -> tuple[bool, int]:
        """A price beats a discount, and the line that names more beats the one that names less."""
        named = sum(value is not None for value in self[2:7])
        return self.price_pico is not None, named

    def about(self, price: Price) -> bool:
        """Whether the line is about what `price` is a price of."""
        return self.seller == price.seller and all(
            mine is None or mine == theirs
            for mine, theirs in (
                (self.model_id, price.model_id),
                (self.token_kind, price.token_kind),
                (self.service_tier, price.service_tier),
                (self.serving_region, price.serving_region),
                (self.context_above, price.context_above),
            )
        )


def read(path: Path) -> list[Agreement]:
    """The agreements of a CSV file with a header of `COLUMNS` (`seller` and one of the two amounts at least).

    Raises:
        ValueError: a line that is not an agreement, by its number and what is wrong with it.
        OSError: the file cannot be read.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        unknown = sorted(set(reader.fieldnames or ()) - set(COLUMNS))
        if unknown or "seller" not in (reader.fieldnames or ()):
            raise ValueError(
                f"{path.name} has {'the unknown columns ' + ', '.join(unknown) if unknown else 'no column seller'}; "
                f"an agreement has {', '.join(COLUMNS)}."
            )
        found = list[Agreement]()
        for row in reader:
            try:
                values = {key: (value or "").strip() for key, value in row.items() if key in COLUMNS}
                found.append(_agreement(reader.line_num, values))
            except ValueError as error:
                raise ValueError(f"{path.name}, line {reader.line_num}: {error}") from error
    return found


def derive(
    listed: Sequence[Price], agreements: Iterable[Agreement], known_from: datetime
) -> tuple[list[Price], dict[tuple[object, ...], str]]:
    """The negotiated rows that the agreements make of the list.

    Returns:
        The rows, and by series (`Price.series` of the list row) why a discounted price cannot be expressed exactly.

    Raises:
        ValueError: two agreements that say the same amount of the same thing at the same time.
    """
    offers = defaultdict[tuple[object, ...], list[tuple[Agreement, Price]]](list)
    for agreement in agreements:
        if agreement.price_pico is not None:
            price = _stated(agreement, known_from)
            offers[price.series].append((agreement, price))
            continue
        for price in listed:
            if agreement.about(price):
                clipped = _clipped(price, agreement)
                if clipped is not None:
                    offers[price._replace(layer="negotiated").series].append((agreement, clipped))
    rows, inexact = list[Price](), dict[tuple[object, ...], str]()
    for several in offers.values():
        best = max(agreement.specificity for agreement, _ in several)
        chosen = [(agreement, price) for agreement, price in several if agreement.specificity == best]
        _refuse_overlaps(chosen)
        for agreement, price in chosen:
            discounted = price if agreement.discount_percent is None else _discounted(price, agreement, known_from)
            if discounted is None:
                inexact[price._replace(layer="list").series] = (
                    f"{_percent(agreement)} % off {price.model_id} by {price.seller} ({price.token_kind}, "
                    f"{price.service_tier}) is not a whole number of pico-dollars; state its price in a line of its own"
                )
            else:
                rows.append(discounted)
    return rows, inexact


def _agreement(line: int, values: dict[str, str]) -> Agreement:
    if not values.get("seller"):
        raise ValueError("it names no seller.")
    amount, percent = _number(values, "price_per_million"), _number(values, "discount_percent")
    if (amount is None) == (percent is None):
        raise ValueError("it states either price_per_million or discount_percent, one of the two.")
    if percent is not None and not 0 < percent < _HUNDRED:
        raise ValueError(f"a discount of {percent} % is not between 0 and 100.")
    if percent is not None and percent != round(percent, 6):
        raise ValueError(f"a discount of {percent} % has more than six decimals.")
    if amount is not None and (amount <= 0 or not (values.get("model") and values.get("kind"))):
        raise ValueError("a price is above zero and names its model and its kind.")
    start, end = _day(values, "from") or BEGINNING, _day(values, "until")
    if end is not None and end <= start:
        raise ValueError("it ends before it begins.")
    pico = None if amount is None else amount * _PICO_PER_MILLION
    if pico is not None and pico != pico.to_integral_value():
        raise ValueError(f"{amount} per million is not a whole number of pico-units for one.")
    price = pico is not None
    above = values.get("context_above")
    return Agreement(
        line=line,
        seller=values["seller"],
        model_id=identity_of(values["model"]).model_id if values.get("model") else None,
        token_kind=_known(values, "kind", TOKEN_KINDS),
        service_tier=_known(values, "tier", TIERS) or ("standard" if price else None),
        serving_region=_known(values, "region", REGIONS) or ("Global" if price else None),
        context_above=int(above) if above else (0 if price else None),
        valid_from=start,
        valid_to=end,
        price_pico=None if pico is None else int(pico),
        discount_percent=percent,
        currency=values.get("currency") or "USD",
    )


def _known(values: dict[str, str], column: str, known: Sequence[str]) -> str | None:
    value = values.get(column)
    return check(column, value, known) if value else None


def _number(values: dict[str, str], column: str) -> Decimal | None:
    value = values.get(column)
    if not value:
        return None
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise ValueError(f"{column} {value!r} is not a number.") from error
    if not number.is_finite():
        raise ValueError(f"{column} {value!r} is not a number.")
    return number


def _day(values: dict[str, str], column: str) -> datetime | None:
    value = values.get(column)
    return datetime.combine(date.fromisoformat(value), time(), tzinfo=UTC) if value else None


def _stated(agreement: Agreement, known_from: datetime) -> Price:
    """The row of a line that states a price; it names model and kind."""
    return Price(
        seller=agreement.seller,
        model_id=str(agreement.model_id),
        model_version=None,
        model_name=str(agreement.model_id),
        token_kind=str(agreement.token_kind),
        service_tier=str(agreement.service_tier),
        serving_region=str(agreement.serving_region),
        context_above=agreement.context_above or 0,
        valid_from=agreement.valid_from,
        valid_to=agreement.valid_to,
        known_from=known_from,
        price_pico=agreement.price_pico or 0,
        currency=agreement.currency,
        layer="negotiated",
        source=SOURCE,
        source_version=agreement.origin,
    )


def _clipped(price: Price, agreement: Agreement) -> Price | None:
    """The list price for the time of the agreement; None where they never meet."""
    start = max(price.valid_from, agreement.valid_from)
    ends = [end for end in (price.valid_to, agreement.valid_to) if end is not None]
    end = min(ends, default=None)
    return None if end is not None and end <= start else price._replace(valid_from=start, valid_to=end)


def _discounted(price: Price, agreement: Agreement, known_from: datetime) -> Price | None:
    """The list price less the discount; None where that is no whole number of pico-units."""
    share = (_HUNDRED - (agreement.discount_percent or Decimal(0))) / _HUNDRED
    pico = price.price_pico * share
    if pico != pico.to_integral_value():
        return None
    other = None if price.other_price_pico is None else price.other_price_pico * share
    exact = other is not None and other == other.to_integral_value()
    return price._replace(
        known_from=max(price.known_from, known_from),
        price_pico=int(pico),
        layer="negotiated",
        source=SOURCE,
        source_version=f"{agreement.origin}: {_percent(agreement)} % off {price.source} {price.source_version}",
        other_price_pico=int(other) if exact and other is not None else None,
    )


def _percent(agreement: Agreement) -> str:
    return f"{(agreement.discount_percent or Decimal(0)).normalize():f}"


def _refuse_overlaps(chosen: Sequence[tuple[Agreement, Price]]) -> None:
    ordered = sorted(chosen, key=lambda pair: pair[1].valid_from)
    for (first, one), (second, other) in pairwise(ordered):
        if one.valid_to is None or one.valid_to > other.valid_from:
            raise ValueError(
                f"Lines {first.line} and {second.line} both agree on {one.model_id} by {one.seller} "
                f"({one.token_kind}) at the same time."
            )
