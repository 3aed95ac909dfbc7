"""Token metrics of Azure OpenAI and Foundry from Azure Monitor, hour by hour, as `azure-openai-metrics` reads them.

One resource holds many deployments, which the bill does not name; the metrics do. Azure Monitor keeps 93 days, takes at
most 50 resources of one region and subscription and 20 metrics a call, and answers only the ten largest series unless
more are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from connectors.azure.metrics import ASKED, DIMENSIONS
from connectors.errors import SourceError
from connectors.live import Page, Window

if TYPE_CHECKING:
    from connectors.azure.live_session import Clients

NAMESPACE: Final = "Microsoft.CognitiveServices/accounts"
KEPT_DAYS: Final = 93
_ACCOUNTS: Final = "/subscriptions/{}/providers/Microsoft.CognitiveServices/accounts?api-version=2024-10-01"
_DEFINED: Final = "{}/providers/Microsoft.Insights/metricDefinitions?api-version=2018-01-01&metricnamespace={}"
_HOUR: Final = 3600
_DAY: Final = 86_400
_RESOURCES: Final = 50
_METRICS: Final = 20
_SERIES: Final = 1000
#: Days of one page.
_DAYS: Final = 7

#: Counts by metric of an hour, a resource and the values of the dimensions.
_Counts = dict[tuple[datetime, str, tuple[str, ...]], dict[str, int]]


@dataclass(frozen=True, slots=True)
class Account:
    """A resource in which models are deployed: its id and region, and by dimensions the metrics that it has."""

    id: str
    region: str
    metrics: Mapping[tuple[str, ...], tuple[str, ...]]


def pages(clients: Clients, subscriptions: Sequence[str], window: Window, resume: str | None) -> Iterator[Page]:
    """A page for every week of the window, all resources in it, oldest first.

    Args:
        clients: ask.
        subscriptions: whose resources.
        window: the days.
        resume: number of the weeks that were fetched already.

    Raises:
        SourceError: Azure refused, or withholds a metric.
    """
    done, weeks = int(resume or 0), list(_weeks(window))
    if done >= len(weeks):
        return
    found = accounts(clients, subscriptions)
    for at, week in enumerate(weeks[done:], start=done + 1):
        body = json.dumps({"data": [*_covered(week), *_hours(clients, found, week)], "has_more": False}).encode()
        yield Page(f"tokens-{week.first}.json", body, None if at == len(weeks) else str(at))


def accounts(clients: Clients, subscriptions: Sequence[str]) -> list[Account]:
    """The resources of some subscriptions that have token metrics."""
    found = list[Account]()
    for subscription in subscriptions:
        address: str | None = _ACCOUNTS.format(subscription)
        while address:
            answer = _asked(clients, address, f"/subscriptions/{subscription}")
            for item in answer.get("value", []):
                metrics = _defined(clients, str(item["id"]))
                if metrics:
                    found.append(Account(str(item["id"]), str(item["location"]), metrics))
            address = answer.get("nextLink")
    return found


def _asked(clients: Clients, address: str, where: str) -> dict[str, Any]:
    return clients.ask("resources", lambda: clients.get(address), where)


def _defined(clients: Clients, account: str) -> dict[tuple[str, ...], tuple[str, ...]]:
    """The token metrics that a resource has, by those of the wanted dimensions that they have."""
    by = dict[tuple[str, ...], list[str]]()
    for metric in _asked(clients, _DEFINED.format(account, NAMESPACE), account).get("value", []):
        name = str(metric["name"]["value"])
        if name in ASKED:
            has = {str(dimension["value"]) for dimension in metric.get("dimensions") or []}
            by.setdefault(tuple(wanted for wanted in DIMENSIONS if wanted in has), []).append(name)
    return {dimensions: tuple(sorted(names)) for dimensions, names in sorted(by.items())}


def _weeks(window: Window) -> Iterator[Window]:
    first = window.first
    while first < window.end:
        end = min(first + timedelta(days=_DAYS), window.end)
        yield Window(first, end)
        first = end


def _covered(week: Window) -> list[dict[str, Any]]:
    """Every day of the week, without a result: a day that was asked for and had no call is one without tokens."""
    days = (week.end - week.first).days
    return [_bucket(_midnight(week.first + timedelta(days=n)), _DAY, []) for n in range(days)]


def _hours(clients: Clients, found: Sequence[Account], week: Window) -> list[dict[str, Any]]:
    """The hours that have data, each with one result for every deployment."""
    counts: _Counts = {}
    for batch, dimensions, metrics in _batches(found):
        _count(clients, batch, dimensions, metrics, week, counts)
    regions = {account.id.lower(): account.region for account in found}
    hours: dict[datetime, list[dict[str, Any]]] = {}
    for (hour, resource, values), sums in sorted(counts.items()):
        who = {"resource": resource, "region": regions[resource]} | dict(zip(DIMENSIONS, values, strict=True))
        hours.setdefault(hour, []).append(who | sums)
    return [_bucket(hour, _HOUR, results) for hour, results in hours.items()]


def _batches(found: Sequence[Account]) -> Iterator[tuple[list[Account], tuple[str, ...], tuple[str, ...]]]:
    """Resources that can be asked for together: of one subscription and region, with the same metrics."""
    groups = dict[tuple[str, str, tuple[str, ...], tuple[str, ...]], list[Account]]()
    for account in found:
        subscription = account.id.split("/")[2].lower()
        for dimensions, metrics in account.metrics.items():
            for at in range(0, len(metrics), _METRICS):
                some = metrics[at : at + _METRICS]
                groups.setdefault((subscription, account.region, dimensions, some), []).append(account)
    for (_, _, dimensions, metrics), members in groups.items():
        for at in range(0, len(members), _RESOURCES):
            yield members[at : at + _RESOURCES], dimensions, metrics


def _count(
    clients: Clients,
    batch: Sequence[Account],
    dimensions: tuple[str, ...],
    metrics: tuple[str, ...],
    week: Window,
    counts: _Counts,
) -> None:
    """Add the sums of each hour that have data."""
    client, split = clients.metrics(batch[0].region), " and ".join(f"{name} eq '*'" for name in dimensions)
    answers = clients.ask(
        "Monitor metrics",
        lambda: client.query_resources(
            resource_ids=[account.id for account in batch],
            metric_namespace=NAMESPACE,
            metric_names=list(metrics),
            timespan=(_midnight(week.first), _midnight(week.end)),
            granularity=timedelta(seconds=_HOUR),
            aggregations=["total"],
            **({"filter": split, "max_results": _SERIES} if split else {}),
        ),
        batch[0].id,
    )
    if len(answers) != len(batch):
        raise SourceError(
            f"Azure Monitor answers for {len(answers)} of {len(batch)} resources; nothing of these days was loaded.",
            "Sync again later.",
        )
    for account, answer in zip(batch, answers, strict=True):
        for metric in answer.metrics:
            if len(metric.timeseries) >= _SERIES:
                raise SourceError(
                    f"{account.id} has {_SERIES} deployments or more, which Azure Monitor does not answer in one week.",
                    "Leave this subscription out of the connection's token metrics.",
                )
            for series in metric.timeseries:
                _add(counts, account, metric.name, series.metadata_values, series.data)


def _add(counts: _Counts, account: Account, metric: str, labels: Mapping[str, Any], points: Sequence[Any]) -> None:
    named = {str(name).lower(): str(value) for name, value in labels.items() if value}
    values = tuple(named.get(name.lower(), "") for name in DIMENSIONS)
    for point in points:
        if point.total is None:
            continue
        hour = point.timestamp.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        row = counts.setdefault((hour, account.id.lower(), values), {})
        row[metric] = row.get(metric, 0) + round(point.total)


def _bucket(start: datetime, seconds: int, results: list[dict[str, Any]]) -> dict[str, Any]:
    begun = int(start.timestamp())
    return {"start_time": begun, "end_time": begun + seconds, "results": results}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
