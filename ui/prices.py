"""The price book as the command line prints it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ledger.lake import Lake
from ledger.price_book import book, negotiated, store
from ledger.price_book.naming import identity_of
from ledger.price_book.rows import BEGINNING, LeftOut, Price
from ledger.price_book.schema import REGIONS, TIERS, TOKEN_KINDS
from ledger.price_book.shipped import shipped_left_out
from ui.console import print_json, print_table, say_out

_SHOWN = 20


def print_prices(lake: Lake, model: str, seller: str | None, at: datetime | None, *, as_json: bool) -> None:
    """The prices of a model that hold at `at` (now, where None), by seller; or why it has none."""
    moment = at or datetime.now(UTC)
    prices = book.load(lake=lake)
    name = model if prices.select(model) else identity_of(model).model_id
    found = prices.select(name, seller=seller, at=moment)
    left_out = _left_out(model, name, seller)
    if as_json:
        document = {"model_id": name, "at": moment.isoformat(), "digest": prices.digest, "prices": records(found)}
        print_json({**document, "left_out": [item._asdict() for item in left_out]})
        return
    if not found:
        for sentence in _unpriced(prices, model, name, seller, moment):
            say_out(sentence)
        _print_left_out(left_out)
        return
    several = len({p.currency for p in found}) > 1
    rows = [_row(price, several=several) for price in sorted(found, key=_order)]
    print_table(
        ("seller", "release", "place", "tier", "kind", "input above", "per 1M", "since", "from"), rows, right=(5, 6)
    )
    for price in found:
        if price.disputed:
            say_out(f"* {_dispute(price)}")
    say_out(f"Prices as they hold on {moment:%Y-%m-%d}, of the book {prices.digest[:12]}.")
    _print_left_out(left_out)
    for gap in prices.gaps:
        if f" off {name} by " in gap:
            say_out(f"Withheld: {gap}.")


def print_difference(found: store.Refreshed, *, as_json: bool, done: bool) -> None:
    """What a refresh changes, or has changed."""
    changes = found.changes
    if as_json:
        print_json(
            {
                "sources": found.sources,
                "left_out": found.left_out,
                "done": done,
                "new": records(changes.new),
                "changed": [{"before": record(before), "after": record(after)} for before, after in changes.changed],
                "withdrawn": records(changes.withdrawn),
                "gone": records(changes.gone),
                "disputed": records(changes.disputed),
            }
        )
        return
    named = ", ".join(f"{name} {release}" for name, release in found.sources.items())
    say_out(f"From {'the shipped book: ' if found.from_package_data else ''}{named}.")
    verb = "appended" if done else "would be appended"
    appended = len(changes.new) + len(changes.changed) + len(changes.withdrawn)
    say_out(
        f"{appended:,} rows {verb}: {len(changes.new):,} new, {len(changes.changed):,} corrected, "
        f"{len(changes.withdrawn):,} withdrawn. {len(changes.gone):,} are gone from the sources and stand as known. "
        f"{len(changes.disputed):,} of the new and corrected ones are in dispute."
    )
    lines = [("new", price, None) for price in changes.new]
    lines += [("corrected", after, before) for before, after in changes.changed]
    lines += [("withdrawn", price, None) for price in changes.withdrawn]
    lines += [("gone", price, None) for price in changes.gone]
    _print_lines(lines)


def print_agreements(lake: Lake, file: Path, now: datetime, *, as_json: bool) -> None:
    """Take a file of agreements over, and say what it comes to."""
    agreements = negotiated.read(file)
    rows, withheld = store.agree(lake, agreements, now)
    if as_json:
        print_json({"agreements": len(agreements), "negotiated": records(rows), "withheld": withheld})
        return
    sellers = sorted({a.seller for a in agreements})
    say_out(
        f"{len(agreements)} agreements with {', '.join(sellers) or 'nobody'} come to {len(rows):,} negotiated prices."
    )
    for sentence in withheld[:_SHOWN]:
        say_out(f"Withheld: {sentence}.")
    if len(withheld) > _SHOWN:
        say_out(f"... and {len(withheld) - _SHOWN:,} more are withheld; --json lists them all.")
    for agreement in agreements:
        if agreement.price_pico is None and not any(_of_line(row, agreement.line) for row in rows):
            say_out(f"Line {agreement.line} is about no list price of {agreement.seller}.")


def records(prices: Sequence[Price]) -> list[dict[str, Any]]:
    """Prices for programs, in a stable order."""
    return [record(price) for price in sorted(prices, key=_order)]


def record(price: Price) -> dict[str, Any]:
    """One price for programs: the fields of `Price`, moments in ISO 8601, and `per_million` as a decimal string."""
    values: dict[str, Any] = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in zip(price._fields, price, strict=True)
    }
    return {**values, "per_million": _per_million(price.price_pico)}


def _unpriced(prices: book.Book, asked: str, name: str, seller: str | None, moment: datetime) -> list[str]:
    by = f" by {seller}" if seller else ""
    sentences = [f"{asked} ({name}){by} is unpriced on {moment:%Y-%m-%d}: the price book has no price of it."]
    others = sorted({p.seller for p in prices.select(name)})
    if others:
        sentences.append(f"It is sold by {', '.join(others)}.")
    if not others:
        near = get_close_matches(name, sorted({p.model_id for p in prices.prices}), n=5)
        sentences += [f"Names like it: {', '.join(near)}."] if near else []
    return sentences


def _left_out(asked: str, name: str, seller: str | None) -> list[LeftOut]:
    """What the sources of the shipped book say about the model and the book cannot hold."""
    spelled = {asked.lower(), name}
    return [
        item
        for item in shipped_left_out()
        if item.model_name.lower() in spelled and (seller is None or item.seller == seller)
    ]


def _print_left_out(items: Sequence[LeftOut]) -> None:
    for item in items:
        say_out(f"Not in the book: {item.seller}, {item.model_name}, {item.key}: {item.reason} ({item.source}).")


def _print_lines(lines: Sequence[tuple[str, Price, Price | None]]) -> None:
    rows = [
        (
            what,
            price.seller,
            " ".join(filter(None, (price.model_id, price.model_version))),
            price.service_tier,
            price.token_kind,
            _per_million(before.price_pico) if before else None,
            _per_million(price.price_pico),
            "disputed" if price.disputed else "",
        )
        for what, price, before in lines[:_SHOWN]
    ]
    if rows:
        print_table(("", "seller", "model", "tier", "kind", "was per 1M", "per 1M", ""), rows, right=(5, 6))
    if len(lines) > _SHOWN:
        say_out(f"... and {len(lines) - _SHOWN:,} more; --json lists them all.")


def _row(price: Price, *, several: bool) -> tuple[object, ...]:
    amount = f"{_per_million(price.price_pico)}{'*' if price.disputed else ''}"
    since = "undated" if price.valid_from == BEGINNING else f"{price.valid_from:%Y-%m-%d}"
    return (
        price.seller,
        price.model_version,
        price.serving_region,
        price.service_tier,
        price.token_kind,
        f"{price.context_above:,}" if price.context_above else None,
        f"{amount} {price.currency}" if several else amount,
        since,
        price.source,
    )


def _dispute(price: Price) -> str:
    other = "another price" if price.other_price_pico is None else _per_million(price.other_price_pico)
    return (
        f"{price.seller}, {price.service_tier} {price.token_kind} ({price.serving_region}): {price.source} says "
        f"{_per_million(price.price_pico)}, {price.other_source} {other}."
    )


def _per_million(pico: int) -> str:
    """Currency units for a million tokens, exact, with two decimals at least."""
    whole, _, fraction = f"{Decimal(pico).scaleb(-6).normalize():f}".partition(".")
    return f"{whole}.{fraction.ljust(2, '0')}"


def _order(price: Price) -> tuple[object, ...]:
    what = REGIONS.index(price.serving_region), TIERS.index(price.service_tier), TOKEN_KINDS.index(price.token_kind)
    return (price.model_id, price.seller, price.model_version or "", *what, price.context_above, price.valid_from)


def _of_line(price: Price, line: int) -> bool:
    return price.source_version.partition(":")[0] == f"line {line}"
