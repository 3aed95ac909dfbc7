"""What a plan's levers make of the tokens of a profile: branches, each a share of them with a place of its own.

Shares are counted in whole parts of the plan's smallest fraction of a token (10 to the power of `Plan.digits`), so that
the branches of every kind add up to the whole exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from analysis.metering import PRICED_BY
from analysis.plan import Lever, Plan, matches
from analysis.price_list import CACHE_KINDS, SOME_STEP, Rate, Used

if TYPE_CHECKING:
    from analysis.metered import Profile

CONTRADICTORY: Final = "parts of a token count (reasoning, audio, image) are more than the whole"


@dataclass(frozen=True, slots=True)
class Branch:
    """A share of the tokens of one kind of a profile.

    Attributes:
        profile: place of the profile.
        metered: token kind as it was metered.
        kind: token kind under the plan.
        factor: parts of a token, out of 10 to the power of `Plan.digits`.
        fields: value by field under the plan.
        used, planned: what decides about the price, as it was and under the plan.
        levers: places of the levers that were pulled on it.
        unpriced: why none of it can have a price; None where it can.
    """

    profile: int
    metered: str
    kind: str
    factor: int
    fields: Mapping[str, str | None]
    used: Used
    planned: Used
    levers: frozenset[int] = frozenset()
    unpriced: str | None = None

    def judged(self, rates: Sequence[Rate]) -> list[Rate]:
        """The rates, or the reason why these tokens can have none, over the same stretches of time."""
        if self.unpriced is None:
            return list(rates)
        return [Rate(rate.start, rate.end, None, reason=self.unpriced) for rate in rates]


def branches(number: int, profile: Profile, kinds: Sequence[str], plan: Plan) -> list[Branch]:
    """The branches that a plan makes of a profile's tokens of these kinds.

    Their factors add up to 10 to the power of `Plan.digits` for each kind that was metered; a branch without a share
    is left out. Levers are pulled in order, each on what the ones before have left.
    """
    start = [_as_used(number, profile, kind, plan) for kind in kinds]
    for place, lever in enumerate(plan.levers):
        start = [after for branch in start for after in _pulled(branch, place, lever)]
    return [branch for branch in start if branch.factor]


def _as_used(number: int, profile: Profile, kind: str, plan: Plan) -> Branch:
    fields = dict(profile.fields)
    fields["tier"] = fields["tier"] or plan.assume_tier
    fields["region"] = fields["region"] or plan.assume_region
    above, up_to = profile.above, profile.up_to
    if above not in {up_to, SOME_STEP} and plan.assume_context is not None:
        above, up_to = (above, above) if plan.assume_context == "Short" else (SOME_STEP, up_to)
    unpriced = CONTRADICTORY if profile.contradictory else None
    used = _used(fields, above, up_to)
    return Branch(number, kind, kind, 1, fields, used, used, unpriced=unpriced)


def _used(fields: Mapping[str, str | None], above: int, up_to: int, *, moved: bool = False) -> Used:
    provider, model, version, tier, region = (fields[name] for name in PRICED_BY)
    return Used(provider or "", model, version, tier, region, above, up_to, moved)


def _pulled(branch: Branch, place: int, lever: Lever) -> list[Branch]:
    """The branch in the parts that a lever makes of it; every factor grows by the lever's digits."""
    scale = 10**lever.digits
    if not matches(lever, branch.fields):
        return [replace(branch, factor=branch.factor * scale)]
    chosen = replace(branch, levers=branch.levers | {place})
    if lever.action == "cache":
        return _cached(branch, chosen, lever, scale)
    if lever.action == "uncache":
        if branch.kind not in CACHE_KINDS:
            return [replace(branch, factor=branch.factor * scale)]
        moved = replace(chosen, kind="input")
    else:
        moved = _moved(chosen, lever)
    part = _whole(lever.share, scale)
    return [
        replace(branch, factor=branch.factor * (scale - part)),
        replace(moved, factor=branch.factor * part),
    ]


def _cached(branch: Branch, chosen: Branch, lever: Lever, scale: int) -> list[Branch]:
    if branch.kind != "input":
        return [replace(branch, factor=branch.factor * scale)]
    reads, writes = _whole(lever.share, scale), _whole(lever.writes, scale)
    written = "cache_write" if lever.lifetime is None else f"cache_write_{lever.lifetime}"
    return [
        replace(branch, factor=branch.factor * (scale - reads - writes)),
        replace(chosen, kind="cache_read", factor=branch.factor * reads),
        replace(chosen, kind=written, factor=branch.factor * writes),
    ]


def _moved(branch: Branch, lever: Lever) -> Branch:
    """The branch where a lever puts it: another model, tier or region."""
    fields = dict(branch.fields)
    if lever.to is not None:
        fields |= {"provider": lever.to.provider, "model": lever.to.model, "version": lever.to.version}
        fields |= {"tier": lever.to.tier or fields["tier"], "region": lever.to.region or fields["region"]}
    fields |= {"tier": lever.tier} if lever.tier is not None else {}
    fields |= {"region": lever.region} if lever.region is not None else {}
    planned = _used(fields, branch.planned.above, branch.planned.up_to, moved=True)
    return replace(branch, fields=fields, planned=planned)


def _whole(share: Decimal, scale: int) -> int:
    """A share as parts of `scale`, exact, since the scale has the share's digits."""
    return int(share * scale)
