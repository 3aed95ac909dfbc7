"""The levers of the what-if page: what a person may set, and the plan's lever that each becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import streamlit as st

from analysis.plan import LIFETIMES, PRICED_TIERS, Lever, Target
from ui import controls, whatif_data
from ui.frame import View
from ui.whatif_data import Offer

ALL: Final = "All models"
_HUNDRED: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Set:
    """A lever that is set, and what it is called."""

    name: str
    lever: Lever


def levers(view: View, models: Sequence[Offer]) -> list[Set] | None:
    """The levers as the person set them, in the order in which they are pulled; None where they contradict."""
    st.header("Levers", anchor=False)
    with st.grid(2, min_column_width=260):
        with st.container(border=True, height="stretch"):
            route = _route(view, models)
        with st.container(border=True, height="stretch"):
            cache = _cache(models)
        with st.container(border=True, height="stretch"):
            batch = _tier("Batch", "batch", models)
        with st.container(border=True, height="stretch"):
            tier = _tier("Tier", "tier", models)
    if cache is not None and cache.lever.share + cache.lever.writes > 1:
        st.info("Cache reads and cache writes are more than all of the input together; lower one of them.")
        return None
    st.caption(
        "Levers are pulled in the order route, cache, batch, tier, each on what the ones before have left. The token "
        "counts stay as they are, though another model would count and answer at another length."
    )
    return [found for found in (route, cache, batch, tier) if found is not None]


def _route(view: View, models: Sequence[Offer]) -> Set | None:
    st.markdown("**Route**")
    named = {str(offer): offer for offer in models}
    source = named[controls.choice("Requests of", list(named), "route-of")]
    known = whatif_data.offers(view.workspace, view.snapshot).models
    sellers = {offer.provider for offer in models}
    others = st.session_state.get("route-sellers", False)
    targets = {str(o): o for o in known if o != source and (others or o.provider in sellers)}
    name = st.selectbox(
        "To", list(targets), index=None, placeholder="Choose a model", key="route-to", bind="query-params"
    )
    share = _percent("Share of requests", "route-share", 20)
    st.checkbox("Models of other sellers too", key="route-sellers", bind="query-params")
    if name is None or not share:
        return None
    to = Target(targets[name].provider, targets[name].model)
    return Set("Route", Lever("route", _where(source), share=share, to=to))


def _cache(models: Sequence[Offer]) -> Set | None:
    st.markdown("**Cache**")
    where = _of(models, "cache-of")
    reads = _percent("Uncached input read from a cache", "cache-reads", 0)
    writes = _percent("Uncached input written to it", "cache-writes", 0)
    lifetime = st.selectbox(
        "Written for",
        LIFETIMES,
        index=None,
        placeholder="The seller's one price",
        help="Where a seller has several prices of a write, tokens are without a price until one is chosen.",
        key="cache-lifetime",
        bind="query-params",
    )
    lever = Lever("cache", where, share=reads, writes=writes, lifetime=lifetime)
    return Set("Cache", lever) if reads or writes else None


def _tier(name: str, key: str, models: Sequence[Offer]) -> Set | None:
    """A share of the tokens through another tier; the batch tier has a lever of its own."""
    st.markdown(f"**{name}**")
    where = _of(models, f"{key}-of")
    tier: str | None = "batch"
    if key != "batch":
        others = [tier for tier in PRICED_TIERS if tier != "batch"]
        tier = st.selectbox(
            "Through", others, index=None, placeholder="As it was", key=f"{key}-to", bind="query-params"
        )
    share = _percent("Share of requests", f"{key}-share", 0 if key == "batch" else 20)
    return Set(name, Lever("tier", where, share=share, tier=tier)) if tier and share else None


def _of(models: Sequence[Offer], key: str) -> dict[str, tuple[str, ...]]:
    named = {str(offer): offer for offer in models}
    name = controls.choice("Of", [ALL, *named], key)
    return {} if name == ALL else _where(named[name])


def _where(offer: Offer) -> dict[str, tuple[str, ...]]:
    return {"provider": (offer.provider,), "model": (offer.model,)}


def _percent(label: str, key: str, default: int) -> Decimal:
    """A share as the person set it, exact."""
    return Decimal(int(st.slider(label, 0, 100, default, format="%d%%", key=key, bind="query-params"))) / _HUNDRED
