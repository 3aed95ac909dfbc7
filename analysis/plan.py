"""A what-if plan: which levers are pulled, over which usage, at the prices of which date (docs/plan.md).

A plan is TOML text. Everything wrong with it is collected and told at once, a sentence each; nothing that it does not
understand is skipped.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final, cast

from ledger.price_book.schema import REGIONS, TIERS

#: Tiers that are billed by the token; provisioned throughput is billed by time and has no price of a token.
PRICED_TIERS: Final = tuple(tier for tier in TIERS if tier != "provisioned")
CONTEXTS: Final = ("Short", "Long")
LIFETIMES: Final = ("5m", "30m", "1h", "12h")
ACTIONS: Final = ("route", "cache", "uncache", "tier", "region")
#: What a lever may ask of the usage that it is pulled on; `tag` is one more, with a table of keys.
FIELDS: Final = ("provider", "model", "version", "tier", "region", "project", "key", "user", "connection")
TAG: Final = "tag:"
#: Shares are exact decimals: a plan whose levers need more fraction digits in all than these is refused.
MOST_DIGITS: Final = 12

_ONE: Final = Decimal(1)
_LEVER_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "route": ("share", "to"),
    "cache": ("reads", "writes", "lifetime"),
    "uncache": ("share",),
    "tier": ("share", "tier"),
    "region": ("share", "region"),
}
_PLAN_KEYS: Final = ("name", "description", "prices_at", "known_at", "assume", "lever")


class PlanError(ValueError):
    """The plan cannot be read; `sentences` tells each error."""

    def __init__(self, sentences: Sequence[str]) -> None:
        self.sentences = tuple(sentences)
        super().__init__(" ".join(self.sentences))


@dataclass(frozen=True, slots=True)
class Target:
    """The model that requests are routed to, at its seller; a tier or region of None stays as it was."""

    provider: str
    model: str
    version: str | None = None
    tier: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Lever:
    """One thing done to a part of the usage.

    Attributes:
        action: one of `ACTIONS`.
        where: allowed values by field (`FIELDS` or `tag:KEY`); a lever without any is pulled on all usage.
        share: part of the tokens and requests that it is done to, 0 to 1; for `cache` the part that becomes reads.
        writes: for `cache`, the part of the uncached input that becomes cache writes.
        lifetime: for `cache`, how long the writes live; None is the one price that the seller has for a write.
        to: for `route`, the model.
        tier: for `tier`, the tier.
        region: for `region`, the serving region.
    """

    action: str
    where: Mapping[str, tuple[str, ...]]
    share: Decimal = _ONE
    writes: Decimal = Decimal(0)
    lifetime: str | None = None
    to: Target | None = None
    tier: str | None = None
    region: str | None = None

    @property
    def digits(self) -> int:
        """Fraction digits that splitting a whole number of tokens by this lever needs."""
        return max(_digits(self.share), _digits(self.writes))


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done to the usage, and the prices it is done at.

    Attributes:
        name: what the plan is called.
        description: in the author's words.
        prices_at: moment whose prices hold for all of the usage; None: each row at the prices of its own time.
        known_at: moment whose knowledge of prices is used; None: all that the book knows.
        assume_tier, assume_region, assume_context: taken for usage that does not state its own; None: nothing is.
        levers: in the order in which they are pulled, each on what the ones before have left.
    """

    name: str
    description: str = ""
    prices_at: datetime | None = None
    known_at: datetime | None = None
    assume_tier: str | None = None
    assume_region: str | None = None
    assume_context: str | None = None
    levers: tuple[Lever, ...] = field(default=())

    @property
    def digits(self) -> int:
        """Fraction digits of a token that all levers together need."""
        return sum(lever.digits for lever in self.levers)

    @property
    def asks(self) -> tuple[str, ...]:
        """Every field that a lever asks for, each once."""
        return tuple(dict.fromkeys(name for lever in self.levers for name in lever.where))


#: Nothing is done: the usage as it was, at the prices of its time.
AS_USED: Final = Plan("as used")


def parse_plan(text: str) -> Plan:
    """The plan that a TOML text states.

    Raises:
        PlanError: it states none, or anything in it is not understood.
    """
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise PlanError([f"The plan is no TOML: {error}."]) from error
    reader = _Reader()
    plan = reader.plan(data)
    if reader.errors:
        raise PlanError(reader.errors)
    return plan


class _Reader:
    """Reads values and keeps a sentence for each one that cannot be taken."""

    def __init__(self) -> None:
        self.errors = list[str]()

    def plan(self, data: Mapping[str, Any]) -> Plan:
        self.known("The plan", data, _PLAN_KEYS)
        assume = self.table("[assume]", data.get("assume", {}))
        self.known("[assume]", assume, ("tier", "region", "context"))
        levers = data.get("lever", [])
        if not isinstance(levers, list):
            self.errors.append("Levers are written as [[lever]], with two brackets.")
            levers = []
        plan = Plan(
            name=self.text("name", data.get("name", "plan")) or "plan",
            description=self.text("description", data.get("description", "")) or "",
            prices_at=self.moment("prices_at", data.get("prices_at")),
            known_at=self.moment("known_at", data.get("known_at")),
            assume_tier=self.one_of("[assume] tier", assume.get("tier"), PRICED_TIERS),
            assume_region=self.one_of("[assume] region", assume.get("region"), REGIONS),
            assume_context=self.one_of("[assume] context", assume.get("context"), CONTEXTS),
            levers=tuple(self.lever(n, entry) for n, entry in enumerate(cast("list[Any]", levers), start=1)),
        )
        if plan.digits > MOST_DIGITS:
            self.errors.append(
                f"The shares have {plan.digits} fraction digits in all, and tokens are split exactly to "
                f"{MOST_DIGITS} only; write them shorter."
            )
        return plan

    def lever(self, number: int, entry: object) -> Lever:
        name = f"Lever {number}"
        data = self.table(name, entry)
        action = self.one_of(f"{name}: action", data.get("action"), ACTIONS)
        if action is None:
            if "action" not in data:
                self.errors.append(f"{name} has no action; there are {', '.join(ACTIONS)}.")
            return Lever("", {})
        self.known(name, data, ("action", "where", *_LEVER_KEYS[action]))
        where = self.where(name, data.get("where", {}))
        if action == "cache":
            return self.cache(name, data, where)
        return Lever(
            action,
            where,
            share=self.share(f"{name}: share", data.get("share", 1)),
            to=self.target(name, data.get("to")) if action == "route" else None,
            tier=self.needed(name, data, "tier", PRICED_TIERS) if action == "tier" else None,
            region=self.needed(name, data, "region", REGIONS) if action == "region" else None,
        )

    def cache(self, name: str, data: Mapping[str, Any], where: Mapping[str, tuple[str, ...]]) -> Lever:
        if "reads" not in data:
            self.errors.append(f"{name} does not say which share of the input is read from the cache (reads).")
        reads = self.share(f"{name}: reads", data.get("reads", 0))
        writes = self.share(f"{name}: writes", data.get("writes", 0))
        if reads + writes > _ONE:
            self.errors.append(f"{name}: reads and writes are more than the whole input together.")
        lifetime = self.one_of(f"{name}: lifetime", data.get("lifetime"), LIFETIMES)
        return Lever("cache", where, share=reads, writes=writes, lifetime=lifetime)

    def target(self, name: str, value: object) -> Target | None:
        data = self.table(f"{name}: to", {} if value is None else value)
        self.known(f"{name}: to", data, ("provider", "model", "version", "tier", "region"))
        provider = self.text(f"{name}: to.provider", data.get("provider"))
        model = self.text(f"{name}: to.model", data.get("model"))
        if provider is None or model is None:
            self.errors.append(f'{name} does not say where to: to = {{ provider = "...", model = "..." }}.')
            return None
        return Target(
            provider,
            model,
            version=self.text(f"{name}: to.version", data.get("version")),
            tier=self.one_of(f"{name}: to.tier", data.get("tier"), PRICED_TIERS),
            region=self.one_of(f"{name}: to.region", data.get("region"), REGIONS),
        )

    def where(self, name: str, value: object) -> dict[str, tuple[str, ...]]:
        data = self.table(f"{name}: where", value)
        self.known(f"{name}: where", data, (*FIELDS, "tag"))
        asked = {key: data[key] for key in data if key in FIELDS}
        tags = self.table(f"{name}: where.tag", data.get("tag", {}))
        asked |= {f"{TAG}{key}": tags[key] for key in tags}
        return {key: self.values(f"{name}: where {key}", asked[key]) for key in asked}

    def values(self, name: str, value: object) -> tuple[str, ...]:
        items = cast("list[object]", value) if isinstance(value, list) else [value]
        if not items or not all(isinstance(item, str) for item in items):
            self.errors.append(f"{name} is neither a text nor a list of texts.")
            return ()
        texts = tuple(str(item) for item in items)
        known = {"tier": TIERS, "region": REGIONS}.get(name.rsplit(" ", 1)[-1])
        return tuple(text for text in texts if known is None or self.one_of(name, text, known) is not None)

    def needed(self, name: str, data: Mapping[str, Any], key: str, known: Sequence[str]) -> str | None:
        if key not in data:
            self.errors.append(f"{name} does not say which {key}; there are {', '.join(known)}.")
        return self.one_of(f"{name}: {key}", data.get(key), known)

    def share(self, name: str, value: object) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
            self.errors.append(f"{name} is no number from 0 to 1.")
            return _ONE
        share = Decimal(value)
        if not share.is_finite() or not 0 <= share <= 1:
            self.errors.append(f"{name} is {value}, which is not from 0 to 1.")
            return _ONE
        return share

    def moment(self, name: str, value: object) -> datetime | None:
        """A date is its first moment; without a zone it is UTC."""
        if isinstance(value, datetime):
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        if isinstance(value, date):
            return datetime.combine(value, time(), UTC)
        if value is not None:
            self.errors.append(f"{name} is no date; write 2026-07-30 or 2026-07-30T00:00:00Z, without quotation marks.")
        return None

    def one_of(self, name: str, value: object, known: Sequence[str]) -> str | None:
        """The value where it is one of the known ones; anything else is refused, never taken for the usual one."""
        if value is None or value in known:
            return cast("str | None", value)
        self.errors.append(f"{name} {value!r} is not known; there are {', '.join(known)}.")
        return None

    def text(self, name: str, value: object) -> str | None:
        if value is None or (isinstance(value, str)):
            return value or None
        self.errors.append(f"{name} is no text.")
        return None

    def table(self, name: str, value: object) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return cast("dict[str, Any]", value)
        self.errors.append(f"{name} is no table of keys and values.")
        return {}

    def known(self, name: str, data: Mapping[str, Any], keys: Sequence[str]) -> None:
        for key in data:
            if key not in keys:
                self.errors.append(f"{name} has {key!r}, which is not known; there are {', '.join(keys)}.")


def _digits(share: Decimal) -> int:
    exponent = share.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def matches(lever: Lever, fields: Mapping[str, str | None]) -> bool:
    """Whether a lever is pulled on usage whose fields have these values."""
    return all(fields.get(name) in allowed for name, allowed in lever.where.items())
