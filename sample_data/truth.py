"""The true figures behind the files, taken from the simulation and never from the files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sample_data import aws, aws_compute, gcp, openai
from sample_data.calendar import DAYS, END, START
from sample_data.company import CHANGES, NAME, POOLS, PRICE_CUT, Change, Daily, daily
from sample_data.prices import KINDS, LUNA_CUT, PRICES, text, usd
from sample_data.writing import LABEL

#: Provider, day, USD.
Amount = tuple[str, date, Decimal]

SAVING: Final = (
    "For each day: the tokens of that day priced as they would have been billed had this one change not been made "
    "(same demand, same draws, every other change and every price of the day kept), minus what was billed. Positive is "
    "saved. The sum is over the days from the change to the last day; percent is of the cost without the change."
)


def truth(seed: int, made: Daily, bills: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Everything that is true of the files of this seed; money as decimal strings in USD.

    Args:
        seed: of the simulation.
        made: the simulation with every change made.
        bills: rows of the bills of AWS, Microsoft and Google Cloud.
    """
    tokens: list[dict[str, Any]] = made.tokens.to_pylist()
    return {
        "label": LABEL,
        "company": NAME,
        "seed": seed,
        "period": {"first_day": str(START), "last_day": str(DAYS[-1])},
        "currency": "USD",
        "saving_definition": SAVING,
        "changes": [_change(change, seed, tokens) for change in CHANGES],
        "events": _events(seed, tokens, bills),
        "billed": _billed(tokens, bills),
        "ai_billed": _by_month((row["provider"], row["date"], usd(row["picodollars"])) for row in tokens),
        "price_list": [_price(at) for at in range(len(PRICES))],
        "unit_costs": _unit_costs(tokens),
    }


def _change(change: Change, seed: int, tokens: list[dict[str, Any]]) -> dict[str, Any]:
    pool = next(pool for pool in POOLS if pool.key == change.pool)
    scope = {"product": pool.product, "provider": pool.provider, "route": pool.route, "models": list(pool.models)}
    undone: list[dict[str, Any]] = daily(seed, frozenset({change.id})).tokens.to_pylist()
    before, after = _daily_cost(undone, scope), _daily_cost(tokens, scope)
    return {
        "id": change.id,
        "title": change.title,
        "lever": change.lever,
        "date": str(change.day),
        "scope": scope,
        "settings": {"before": {name: getattr(pool, name) for name in change.sets}, "after": dict(change.sets)},
        "saving": _saving(before, after, change.day),
        "saving_by_month": _saving_by_month(before, after, change.day),
    }


def _daily_cost(tokens: list[dict[str, Any]], scope: dict[str, Any]) -> dict[date, Decimal]:
    cost = dict.fromkeys(DAYS, Decimal())
    for row in tokens:
        inside = all(row[name] == scope[name] for name in ("product", "provider", "route"))
        if inside and row["model"] in scope["models"]:
            cost[row["date"]] += usd(row["picodollars"])
    return cost


def _saving(before: dict[date, Decimal], after: dict[date, Decimal], since: date) -> dict[str, Any]:
    days = [day for day in DAYS if day >= since]
    without, made = sum((before[d] for d in days), Decimal()), sum((after[d] for d in days), Decimal())
    return {
        "first_day": str(since),
        "last_day": str(days[-1]),
        "days": len(days),
        "cost_without_the_change": text(without),
        "cost": text(made),
        "saved": text(without - made),
        "saved_per_day": text(((without - made) / len(days)).quantize(Decimal("0.000001"))),
        "percent": text(((without - made) * 100 / without).quantize(Decimal("0.0001"))),
    }


def _saving_by_month(before: dict[date, Decimal], after: dict[date, Decimal], since: date) -> dict[str, str]:
    months: dict[str, Decimal] = defaultdict(Decimal)
    for day in DAYS:
        if day >= since:
            months[f"{day:%Y-%m}"] += before[day] - after[day]
    return {month: text(amount) for month, amount in months.items()}


def _events(
    seed: int, tokens: list[dict[str, Any]], bills: dict[str, list[dict[str, Any]]]
) -> dict[str, dict[str, Any]]:
    scope = {"product": "search", "provider": "OpenAI", "route": "Global", "models": ["gpt-5.6-luna"]}
    uncut = _daily_cost(daily(seed, frozenset({PRICE_CUT})).tokens.to_pylist(), scope)
    plan_days = sum(day >= aws_compute.PLAN_START for day in DAYS)
    first = aws.first_delivery(bills["AWS"])
    granted = [c["amount"] for row in bills["Google Cloud"] for c in row["credits"]]
    return {
        "price_cut": {
            "what": "The vendor lowered its list price. This is no optimisation of the customer.",
            "date": str(LUNA_CUT),
            "scope": scope,
            "effect": _saving(uncut, _daily_cost(tokens, scope), LUNA_CUT),
        },
        "commitment": {
            "what": "AWS Compute Savings Plan, one year, no upfront",
            "date": str(aws_compute.PLAN_START),
            "arn": aws_compute.PLAN_ARN,
            "commitment_per_hour": text(aws_compute.COMMITMENT_AN_HOUR),
            "days": plan_days,
            "fee": text(plan_days * aws_compute.HOURS * aws_compute.COMMITMENT_AN_HOUR),
            "used": text(plan_days * aws_compute.used_commitment()),
            "covered_usage_on_demand": text(plan_days * aws_compute.covered_on_demand()),
        },
        "credits": {
            "gcp_promotion": {
                "first_day": str(gcp.CREDIT_FIRST),
                "last_day": str(gcp.CREDIT_LAST),
                "amount": text(sum((Decimal(str(amount)) for amount in granted), Decimal())),
            },
            "openai_credit": {"date": str(openai.CREDIT_DAY), "amount": text(openai.CREDIT_USD)},
        },
        "restatement": {
            "what": "The first delivery of this AWS month was incomplete; the second replaces it.",
            "month": aws.RESTATED_MONTH,
            "first_delivery": text(_aws_total(first)),
            "restated": text(_aws_total(aws.of_month(bills["AWS"], aws.RESTATED_MONTH))),
            "rows_first_delivery": len(first),
            "rows_restated": len(aws.of_month(bills["AWS"], aws.RESTATED_MONTH)),
        },
        "unit_switch": {
            "what": "Bedrock meters Nova Pro in '1M tokens' instead of '1K tokens' from this day on.",
            "date": str(aws.UNIT_SWITCH),
        },
        "unknown_meter": {
            "what": "A Bedrock meter that no mapping knows: its cost counts, its tokens are unknown.",
            "provider": "AWS",
            "usage_type": aws.UNKNOWN_METER,
            "first_day": str(aws.UNKNOWN_SINCE),
            "amount": text(aws.unknown_cost()),
        },
    }


def _aws_total(rows: list[dict[str, Any]]) -> Decimal:
    return sum((row["line_item_unblended_cost"] for row in rows), Decimal())


def _billed(tokens: list[dict[str, Any]], bills: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, str]]:
    """The bill of each provider and month: after credits, a commitment's fee as billed."""
    amounts: list[Amount] = [("OpenAI", openai.CREDIT_DAY, openai.CREDIT_USD)]
    amounts += [
        ("AWS", row["line_item_usage_start_date"].date(), row["line_item_unblended_cost"]) for row in bills["AWS"]
    ]
    amounts += [("Microsoft", row["ChargePeriodStart"].date(), row["BilledCost"]) for row in bills["Microsoft"]]
    amounts += [_google(row) for row in bills["Google Cloud"]]
    amounts += [
        (row["provider"], row["date"], usd(row["picodollars"]))
        for row in tokens
        if row["provider"] in {"OpenAI", "Anthropic"}
    ]
    return _by_month(amounts)


def _google(row: dict[str, Any]) -> Amount:
    """A row's cost with its credits."""
    parts = [row["cost"], *(credit["amount"] for credit in row["credits"])]
    day = date.fromisoformat(row["usage_start_time"][:10])
    return "Google Cloud", day, sum((Decimal(str(part)) for part in parts), Decimal())


def _by_month(amounts: Iterable[Amount]) -> dict[str, dict[str, str]]:
    months: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for provider, day, amount in amounts:
        months[provider][f"{day:%Y-%m}"] += amount
    return {
        provider: {month: text(amount) for month, amount in sorted(of.items())}
        for provider, of in sorted(months.items())
    }


def _price(at: int) -> dict[str, Any]:
    entry = PRICES[at]
    later = [p.since for p in PRICES if p[:4] == entry[:4] and p.since > entry.since]
    return {
        "provider": entry.provider,
        "route": entry.route,
        "model": entry.model,
        "tier": entry.tier,
        "from": str(entry.since),
        "until": str(min(later, default=END)),
        "usd_per_million_tokens": {k: v for k, v in zip(KINDS, entry.usd_per_million, strict=True) if v is not None},
    }


def _unit_costs(tokens: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Billed cost before credits by provider, route, model, tier, kind and month, with the tokens it bought."""
    sums: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0])
    names = ("provider", "route", "model", "tier", "kind")
    for row in tokens:
        entry = sums[(*(row[name] for name in names), f"{row['date']:%Y-%m}")]
        entry[0] += row["tokens"]
        entry[1] += row["picodollars"]
    result: list[dict[str, Any]] = []
    for key, (count, picodollars) in sorted(sums.items()):
        cost = usd(picodollars)
        each = (cost * 1_000_000 / count).quantize(Decimal("0.000000001"))
        figures = {"tokens": count, "cost": text(cost), "usd_per_million_tokens": text(each)}
        result.append(dict(zip((*names, "month"), key, strict=True)) | figures)
    return result
