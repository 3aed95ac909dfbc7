"""3,000 random requests priced by the price book and by LiteLLM's own calculator: a difference has a recorded reason.

LiteLLM's side is a record of what release 1.109.1 charged (`tests/record_litellm.py`): the product never imports it.
A kind of token that costs something else on both sides belongs to one of `CLASSES`, whose condition is checked in the
cost map's own statements and in the book, never inferred from the size of the difference.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ledger.price_book import genai, litellm_map
from ledger.price_book.book import Book, load
from ledger.price_book.naming import identities
from ledger.price_book.shipped import shipped_left_out
from tests.price_peers import Request, priced

RECORD = Path(__file__).parent / "data" / "litellm-1.109.1.json.gz"
DOCUMENT = Path(__file__).parents[1] / "docs" / "price-book.md"
#: When the map was read: it has no dates of its own.
READ = datetime(2026, 11, 20, tzinfo=UTC)
KEYS = {kind: key for key, kind in litellm_map._KINDS.items()}
KEYS["cache_write_5m"] = KEYS["cache_write"]
CLASSES = (
    "another day",
    "time of day",
    "not taken",
    "tier not stated",
    "kind not stated",
    "another place",
    "calculator",
    "two names",
    "disputed",
)


@dataclass(frozen=True)
class Asked:
    """A request in both tongues, and what LiteLLM charged for each kind."""

    name: str
    rank: int | None
    request: Request
    costs: Mapping[str, float]


class Map:
    """The cost map's statements, by name, and its names by the model, seller and place that they are about."""

    def __init__(self) -> None:
        record = json.loads(gzip.decompress(RECORD.read_bytes()))
        self.stated: dict[str, dict[str, float]] = {n: entry["stated"] for n, entry in record["entries"].items()}
        self.sellers = {n: str(litellm_map._seller(e["provider"])) for n, e in record["entries"].items()}
        self.places = {n: litellm_map._place(seller, n) for n, seller in self.sellers.items()}
        self.names = identities(place[0] for place in self.places.values() if place is not None)
        self.same = defaultdict[tuple[str, str, str], list[str]](list)
        for name in self.stated:
            plain, region, _ = self.places[name] or (name, "", 0)
            if plain in self.names:
                self.same[self.sellers[name], self.names[plain].model_id, region].append(name)
        self.requests = record["requests"]

    def asked(self) -> Iterator[Asked]:
        for row in self.requests:
            name, place = row["name"], self.places[row["name"]]
            plain, region, rank = place or (name, "Global", None)
            identity = self.names.get(plain)
            request = Request(
                self.sellers[name],
                identity.model_id if identity else plain,
                identity.version if identity else None,
                region,
                row["tier"],
                datetime.fromisoformat(row["at"]),
                row["tokens"],
            )
            yield Asked(name, rank, request, row["costs"])

    def price(self, name: str, request: Request, kind: str) -> float | None:
        """What the map states for one token: the price of the highest step that the input is above."""
        found = dict[int, float]()
        for key, value in self.stated[name].items():
            base, thousands, suffix = litellm_map._KEY.fullmatch(key).groups()
            step = int(thousands or 0) * 1000 - (request.seller == "xAI" and thousands is not None)
            if (
                base == KEYS[kind]
                and litellm_map._TIERS[suffix] == request.tier
                and request.whole_input > step * (step > 0)
            ):
                found[step] = value
        return found[max(found)] if found else None

    def has_tier(self, name: str, tier: str) -> bool:
        return any(litellm_map._TIERS[litellm_map._KEY.fullmatch(key).group(3)] == tier for key in self.stated[name])


def reason(asked: Asked, kind: str, now: float | None, cost_map: Map, book: Book) -> str | None:
    """The first class whose condition holds for one kind of a request; None is unexplained.

    Args:
        now: what the book has for the kind at the moment at which the map was read.
    """
    request, theirs = asked.request, asked.costs[kind]
    if same(now, theirs):
        return "another day"
    if (request.seller, request.model) in TIMED:
        return "time of day"
    left_out = LEFT_OUT[request.seller, asked.name]
    stated = cost_map.price(asked.name, request, kind)
    if (
        asked.rank is None
        or "prices" in left_out
        or (stated is not None and any(k.startswith(KEYS[kind]) for k in left_out))
    ):
        return "not taken"
    if stated is None:
        return "kind not stated" if cost_map.has_tier(asked.name, request.tier) else "tier not stated"
    if asked.rank == litellm_map.WITNESS:
        return "another place"
    said = stated * request.tokens[kind]
    if same(now, said):
        return "calculator"
    others = cost_map.same[request.seller, request.model, request.region]
    if any(n != asked.name and cost_map.price(n, request, kind) != stated for n in others):
        return "two names"
    row = book.price(
        request.seller,
        request.model,
        kind,
        READ,
        tier=request.tier,
        region=request.region,
        version=request.version,
        input_tokens=request.whole_input,
    )
    if row is None or now is None or row.source == litellm_map.SOURCE:
        return None
    shown = (row.other_price_pico or 0) * 1e-12 * request.tokens[kind]
    return "disputed" if row.disputed and same(shown, said) else None


def same(mine: float | None, theirs: float) -> bool:
    """LiteLLM counts in doubles; a price of zero is not known to the book."""
    return theirs == 0 if mine is None else abs(mine - theirs) <= 1e-9 * abs(theirs)


LEFT_OUT = defaultdict[tuple[str, str], set[str]](set)
for _item in shipped_left_out():
    if _item.source == litellm_map.SOURCE:
        LEFT_OUT[_item.seller, _item.model_name].add(_item.key)
_timed = [i for i in shipped_left_out() if i.source == genai.SOURCE and i.key == "prices"]
_of = identities(item.model_name for item in _timed)
TIMED = {(item.seller, _of[item.model_name].model_id) for item in _timed}


def test_every_difference_from_litellm_has_a_recorded_reason() -> None:
    cost_map, book = Map(), load()
    cases = list(cost_map.asked())
    mine = priced([case.request for case in cases], book)
    now = priced([replace(case.request, at=READ) for case in cases], book)
    found, kinds, agreed, unexplained = Counter[str](), Counter[str](), 0, list[Any]()
    for case, of_day, of_release in zip(cases, mine, now, strict=True):
        classes = set[str]()
        for kind, theirs in case.costs.items():
            if same(_float(of_day.get(kind)), theirs):
                kinds["agreed"] += 1
                continue
            why = reason(case, kind, _float(of_release.get(kind)), cost_map, book)
            kinds[str(why)] += 1
            if why is None:
                unexplained.append((case, kind, of_day.get(kind), of_release.get(kind)))
            classes.add(str(why))
        agreed += not classes
        found.update(classes)
    assert unexplained == []
    assert len(cases) == 3_000
    assert set(found) == set(CLASSES)
    # The comparison would be empty if most of it were excused.
    assert agreed >= 1_900
    assert kinds["agreed"] >= 5_400
    written = DOCUMENT.read_text(encoding="utf-8")
    assert [name for name in CLASSES if f"| {name} |" not in written] == []


def _float(amount: Any) -> float | None:
    return None if amount is None else float(amount)
