"""The test of a connection to Azure: each step says what was found, and the first that fails, how to mend it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from connectors.azure import live_exports, live_metrics, live_query
from connectors.errors import SourceError
from connectors.live import Window
from connectors.probing import Found, clock, probe
from connectors.vendor_api import TEST_ATTEMPTS

if TYPE_CHECKING:
    from connectors.azure.live import AzureSource
    from connectors.live import Diagnosis

_ARM: Final = "https://management.azure.com/.default"
_RUNS: Final = {
    "Failed": "Look at the run in Cost Management > Exports > Run history.",
    "Timeout": "Run it again, or split it into partitions (partitionData).",
    "DataNotAvailable": "There is no cost data for its period and scope yet; a new agreement needs 48 hours.",
}


def diagnose(source: AzureSource) -> list[Diagnosis]:
    """Every step of the test; those after the first that fails are not tried."""
    steps: list[tuple[str, Callable[[], Found]]] = [
        ("Sign in to Microsoft Entra", partial(_sign_in, source)),
        ("Ask Cost Management for this month", partial(_this_month, source)),
        ("Find the export", lambda: Found(f"{source.place()} holds the charges.")),
        ("Ask for the export's last run", partial(_run, source)),
        ("Read its newest manifest", partial(_newest, source)),
    ]
    steps += [(f"Ask for token metrics in {name}", partial(_metrics, source, name)) for name in source.subscriptions]
    kept, source.clients.attempts = source.clients.attempts, TEST_ATTEMPTS
    try:
        return probe(steps)
    finally:
        source.clients.attempts = kept


def _sign_in(source: AzureSource) -> Found:
    source.clients.ask("sign-in", lambda: source.clients.credential().get_token(_ARM))
    client = source.access.values.get("client_id", "")
    return Found(
        f"SpendProof is the application {client}." if client else "SpendProof has an identity of this machine."
    )


def _this_month(source: AzureSource) -> Found:
    today = source.today()
    asked = Window(today.replace(day=1), today + timedelta(days=1))
    found, headers = live_query.total(source.clients, source.scope, asked, today)
    clock("Azure", headers, source.access.now())
    if not found:
        return Found(
            "Cost Management answers, but has no cost for this month yet.",
            "Usage shows after 8 to 24 hours. If there was some, compare the scope with the one of the invoice.",
        )
    shown = ", ".join(f"{total.amount:f} {total.currency}" for total in found)
    return Found(f"{shown} so far this month, provisional (Query API).")


def _run(source: AzureSource) -> Found:
    place = source.place()
    listed = live_exports.discover(source.clients, source.scope)
    names = [known.place.name for known in listed if place.holds(known.place)]
    if not names:
        return Found(f"{place} is no export of {source.scope}; its runs are not known here.")
    said = list[str]()
    for name in names:
        status, why, asked = live_exports.last_run(source.clients, source.scope, name)
        if status in _RUNS:
            raise SourceError(f"The last run of {name}, of {asked}, ended with {status}. {why}".strip(), _RUNS[status])
        said.append(f"The last run of {name}, of {asked}, is {status}." if status else f"{name} has not run yet.")
    return Found(" ".join(said))


def _newest(source: AzureSource) -> Found:
    place = source.place()
    delivered = live_exports.deliveries(source.clients, place)
    if not delivered:
        raise live_exports.undelivered(place, delivered)
    newest = delivered[-1]
    return Found(
        f"Months delivered: {len(delivered)}, {delivered[0].month:%Y-%m} to {newest.month:%Y-%m}; the newest on "
        f"{newest.written:%Y-%m-%d}, files: {len(newest.files)}."
    )


def _metrics(source: AzureSource, subscription: str) -> Found:
    """Ask for yesterday, so that the data plane is asked too: its permission is another one."""
    found = live_metrics.accounts(source.clients, [subscription])
    if not found:
        return Found("No Azure OpenAI or Foundry resource is seen there; there are no token counts.")
    yesterday = Window(source.today() - timedelta(days=1), source.today())
    for _ in live_metrics.pages(source.clients, [subscription], yesterday, None):
        pass
    return Found(f"Resources with token metrics: {len(found)}.")
