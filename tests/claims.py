"""A claim as the product makes it: measured from two periods of synthetic days, with everything that it cites."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from analysis.guard_rails import GuardRail
from analysis.savings import METHOD, measure_avoided_cost
from analysis.savings_evidence import Evidence, Intervention, InvoiceCheck, OtherChange, Quality
from analysis.scope import Filter
from ledger.price_book import book
from reports import claim as c

BASELINE = date(2026, 3, 1)
CHANGE = date(2026, 8, 28)
REPORTING = date(2026, 9, 1)
DAYS = 180, 61
SIGNED = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
BOOK = book.load().layer("list").digest
CHEAPER = "OpenAI lowered the price of gpt-x"
PASSED = "Evaluations passed: 93.1% before, 93.4% after, no worse than the stated margin of 2%."


def days(effect: float, *, seed: int = 7) -> list[dict[str, Any]]:
    """Two periods of an AI workload with a weekly rhythm and growth; the change takes `effect` off each unit."""
    rng, rows = np.random.default_rng(seed), list[dict[str, Any]]()
    for part, first, length in (("baseline", BASELINE, DAYS[0]), ("reporting", REPORTING, DAYS[1])):
        for n in range(length):
            day = first + timedelta(days=n)
            t = (day - BASELINE).days
            driver = round(40_000 * (1 + 0.0006 * t) * (0.7 if day.weekday() > 4 else 1.0) * rng.normal(1, 0.05))
            unit = 0.021 * rng.normal(1, 0.025) * (1 - effect if part == "reporting" else 1)
            tokens = round(1800 * rng.normal(1, 0.01), 6)
            cost = Decimal(str(round(driver * unit + 60, 6)))
            rows.append(
                {
                    "part": part,
                    "date": day,
                    "cost": cost,
                    "driver": Decimal(driver),
                    "price_per_token": Decimal(str(round(float(cost) / driver / tokens, 12))),
                    "tokens_per_driver": Decimal(str(tokens)),
                }
            )
    return rows


def frame(rows: list[dict[str, Any]], part: str) -> pd.DataFrame:
    return pd.DataFrame([{n: v for n, v in row.items() if n != "part"} for row in rows if row["part"] == part])


@cache
def claim(effect: float = 0.22, **changes: Any) -> c.Claim:
    """A prospective claim with every part filled; `effect` 0 is a change that saved nothing."""
    rows = days(effect)
    invoices = tuple(
        c.InvoiceTotal(
            date(2026, m, 1),
            date(2026, m + 1, 1) - timedelta(days=1),
            Decimal(26_000 + m),
            Decimal(26_001 + m),
            "portal",
        )
        for m in range(3, 11)
    )
    evidence = Evidence(
        currency="USD",
        unsettled=frozenset(),
        invoices=tuple(InvoiceCheck(i.first_day, i.last_day, i.ledger, i.invoiced) for i in invoices),
        price_book=BOOK,
        interventions=(Intervention(CHANGE, "Route simple tickets to the small model", changes_answers=True),),
        other_changes=(OtherChange(date(2026, 9, 1), CHEAPER, "costs are restated to constant prices"),),
        signed_by="R. Okafor, Head of Platform",
        quality=Quality(
            "Share of evaluations passed", Decimal("-0.004"), Decimal("0.02"), "1,200 cases after the change"
        ),
    )
    result = measure_avoided_cost(frame(rows, "baseline"), frame(rows, "reporting"), evidence=evidence)
    expected = {day.date: day for day in result.days}
    state = c.State.VERIFIED if result.verified else c.State.NOT_VERIFIED
    billed = Decimal("0.97")
    found = tuple(
        c.Day(
            row["date"],
            row["part"],
            row["cost"],
            row["cost"] if row["part"] == "baseline" else (row["cost"] * billed).quantize(Decimal("1e-6")),
            row["driver"],
            row["price_per_token"],
            row["tokens_per_driver"],
            *((expected[row["date"]].expected, expected[row["date"]].low, expected[row["date"]].high)),
        )
        for row in rows
    )
    of_reporting = [day.as_billed for day in found if day.part == "reporting"]
    made = c.Claim(
        question="What did routing simple tickets to the small model (2026-08-28) avoid on support-assistant?",
        proof_class=c.ProofClass.PROSPECTIVE,
        tier=c.Tier.BASELINE,
        state=state,
        workspace="acme",
        synthetic=True,
        currency="USD",
        created=datetime(2026, 11, 20, 8, 0, tzinfo=UTC),
        scope=(Filter("project", ("support-assistant",)), Filter("key", ("key_A1b2C3d4",))),
        driver=c.Driver("tickets answered", "ticket", "drivers"),
        intervention=c.Intervention(
            CHANGE, None, "routing", "Route simple tickets to the small model", (), "J. Park", SIGNED
        ),
        baseline=c.Days(BASELINE, BASELINE + timedelta(days=DAYS[0] - 1), DAYS[0]),
        reporting=c.Days(REPORTING, REPORTING + timedelta(days=DAYS[1] - 1), DAYS[1]),
        frozen=c.FrozenBaseline("b" * 16, "ab" * 32, datetime(2026, 8, 27, 15, 0, tzinfo=UTC), None, "cd" * 32, False),
        loads=(
            c.CitedLoad(
                "load-0001",
                "openai-prod-4471",
                "openai-costs",
                "charges",
                datetime(2026, 11, 3, 2, 0, tzinfo=UTC),
                datetime(2026, 3, 1, tzinfo=UTC),
                datetime(2026, 10, 31, 23, tzinfo=UTC),
                48_211,
                0,
                True,
                (c.SourceFile("costs-2026-03_2026-10.json", 7_340_112, "12" * 32),),
            ),
        ),
        snapshot=41,
        row_digest="ef" * 32,
        row_query="SELECT ...",
        price_book_digest=BOOK,
        constant_prices="List prices of the reporting period.",
        method=c.Method(
            "constant-price intensity regression",
            METHOD,
            Decimal("0.9"),
            c.ROUNDING,
            "The cost of one ticket before the change, by weekday and at constant prices, is taken to the tickets "
            "answered after it: that is the cost without the change. What was billed is taken off. The interval is the "
            "widest of three: chance by day, chance by week, and what the method finds where nothing was done.",
        ),
        gates=tuple(
            c.Gate(g.name, g.title, g.status.value, g.sentence, tuple((n, str(v)) for n, v in g.evidence.items()))
            for g in result.gates
        ),
        figures=c.Figures(
            result.point,
            result.low,
            result.high,
            result.counterfactual,
            result.actual,
            sum(of_reporting, Decimal()).quantize(Decimal("0.01")),
            result.fraction,
            result.fraction_low,
            result.fraction_high,
            result.drift_to_nothing,
            Decimal("0.0213"),
        ),
        evidence=c.EvidenceGiven(
            (),
            invoices,
            "R. Okafor, Head of Platform",
            ("Share of evaluations passed", Decimal("-0.004"), Decimal("0.02"), "1,200 cases after the change"),
            (),
        ),
        limits=result.limits,
        days=found,
        left_out=(c.LeftOut("credits", "a credit is no saving", Decimal("-120.00"), Decimal("-80.00"), 4),),
        price_changes=(c.PriceChange("OpenAI", "gpt-x", "Input", date(2026, 9, 1), Decimal("2.50"), Decimal("2.40")),),
        other_changes=(c.Intervention(date(2026, 9, 1), None, "vendor-price", CHEAPER),),
        guard_rails=(
            GuardRail(
                "pass_rate",
                "share",
                Decimal("0.931"),
                Decimal("0.934"),
                Decimal("-0.004"),
                Decimal("0.010"),
                Decimal("0.02"),
                "not worse",
                PASSED,
                1180,
                1200,
            ),
        ),
        refusals=result.refusals,
        projections=(
            c.Projection(
                "a year at the same rate",
                Decimal("64000.00"),
                Decimal("51000.00"),
                Decimal("77000.00"),
                "61 days taken to 365.",
            ),
        )
        if result.verified
        else (),
        repriced=(
            c.Repriced(
                "Batch for nightly summaries",
                Decimal("4120.10"),
                Decimal("2060.05"),
                Decimal("2060.05"),
                "Not applied yet.",
            ),
        ),
        fee=(c.FeeLine("10% of the verified lower bound, at most $99.00", Decimal("99.00")),)
        if result.verified
        else (),
    )
    return replace(made, **changes)
