"""Both sources as one list of prices: genai-prices first, LiteLLM to check it and to fill what it does not have.

Where both price the same thing at the moment of the releases and differ by more than one percent, the price of
genai-prices stands, `Disputed`, with LiteLLM's beside it. What genai-prices does not price at all is LiteLLM's, from
the last dated change of the model on: its undated price says nothing about the time before one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from ledger.price_book.litellm_map import SECOND_HAND, WITNESS
from ledger.price_book.litellm_map import SOURCE as UNDATED
from ledger.price_book.naming import Name
from ledger.price_book.rows import BEGINNING, Key, LeftOut, Price, Span, Statement

#: Sources that differ by more than this share of the smaller price are in dispute.
TOLERANCE: Final = Decimal("0.01")

#: Seller, ModelId, ModelVersion, ServingRegion.
Model = tuple[str, str, str | None, str]


class Entry(NamedTuple):
    """One price on its way into the book."""

    span: Span
    source: str
    source_version: str
    other: tuple[str, int] | None = None


#: Every price of one model, by key, in order of time.
Sheet = dict[Key, list[Entry]]


def combine(
    first: Sequence[Statement],
    second: Sequence[Statement],
    names: Mapping[str, Name],
    *,
    now: datetime,
    unread: Iterable[tuple[str, str]] = (),
) -> tuple[list[Price], list[LeftOut]]:
    """The prices of both sources as rows that became known at `now`, and what could not be made a row.

    Args:
        first: what the primary source says.
        second: what the undated source says, true at `now`.
        names: identity of every name and alias.
        now: moment of the releases; ValidFrom is the sources' own.
        unread: seller and ModelId whose prices the primary source has and the book cannot hold; the second source
            does not fill these.
    """
    left_out = list[LeftOut]()
    primary = _by_model(first, names, aliases=True)
    secondary = _by_model(second, names, aliases=False)
    barred = set(unread)
    sheets = dict[Model, Sheet]()
    for model, statements in primary.items():
        sheets[model] = _sheet(statements[0])
    for model, statements in sorted(secondary.items(), key=lambda item: (item[0][2] is not None, str(item[0]))):
        seller, model_id, release, region = model
        if (seller, model_id) in barred:
            continue
        general = sheets.get((seller, model_id, None, region))
        if model in sheets:
            sheets[model] = _check(sheets[model], statements[0], now)
        elif release is None or general is None:
            sheets[model] = _sheet(statements[0])
        elif not _agrees(general, statements[0], now) and not _covered(primary, model):
            sheets[model] = _against(_sheet(statements[0]), general, now)
        for witness in statements[1:]:
            if model in sheets and witness.rank >= WITNESS:
                sheets[model] = _dispute(sheets[model], witness, now)
    for model, statements in secondary.items():
        left_out += _uplift(sheets, model, statements[0])
    return list(_prices(sheets, primary, secondary, now)), left_out


def _by_model(
    statements: Sequence[Statement], names: Mapping[str, Name], *, aliases: bool
) -> dict[Model, list[Statement]]:
    """The statements about each model, the one that speaks for it first; releases at the model's price left out."""
    found = defaultdict[Model, list[Statement]](list)
    for statement in statements:
        name = names[statement.name]
        found[statement.seller, name.model_id, name.version, statement.region].append(statement)
    if aliases:
        for model, statement in _aliased(statements, names):
            if model not in found:
                found[model].append(statement)
    for several in found.values():
        several.sort(key=lambda s: (s.rank, s.name))
    _generalise(found)
    return dict(found)


def _generalise(found: dict[Model, list[Statement]]) -> None:
    """Let the releases of a model that cost the same be the model; leave the others under their own versions."""
    for (seller, model_id, region), releases in _releases(found).items():
        general = found.get((seller, model_id, None, region))
        spoken = [found[seller, model_id, r, region][0] for r in releases]
        if general is not None and general[0].rank >= SECOND_HAND and min(s.rank for s in spoken) < general[0].rank:
            general = None
            del found[seller, model_id, None, region]
        if general is None:
            widest = max(spoken, key=lambda s: (len(s.prices), s.name))
            if all(_within(s, widest) for s in spoken):
                general = found[seller, model_id, None, region] = [widest]
        for release in releases:
            several = found[seller, model_id, release, region]
            if general is not None and _within(several[0], general[0]):
                general += [statement for statement in several if statement is not general[0]]
                del found[seller, model_id, release, region]


def _aliased(statements: Sequence[Statement], names: Mapping[str, Name]) -> Iterator[tuple[Model, Statement]]:
    """Other names that a source states for a model: each is that model at its price, under its own identity."""
    for statement in statements:
        for alias in statement.aliases:
            name = names[alias]
            if name.model_id != names[statement.name].model_id:
                yield (statement.seller, name.model_id, name.version, statement.region), replace(statement, name=alias)


def _releases(found: Mapping[Model, object]) -> dict[tuple[str, str, str], list[str]]:
    releases = defaultdict[tuple[str, str, str], list[str]](list)
    for seller, model_id, release, region in found:
        if release is not None:
            releases[seller, model_id, region].append(release)
    return releases


def _within(one: Statement, other: Statement) -> bool:
    """Whether everything that `one` says `other` says too."""
    return all(other.prices.get(key) == spans for key, spans in one.prices.items())


def _covered(primary: Mapping[Model, Sequence[Statement]], model: Model) -> bool:
    """Whether the primary source names this very release as one at the model's general price."""
    seller, model_id, release, region = model
    general = primary.get((seller, model_id, None, region), ())
    return any(str(release) in alias for statement in general for alias in (statement.name, *statement.aliases))


def _sheet(statement: Statement) -> Sheet:
    dense = _dense(statement)
    return {
        key: [Entry(span, statement.source, statement.source_version) for span in spans] for key, spans in dense.items()
    }


def _dense(statement: Statement) -> dict[Key, list[Span]]:
    """The prices with a row at every step of the tier, so that a kind without steps of its own is priced at each."""
    prices = dict(statement.prices)
    for tier in {key[1] for key in prices}:
        kinds = {key[0] for key in prices if key[1] == tier}
        for step in sorted({key[2] for key in prices if key[1] == tier} - {0}):
            for kind in kinds:
                if statement.source == UNDATED and (kind, tier, step) not in prices:
                    below = max((k[2] for k in prices if k[:2] == (kind, tier) and k[2] < step), default=None)
                    if below is not None:
                        prices[kind, tier, step] = prices[kind, tier, below]
    return prices


def _at(sheet: Sheet, key: Key, now: datetime) -> Entry | None:
    """What the sheet says now of requests above the key's step: its own row, or that of the step below."""
    kind, tier, step = key
    for below in sorted((k[2] for k in sheet if k[:2] == (kind, tier) and k[2] <= step), reverse=True):
        for entry in sheet[kind, tier, below]:
            if entry.span.start <= now and (entry.span.end is None or now < entry.span.end):
                return entry
    return None


def _differ(one: int, other: int) -> bool:
    return abs(one - other) > TOLERANCE * min(one, other)


def _agrees(sheet: Sheet, statement: Statement, now: datetime) -> bool:
    for key, spans in statement.prices.items():
        entry = _at(sheet, key, now)
        if entry is None or _differ(entry.span.pico, spans[0].pico):
            return False
    return True


def _check(sheet: Sheet, statement: Statement, now: datetime) -> Sheet:
    """The sheet, its prices of now checked with the undated statement and its gaps filled from it."""
    filled = dict(sheet)
    for key, spans in sorted(_dense(statement).items()):
        kind, tier, _ = key
        if not any(k[:2] == (kind, tier) for k in sheet):
            era = _era(sheet, tier, now)
            if era is not None:
                span = Span(era.start, era.end, spans[0].pico)
                filled[key] = [Entry(span, statement.source, statement.source_version)]
    checked = _dispute(filled, statement, now)
    # A step that only the statement has is the primary's flat price, in dispute.
    for key, spans in _dense(statement).items():
        entry = _at(sheet, key, now)
        if entry is not None and key not in checked and _differ(entry.span.pico, spans[0].pico):
            checked[key] = [entry._replace(other=(statement.source, spans[0].pico))]
    return checked


def _era(sheet: Sheet, tier: str, now: datetime) -> Span | None:
    """The time around `now` in which no price of the tier (else of the standard tier) changes."""
    mine = [e.span for key, entries in sheet.items() if key[1] == tier for e in entries]
    spans = mine or [e.span for key, entries in sheet.items() if key[1] == "standard" for e in entries]
    current = [s for s in spans if s.start <= now and (s.end is None or now < s.end)]
    if not current:
        return None if spans else Span(BEGINNING, None, 0)
    ends = [s.start for s in spans if s.start > now] + [s.end for s in current if s.end is not None]
    return Span(max(s.start for s in current), min(ends, default=None), 0)


def _dispute(sheet: Sheet, statement: Statement, now: datetime) -> Sheet:
    """The sheet with the statement's price beside every price of now from which it differs."""
    said = _dense(statement)
    checked = dict(sheet)
    for key, entries in sheet.items():
        kind, tier, step = key
        steps = [k for k in said if k[:2] == (kind, tier) and k[2] <= step]
        if not steps:
            continue
        other = said[max(steps, key=lambda k: k[2])][0].pico
        checked[key] = [
            entry._replace(other=(statement.source, other))
            if entry.span.start <= now
            and (entry.span.end is None or now < entry.span.end)
            and entry.other is None
            and _differ(entry.span.pico, other)
            else entry
            for entry in entries
        ]
    return checked


def _against(sheet: Sheet, general: Sheet, now: datetime) -> Sheet:
    """A release that only the second source prices apart, with what the primary says of the model in general."""
    checked = dict(sheet)
    for key, entries in sheet.items():
        entry = _at(general, key, now)
        if entry is not None and entry.source != UNDATED and _differ(entries[0].span.pico, entry.span.pico):
            checked[key] = [entries[0]._replace(other=(entry.source, entry.span.pico))]
    return checked


def _uplift(sheets: dict[Model, Sheet], model: Model, statement: Statement) -> Iterator[LeftOut]:
    """Prices of another place that are stated as a multiple of the standard place's."""
    seller, model_id, release, region = model
    base = sheets.get(model) or sheets.get((seller, model_id, None, region))
    for place, factor in statement.uplifts.items():
        target = (seller, model_id, release if model in sheets else None, place)
        if base is None or region != "Global" or target in sheets or (seller, model_id, None, place) in sheets:
            continue
        sheet = Sheet()
        for key, entries in base.items():
            raised = [_raised(entry, factor, statement) for entry in entries]
            if key[0] != "request":
                sheet[key] = [entry for entry in raised if entry is not None]
            if None in raised:
                reason = f"{factor} times the standard price is not a whole number of pico-dollars"
                yield LeftOut(seller, statement.name, " ".join(map(str, key)), reason, statement.source)
        sheets[target] = sheet


def _raised(entry: Entry, factor: Decimal, statement: Statement) -> Entry | None:
    def times(pico: int) -> int | None:
        product = pico * factor
        return int(product) if product == product.to_integral_value() else None

    pico = times(entry.span.pico)
    if pico is None:
        return None
    other = None
    if entry.other is not None:
        raised = times(entry.other[1])
        other = None if raised is None else (entry.other[0], raised)
    source = entry.source if entry.source == statement.source else f"{entry.source}, {statement.source} uplift"
    release = entry.source_version
    if entry.source != statement.source:
        release = f"{release}, {statement.source_version}"
    return Entry(Span(entry.span.start, entry.span.end, pico), source, release, other)


def _prices(
    sheets: Mapping[Model, Sheet],
    primary: Mapping[Model, Sequence[Statement]],
    secondary: Mapping[Model, Sequence[Statement]],
    now: datetime,
) -> Iterator[Price]:
    for model, sheet in sheets.items():
        seller, model_id, release, region = model
        speakers = primary.get(model) or secondary.get(model)
        name = speakers[0].name if speakers else model_id
        for (kind, tier, step), entries in sheet.items():
            for entry in entries:
                yield Price(
                    seller=seller,
                    model_id=model_id,
                    model_version=release,
                    model_name=name,
                    token_kind=kind,
                    service_tier=tier,
                    serving_region=region,
                    context_above=step,
                    valid_from=entry.span.start,
                    valid_to=entry.span.end,
                    known_from=now,
                    price_pico=entry.span.pico,
                    currency="USD",
                    layer="list",
                    source=entry.source,
                    source_version=entry.source_version,
                    disputed=entry.other is not None,
                    other_source=entry.other and entry.other[0],
                    other_price_pico=entry.other and entry.other[1],
                )
