"""The part of the AWS bill that is no model: machines, a Savings Plan over some of them, storage, transfer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np

from sample_data.aws_rows import PAYER, line_item
from sample_data.calendar import DAYS, growth, normals, week
from sample_data.prices import text

HOURS: Final = Decimal(24)

#: A Compute Savings Plan of one year, no upfront, bought for this day.
PLAN_START: Final = date(2026, 4, 1)
PLAN_END: Final = date(2027, 4, 1)
PLAN_ARN: Final = f"arn:aws:savingsplans::{PAYER}:savingsplan/synthetic-0001"
COMMITMENT_AN_HOUR: Final = Decimal("4.50")


class Fleet(NamedTuple):
    """Machines of one product: always on, of which the plan covers `covered`; the others come and go."""

    product: str
    type: str
    on_demand: Decimal
    plan_rate: Decimal
    steady: int
    covered: int
    elastic: int


FLEETS: Final = (
    Fleet("assistant", "m6i.2xlarge", Decimal("0.384"), Decimal("0.28032"), 6, 6, 2),
    Fleet("search", "m6i.2xlarge", Decimal("0.384"), Decimal("0.28032"), 6, 6, 2),
    Fleet("docs", "m6i.2xlarge", Decimal("0.384"), Decimal("0.28032"), 3, 2, 1),
    Fleet("search", "g5.xlarge", Decimal("1.006"), Decimal("0.73438"), 3, 0, 0),
)


class Metered(NamedTuple):
    """Something metered by the day: its meter, its price and the quantity of the first day."""

    product: str
    code: str
    usage_type: str
    operation: str
    unit: str
    rate: Decimal
    quantity: float
    daily_growth: float
    follows_week: bool
    family: str


METERED: Final = (
    Metered(
        "search",
        "AmazonS3",
        "TimedStorage-ByteHrs",
        "StandardStorage",
        "GB-Mo",
        Decimal("0.023"),
        900,
        1.0006,
        False,
        "Storage",
    ),
    Metered(
        "docs",
        "AmazonS3",
        "TimedStorage-ByteHrs",
        "StandardStorage",
        "GB-Mo",
        Decimal("0.023"),
        700,
        1.0010,
        False,
        "Storage",
    ),
    Metered(
        "docs",
        "AmazonS3",
        "Requests-Tier1",
        "PutObject",
        "Requests",
        Decimal("0.000005"),
        900_000,
        1.0006,
        True,
        "API Request",
    ),
    Metered(
        "search",
        "AmazonRDS",
        "InstanceUsage:db.r6g.xlarge",
        "CreateDBInstance:0016",
        "Hrs",
        Decimal("0.519"),
        72,
        1.0,
        False,
        "Database Instance",
    ),
    Metered(
        "assistant",
        "AmazonRDS",
        "InstanceUsage:db.r6g.xlarge",
        "CreateDBInstance:0016",
        "Hrs",
        Decimal("0.519"),
        48,
        1.0,
        False,
        "Database Instance",
    ),
    Metered(
        "assistant",
        "AWSDataTransfer",
        "DataTransfer-Out-Bytes",
        "RunInstances",
        "GB",
        Decimal("0.09"),
        190,
        1.0007,
        True,
        "Data Transfer",
    ),
    Metered(
        "search",
        "AWSDataTransfer",
        "DataTransfer-Out-Bytes",
        "RunInstances",
        "GB",
        Decimal("0.09"),
        140,
        1.0005,
        True,
        "Data Transfer",
    ),
)

_NAMES: Final = {
    "AmazonEC2": "Amazon Elastic Compute Cloud",
    "AmazonS3": "Amazon Simple Storage Service",
    "AmazonRDS": "Amazon Relational Database Service",
    "AWSDataTransfer": "AWS Data Transfer",
    "ComputeSavingsPlans": "Savings Plans for AWS Compute usage",
}


def rows(seed: int) -> Iterator[dict[str, Any]]:
    """Every line item that is no model."""
    for fleet in FLEETS:
        yield from _fleet(fleet, seed)
    for meter in METERED:
        yield from _metered(meter, seed)
    yield from (_fee(day) for day in DAYS if day >= PLAN_START)


def _fleet(fleet: Fleet, seed: int) -> Iterator[dict[str, Any]]:
    busy = 16.0 * week(0.7, 0.65) * (1.0 + 0.10 * normals(seed, f"aws {fleet.product} {fleet.type}"))
    elastic = np.clip(np.rint(busy), 4, 24).astype(np.int64)
    for at, day in enumerate(DAYS):
        covered = fleet.covered if day >= PLAN_START else 0
        for number in range(fleet.steady + fleet.elastic):
            hours = HOURS if number < fleet.steady else Decimal(int(elastic[at]))
            row = _machine(fleet, day, number, hours)
            yield row | _covered(fleet) if number < covered else row
        if covered:
            yield _negation(fleet, day, covered)


def _machine(fleet: Fleet, day: date, number: int, hours: Decimal) -> dict[str, Any]:
    words = f"${text(fleet.on_demand)} per On Demand Linux {fleet.type} Instance Hour"
    usage_type = f"BoxUsage:{fleet.type}"
    row = line_item(
        day,
        fleet.product,
        code="AmazonEC2",
        usage_type=usage_type,
        quantity=hours,
        rate=fleet.on_demand,
        unit="Hrs",
        description=words,
    )
    return row | {
        "line_item_operation": "RunInstances",
        "line_item_availability_zone": "us-east-1a",
        "line_item_resource_id": f"i-synthetic-{fleet.product}-{fleet.type.split('.')[0]}-{number:02d}",
        "product_instance_type": fleet.type,
        "product_product_family": "Compute Instance",
        "product": _product("AmazonEC2"),
    }


def _plan() -> dict[str, Any]:
    return {
        "savings_plan_savings_plan_a_r_n": PLAN_ARN,
        "savings_plan_start_time": f"{PLAN_START}T00:00:00.000Z",
        "savings_plan_end_time": f"{PLAN_END}T00:00:00.000Z",
        "savings_plan_offering_type": "ComputeSavingsPlans",
        "savings_plan_payment_option": "No Upfront",
        "savings_plan_purchase_term": "1yr",
    }


def _covered(fleet: Fleet) -> dict[str, Any]:
    return _plan() | {
        "line_item_line_item_type": "SavingsPlanCoveredUsage",
        "savings_plan_savings_plan_rate": text(fleet.plan_rate),
        "savings_plan_savings_plan_effective_cost": HOURS * fleet.plan_rate,
    }


def _negation(fleet: Fleet, day: date, covered: int) -> dict[str, Any]:
    """The row that takes the on-demand cost of the covered usage of one account back out."""
    row = _machine(fleet, day, 0, HOURS * covered)
    cost = -row["line_item_unblended_cost"]
    words = f"SavingsPlanNegation used by AccountId : {row['line_item_usage_account_id']} and UsageSku : SYNTHETIC"
    return (
        row
        | _plan()
        | {
            "line_item_line_item_type": "SavingsPlanNegation",
            "line_item_line_item_description": words,
            "line_item_resource_id": None,
            "line_item_unblended_cost": cost,
            "pricing_public_on_demand_cost": Decimal(0),
            "resource_tags": [],
        }
    )


def _fee(day: date) -> dict[str, Any]:
    words = "1 year No Upfront Compute Savings Plan"
    usage_type = "ComputeSP:1yrNoUpfront"
    row = line_item(
        day,
        None,
        code="ComputeSavingsPlans",
        usage_type=usage_type,
        quantity=HOURS,
        rate=COMMITMENT_AN_HOUR,
        unit="Hrs",
        description=words,
    )
    return (
        row
        | _plan()
        | {
            "line_item_line_item_type": "SavingsPlanRecurringFee",
            "line_item_resource_id": PLAN_ARN,
            "pricing_public_on_demand_cost": Decimal(0),
            "pricing_public_on_demand_rate": None,
            "product": _product("ComputeSavingsPlans"),
            "savings_plan_total_commitment_to_date": HOURS * COMMITMENT_AN_HOUR,
            "savings_plan_used_commitment": used_commitment(),
        }
    )


def used_commitment() -> Decimal:
    """USD of the plan's commitment that a day uses."""
    return HOURS * sum((f.covered * f.plan_rate for f in FLEETS), Decimal())


def covered_on_demand() -> Decimal:
    """USD that a day's covered usage would cost on demand."""
    return HOURS * sum((f.covered * f.on_demand for f in FLEETS), Decimal())


def _metered(meter: Metered, seed: int) -> Iterator[dict[str, Any]]:
    level = meter.quantity * growth(meter.daily_growth)
    if meter.follows_week:
        level = level * week(0.65, 0.6) * (1.0 + 0.04 * normals(seed, f"aws {meter.product} {meter.usage_type}"))
    words = f"${text(meter.rate)} per {meter.unit} of {meter.usage_type}"
    for at, day in enumerate(DAYS):
        quantity = Decimal(round(float(level[at]) * 1_000)).scaleb(-3)
        yield line_item(
            day,
            meter.product,
            code=meter.code,
            usage_type=meter.usage_type,
            quantity=quantity,
            rate=meter.rate,
            unit=meter.unit,
            description=words,
        ) | {
            "line_item_operation": meter.operation,
            "product_product_family": meter.family,
            "product": _product(meter.code),
        }


def _product(code: str) -> list[tuple[str, str]]:
    return [("product_name", _NAMES[code]), ("servicename", _NAMES[code])]
