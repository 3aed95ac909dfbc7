"""Token metrics of Amazon Bedrock from CloudWatch, hour by hour, as pages that `aws-bedrock-metrics` reads.

CloudWatch keeps hours for 455 days, answers at most 100,800 data points and 500 queries a call, and lists a metric only
while it had data in the last two weeks; what was called before is asked for by the names that Bedrock offers. Each
metric asked for costs the customer $0.00001.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from connectors.aws.live_session import Patient
from connectors.aws.metrics import ASKED
from connectors.errors import SourceError
from connectors.live import Page, Window

NAMESPACE: Final = "AWS/Bedrock"
KEPT_DAYS: Final = 455
_CALLS: Final = "Invocations"
_HOUR: Final = 3600
_DAY: Final = 86_400
_QUERIES: Final = 500
_POINTS: Final = 100_800
#: Days of one page.
_DAYS: Final = 7

_Counts = dict[tuple[datetime, str], dict[str, int]]


@dataclass(frozen=True, slots=True)
class Region:
    """Where models are called: its name, and its clients of CloudWatch and Bedrock."""

    name: str
    cloudwatch: Patient
    bedrock: Patient


@dataclass(frozen=True, slots=True)
class Models:
    """What there is to ask for in a region.

    Attributes:
        metrics: by model or profile as CloudWatch calls it, the metrics to ask for.
        behind: by inference profile of an application, the model that it stands for.
    """

    metrics: Mapping[str, Sequence[str]]
    behind: Mapping[str, str]


def pages(regions: Sequence[Region], account: str, window: Window, resume: str | None) -> Iterator[Page]:
    """A page for every week of the window, all regions in it, oldest first.

    Args:
        regions: where to ask.
        account: whose metrics they are.
        window: the days.
        resume: number of the weeks that were fetched already.

    Raises:
        SourceError: CloudWatch withholds a metric.
    """
    done, weeks = int(resume or 0), list(_weeks(window))
    if done >= len(weeks):
        return
    wanted = {region.name: models(region, window) for region in regions}
    for at, week in enumerate(weeks[done:], start=done + 1):
        buckets = [bucket for region in regions for bucket in _hours(region, account, wanted[region.name], week)]
        body = json.dumps({"data": [*_covered(week), *buckets], "has_more": False}).encode()
        yield Page(f"tokens-{week.first}.json", body, None if at == len(weeks) else str(at))


def _weeks(window: Window) -> Iterator[Window]:
    first = window.first
    while first < window.end:
        end = min(first + timedelta(days=_DAYS), window.end)
        yield Window(first, end)
        first = end


def _covered(week: Window) -> list[dict[str, Any]]:
    """Every day of the week, without a result: a day that was asked for and had no call is one without tokens."""
    days = (week.end - week.first).days
    return [_bucket(_midnight(week.first) + timedelta(days=n), _DAY, []) for n in range(days)]


def models(region: Region, window: Window) -> Models:
    """What was called on these days, or in the last two weeks."""
    listed: dict[str, set[str]] = {}
    for answer in region.cloudwatch.paged("list_metrics", "NextToken", "NextToken", Namespace=NAMESPACE):
        for metric in answer["Metrics"]:
            by = {dimension["Name"]: dimension["Value"] for dimension in metric.get("Dimensions", [])}
            # Metrics of a whole account repeat those of its models.
            if by.keys() == {"ModelId"} and metric["MetricName"] in ASKED:
                listed.setdefault(by["ModelId"], set()).add(metric["MetricName"])
    offered, behind = _offered(region.bedrock)
    others = [(model, _CALLS) for model in sorted(offered - listed.keys())]
    called = {model for _, model in _counts(region.cloudwatch, others, window, _DAY)}
    return Models({m: sorted(listed.get(m, ASKED)) for m in sorted(listed.keys() | called)}, behind)


def _offered(bedrock: Patient) -> tuple[set[str], dict[str, str]]:
    """Every name that a call may stand under, and the models behind the profiles of applications."""
    names = {model["modelId"] for model in bedrock.list_foundation_models()["modelSummaries"]}
    behind: dict[str, str] = {}
    for kind in ("SYSTEM_DEFINED", "APPLICATION"):
        for answer in bedrock.paged("list_inference_profiles", "nextToken", "nextToken", typeEquals=kind):
            for profile in answer["inferenceProfileSummaries"]:
                called = [profile["inferenceProfileId"]]
                if kind == "APPLICATION":
                    called.append(profile["inferenceProfileArn"])
                    behind |= dict.fromkeys(called, str(profile["models"][0]["modelArn"]).rpartition("/")[2])
                names.update(called)
    return names, behind


def _hours(region: Region, account: str, found: Models, week: Window) -> list[dict[str, Any]]:
    """The hours of a region that have data, each with one result for every model."""
    asked = [(model, metric) for model, metrics in found.metrics.items() for metric in metrics]
    counts = _counts(region.cloudwatch, asked, week, _HOUR)
    hours: dict[datetime, list[dict[str, Any]]] = {}
    for hour, model in sorted(counts):
        who = {"account": account, "region": region.name, "ModelId": model, "model": found.behind.get(model, model)}
        hours.setdefault(hour, []).append(who | counts[hour, model])
    return [_bucket(hour, _HOUR, results) for hour, results in hours.items()]


def _counts(client: Patient, asked: Sequence[tuple[str, str]], window: Window, period: int) -> _Counts:
    """The sums of each model and metric by hour (of a longer period: its first hour); only those that have data."""
    days = (window.end - window.first).days
    most = min(_QUERIES, _POINTS // (days * _DAY // period))
    counts: _Counts = {}
    for start in range(0, len(asked), most):
        some = asked[start : start + most]
        call = {
            "MetricDataQueries": [_query(f"m{at}", *who, period) for at, who in enumerate(some)],
            "StartTime": _midnight(window.first),
            "EndTime": _midnight(window.end),
            "ScanBy": "TimestampAscending",
        }
        for answer in client.paged("get_metric_data", "NextToken", "NextToken", **call):
            for result in answer["MetricDataResults"]:
                _add(counts, *some[int(result["Id"][1:])], result)
    return counts


def _add(counts: _Counts, model: str, metric: str, result: Mapping[str, Any]) -> None:
    if result.get("StatusCode") in {"InternalError", "Forbidden"}:
        raise SourceError(
            f"CloudWatch does not give {metric} of {model} ({result['StatusCode']}); nothing of these days was loaded.",
            "Sync again later.",
        )
    for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
        hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        row = counts.setdefault((hour, model), {})
        row[metric] = row.get(metric, 0) + round(value)


def _query(name: str, model: str, metric: str, period: int) -> dict[str, Any]:
    dimensions = [{"Name": "ModelId", "Value": model}]
    measured = {"Namespace": NAMESPACE, "MetricName": metric, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": measured, "Period": period, "Stat": "Sum"}, "ReturnData": True}


def _bucket(start: datetime, seconds: int, results: list[dict[str, Any]]) -> dict[str, Any]:
    begun = int(start.timestamp())
    return {"start_time": begun, "end_time": begun + seconds, "results": results}


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
