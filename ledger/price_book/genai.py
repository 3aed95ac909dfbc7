"""What genai-prices says, flattened: eras, tiers of the context window and price variants as rows of the book.

genai-prices (Pydantic Services Inc., MIT) prices a kind of token that has no price of its own like its parent, and a
request in an unknown context like a standard one. Neither is taken over: a kind or a tier that the source does not
name has no price here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib import metadata
from typing import TYPE_CHECKING, Final

from ledger.price_book.naming import GENAI_SELLERS
from ledger.price_book.rows import BEGINNING, Key, LeftOut, Span, Statement, pico_of

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, StartDateConstraint, TieredPrices, TimeOfDateConstraint

SOURCE: Final = "genai-prices"
_MILLION: Final = Decimal(1_000_000)
_THOUSAND: Final = Decimal(1_000)

#: Price keys by the token kinds that they price, and the units that the price is for.
KINDS: Final = {
    "input_mtok": ("input", _MILLION),
    "cache_read_mtok": ("cache_read", _MILLION),
    "cache_write_mtok": ("cache_write", _MILLION),
    "cache_write_5m_mtok": ("cache_write_5m", _MILLION),
    "cache_write_1h_mtok": ("cache_write_1h", _MILLION),
    "output_mtok": ("output", _MILLION),
    "output_reasoning_mtok": ("reasoning", _MILLION),
    "input_audio_mtok": ("input_audio", _MILLION),
    "cache_audio_read_mtok": ("cache_read_audio", _MILLION),
    "output_audio_mtok": ("output_audio", _MILLION),
    "input_image_mtok": ("input_image", _MILLION),
    "output_image_mtok": ("output_image", _MILLION),
    "requests_kcount": ("request", _THOUSAND),
}
#: Request contexts by service tier; `default` is the standard price under another name.
CONTEXTS: Final = {
    ("processing", "batch"): "batch",
    ("service_tier", "flex"): "flex",
    ("service_tier", "priority"): "priority",
    ("service_tier", "fast"): "fast",
    ("speed", "fast"): "fast",
}
_SAME_AS_STANDARD: Final = ("service_tier", "default")


def version() -> str:
    """The installed version of genai-prices.

    Raises:
        PackageNotFoundError: it is not installed.
    """
    return metadata.version(SOURCE)


def read() -> tuple[list[Statement], list[LeftOut]]:
    """Everything that the installed genai-prices says about prices of tokens, and what the book cannot hold."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - an optional dependency

    release = version()
    statements, left_out = list[Statement](), list[LeftOut]()
    for provider in get_snapshot().providers:
        seller = GENAI_SELLERS.get(provider.id) or provider.name
        for model in provider.models:
            reader = _Model(seller, model, release)
            reader.read()
            if reader.statement.prices:
                statements.append(reader.statement)
            left_out += sorted(reader.left_out)
    return statements, left_out


class _Model:
    """Reads one model of one provider."""

    def __init__(self, seller: str, model: ModelInfo, release: str) -> None:
        self._model = model
        self._conditions = model.prices if isinstance(model.prices, list) else []
        self._variants = model.price_variants or []
        name, region = _place(seller, model.id)
        aliases = tuple(sorted({_place(seller, alias)[0] for alias in _equals(model.match)} - {name}))
        self.statement = Statement(seller, name, region, SOURCE, release, aliases=aliases)
        self.left_out: set[LeftOut] = set()

    def read(self) -> None:
        constraints = [part.constraint for part in (*self._conditions, *self._variants) if part.constraint is not None]
        days = {getattr(c, "start_date", None) for c in constraints}
        if None in days:
            self._leave_out("prices", "the price depends on the time of day")
            return
        starts = sorted(_midnight(day) for day in days if day is not None)
        eras = list(zip([BEGINNING, *starts], [*starts, None], strict=True))
        for start, end in eras:
            if not self._conditions or any(_active(c.constraint, start) for c in self._conditions):
                for tier, context in self._tiers(start):
                    self._read_era(start, end, tier, self._model.get_prices(start, context))

    def _tiers(self, start: datetime) -> Iterator[tuple[str, dict[str, str] | None]]:
        """The tiers that the source prices from `start` on, with the context that asks for each."""
        yield "standard", None
        seen = set[str]()
        for variant in self._variants:
            context = next(iter(variant.when.items()))
            if context == _SAME_AS_STANDARD:
                continue
            tier = CONTEXTS.get(context) if len(variant.when) == 1 else None
            if tier is None:
                self._leave_out(" ".join(map(str, context)), "the book has no such price context")
            elif _active(variant.constraint, start) and tier not in seen:
                seen.add(tier)
                yield tier, dict(variant.when)

    def _read_era(self, start: datetime, end: datetime | None, tier: str, prices: ModelPrice) -> None:
        stated = {key: value for key, value in vars(prices).items() if value is not None and not key.startswith("_")}
        for key in stated.keys() - KINDS.keys():
            self._leave_out(key, "the book has no such unit")
        known = {key: stated[key] for key in KINDS if key in stated}
        steps = sorted({0} | {t.start for value in known.values() for t in getattr(value, "tiers", ())})
        for key, value in known.items():
            kind, units = KINDS[key]
            for step in steps:
                pico = self._pico(key, _at_step(value, step), units)
                if pico is not None:
                    for same in _kinds(kind, known.keys(), self.statement.name):
                        _append(self.statement.prices, (same, tier, step), Span(start, end, pico))

    def _pico(self, key: str, price: Decimal, units: Decimal) -> int | None:
        if price == 0:
            self._leave_out(key, "a price of zero cannot be told from an unknown one")
            return None
        pico = pico_of(price / units)
        if pico is None:
            self._leave_out(key, f"{price} is not a whole number of pico-dollars a unit")
        return pico

    def _leave_out(self, key: str, reason: str) -> None:
        self.left_out.add(LeftOut(self.statement.seller, self._model.id, key, reason, SOURCE))


def default_write(model: str) -> str | None:
    """The lifetime that a cache write has where none is asked for; None where the developer has no such lifetimes."""
    lowered = model.lower()
    if "claude" in lowered:
        return "cache_write_5m"
    return "cache_write_30m" if "gpt-" in lowered and "oss" not in lowered else None


def is_embedding(model: str) -> bool:
    """Whether the model's input is priced as an embedding."""
    return "embed" in model.lower()


def _kinds(kind: str, stated: Iterable[str], model: str) -> Iterator[str]:
    """The token kinds that one stated price is for."""
    yield kind
    default = default_write(model)
    if kind == "cache_write" and default and f"{default}_mtok" not in stated:
        yield default
    if kind == "input" and is_embedding(model):
        yield "embedding"


def _place(seller: str, name: str) -> tuple[str, str]:
    """The name without the place that AWS's inference profiles carry in it, and the place."""
    if seller != "AWS":
        return name, "Global"
    route, dot, rest = name.partition(".")
    if dot and route == "global":
        return rest, "Global"
    return (rest if dot and route == "regional" else name), "Regional"


def _equals(clause: object) -> Iterator[str]:
    """The names that a matching rule lists one by one."""
    for part in (clause, *getattr(clause, "or_", ())):
        name = getattr(part, "equals", None)
        if name is not None:
            yield name


def _at_step(value: Decimal | TieredPrices, step: int) -> Decimal:
    """The price of requests whose input is larger than `step`."""
    if isinstance(value, Decimal):
        return value
    return next((tier.price for tier in reversed(value.tiers) if tier.start <= step), value.base)


def _append(prices: dict[Key, list[Span]], key: Key, span: Span) -> None:
    spans = prices.setdefault(key, [])
    if spans and spans[-1].end == span.start and spans[-1].pico == span.pico:
        spans[-1] = Span(spans[-1].start, span.end, span.pico)
    else:
        spans.append(span)


def _active(constraint: StartDateConstraint | TimeOfDateConstraint | None, moment: datetime) -> bool:
    return constraint is None or constraint.active(moment)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
