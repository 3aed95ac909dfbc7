"""A scenario behind a link: what is kept once a person agrees, and how a link brings it back."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import date
from typing import Any, Final

import streamlit as st

from accounts import scenarios
from accounts.scenarios import DAYS
from analysis.roi import CASES, Range
from reports.roi_case import Spend
from reports.scenario import range_of
from ui import running
from ui.roi_link import CASE, PAGE

#: The token in the address; everything else of a scenario is in the database, sealed.
PARAMETER: Final = "scenario"
KEPT: Final = "roi-kept"
_OPENED: Final = "roi-opened"
_LINK: Final = "roi-link"
#: Widgets whose values a scenario carries.
_KEYS: Final = (
    "roi-way",
    "roi-low",
    "roi-high",
    "roi-plan",
    "roi-horizon",
    "roi-halve",
    "roi-cost",
    "roi-cost-high",
    "roi-running",
    "roi-ramp",
    "roi-rate",
    "roi-start",
    "roi-route",
    "roi-cache",
    "roi-batch",
    "roi-tier",
    "roi-commit",
)


def arrive() -> None:
    """Open the scenario of the address once, before anything is drawn.

    Raises:
        ScenarioError: the token opens none.
    """
    token = st.query_params.get(PARAMETER)
    if token is None or st.session_state.get(_OPENED) == token:
        return
    served = running.current()
    kept = scenarios.load(served.settings, served.workspace, token)
    st.session_state[_OPENED] = token
    st.session_state[KEPT] = kept
    for key, value in kept["set"].items():
        st.session_state[key] = date.fromisoformat(value) if key == "roi-start" else value
    st.session_state.pop("roi-source", None)


def spend() -> Spend:
    """The spend that the link carries."""
    kept = st.session_state[KEPT]["spend"]
    st.caption(f"As it was saved: {kept['source']}.")
    return Spend(
        range_of(kept),
        kept["currency"],
        kept["basis"],
        tuple(kept["horizons"]),
        tuple(kept["notes"]),
        kept["sample"],
    )


def saving() -> Range | None:
    """The saving that was re-priced when the link was made; None where it was none such."""
    kept = st.session_state.get(KEPT, {}).get("saving")
    return None if kept is None else range_of(kept)


def offer(spent: Spend, repriced: Range | None, page: Callable[[], bytes]) -> None:
    """The way to a link: consent, then a token.

    Args:
        spent: the spend of the scenario.
        repriced: the saving that was re-priced, if it was.
        page: makes the one page that people without an account see.
    """
    st.header("Share", anchor=False)
    agreed = st.checkbox(f"Keep these figures for {DAYS} days, sealed, so that a link opens them", key="roi-consent")
    st.button("Make a link", key="roi-share", disabled=not agreed, on_click=_keeper(spent, repriced, page))
    if (token := st.session_state.get(_LINK)) is None:
        return
    here = (st.context.url or "").split("?")[0]
    st.code(f"{here}?{PARAMETER}={token}", language=None)
    st.caption("Whoever has this link and may open this app goes on with the figures. They stand in no address.")
    base = (running.current().settings.public_url or here.removesuffix("/roi")).rstrip("/")
    st.code(f"{base}{CASE}{token}", language=None)
    st.caption("Whoever has this one sees the one page as PDF, without an account.")
    st.button("Forget this link", key="roi-forget", on_click=_forget)


def _keeper(spent: Spend, repriced: Range | None, page: Callable[[], bytes]) -> Callable[[], None]:
    def keep() -> None:
        state = st.session_state
        found = {key: state[key] for key in _KEYS if state.get(key) is not None}
        values = {key: value.isoformat() if isinstance(value, date) else value for key, value in found.items()}
        served = running.current()
        scenario: dict[str, Any] = {
            "set": values,
            "saving": None if repriced is None else _record(repriced),
            PAGE: base64.b64encode(page()).decode(),
            "spend": _record(spent.range)
            | {
                "currency": spent.currency,
                "basis": spent.basis,
                "horizons": list(spent.horizons),
                "notes": list(spent.notes),
                "sample": spent.sample,
            },
        }
        state[_LINK] = scenarios.save(served.settings, served.workspace, scenario)

    return keep


def _forget() -> None:
    served = running.current()
    scenarios.remove(served.settings, served.workspace, st.session_state.pop(_LINK))


def _record(span: Range) -> dict[str, Any]:
    return {case: f"{span.of(case):f}" for case in CASES} | {"source": span.source}
