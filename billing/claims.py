"""What five business models projected, computed again from their own prices: reproduced or contradicted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from analysis.fees import price
from analysis.projection import Growth, Projection, needed, project
from analysis.result import plain
from billing.catalog import metrics, plan

REPRODUCED: Final = "reproduced"
CONTRADICTED: Final = "contradicted"
OPEN: Final = "cannot be computed"
#: The day whose prices the models stated.
_DAY: Final = date(2025, 8, 16)
_YEAR: Final = 12


@dataclass(frozen=True, slots=True)
class Claim:
    """One published figure and what its own prices say.

    Attributes:
        model: the business model.
        name: what is claimed.
        stated: the figure as published.
        computed: ours, by name.
        verdict: reproduced, contradicted or cannot be computed.
        reason: why.
    """

    model: str
    name: str
    stated: str
    computed: Mapping[str, Decimal]
    verdict: str
    reason: str

    def record(self) -> dict[str, Any]:
        """The claim as JSON carries it."""
        return {
            "model": self.model,
            "claim": self.name,
            "stated": self.stated,
            "computed": {name: plain(value) for name, value in self.computed.items()},
            "verdict": self.verdict,
            "reason": self.reason,
        }


def claims() -> list[Claim]:
    """Every published projection, by business model."""
    return [*_sessiontrack(), *_sessions(), *_psp(), *_chatbot(), *_spendproof()]


def fee_of(name: str, **given: str) -> Decimal:
    """What one customer of a plan pays a period, for metrics as text.

    Raises:
        FeeError: the plan is unknown or unpriced, or a metric is missing.
    """
    found = plan(name, _DAY).priced()
    return price(found, metrics(given, found.currency)).amount


def _growth(customers: Mapping[int, Mapping[str, str]], prices: Mapping[str, Decimal]) -> Projection:
    counts = {month: {name: Decimal(n) for name, n in each.items()} for month, each in customers.items()}
    return project(Growth(prices, counts))


def _computed(found: Projection) -> dict[str, Decimal]:
    return {
        "mrr": found.mrr,
        "arr": found.arr,
        "collected_low": found.collected_low,
        "collected_high": found.collected_high,
    }


def _sessiontrack() -> list[Claim]:
    prices = {"pro": fee_of("sessiontrack-pro"), "enterprise": fee_of("sessiontrack-enterprise")}
    years = (("year 1", "500", "50", "250,000"), ("year 2", "2000", "200", "1,000,000"))
    return [
        Claim(
            "SessionTrack",
            f"Revenue of {name}: {pro} Pro and {enterprise} Enterprise",
            f"${stated}",
            _computed(_growth({_YEAR: {"pro": pro, "enterprise": enterprise}}, prices)),
            CONTRADICTED,
            "The full counts for twelve months come to the ARR; the figure stated is 83.35 % of it, ten months of full "
            "counts, without a reason. Growing evenly from none, the year collects about half of the ARR. Credits, "
            "API and consulting are in neither.",
        )
        for name, pro, enterprise, stated in years
    ]


def _sessions() -> list[Claim]:
    prices = {"individual": fee_of("sessions-individual"), "seats": fee_of("sessions-team", seats="3") / 3}
    path = {3: {}, 6: {"individual": "100"}, _YEAR: {"individual": "300", "seats": "200"}}
    return [
        Claim(
            "Claude Sessions",
            "Conservative year 1: 300 individuals and 200 seats",
            "$5,400 a month, $64,800 a year",
            _computed(_growth(path, prices)),
            REPRODUCED,
            "The month and the run rate are right. The $64,800 is a rate reached at month 12, not the year's revenue: "
            "along the plan's own milestones (month 3 none, month 6 $800) the year collects about a third of it.",
        ),
        Claim(
            "Claude Sessions",
            "Optimistic: 2,500 individuals and 1,500 seats",
            "$42,500 a month, $510,000 a year",
            _computed(_growth({_YEAR: {"individual": "2500", "seats": "1500"}}, prices)),
            REPRODUCED,
            "The month and the run rate are right; what a year of growth collects is about half.",
        ),
        Claim(
            "Claude Sessions",
            "Month 12: 30 teams with 200 seats",
            "about 15 teams with 200 seats in the conservative case",
            {"seats_per_team": (Decimal(200) / 30).quantize(Decimal("0.1")), "in_the_case": Decimal("13.3")},
            CONTRADICTED,
            "The milestone has 6.7 seats a team, the conservative case 13.3.",
        ),
    ]


def _psp() -> list[Claim]:
    seat, team = fee_of("psp-professional", developers="1"), fee_of("psp-enterprise", teams="1")
    sessions = {"sessions": Decimal(2_000_000) / fee_of("psp-cloud", sessions="1")}
    found = list[Claim]()
    for year, arr, more in (("2", 500_000, {}), ("3", 2_000_000, sessions)):
        target = Decimal(arr) / _YEAR
        counts = {"seats": Decimal(needed(target, seat)), "teams": Decimal(needed(target, team))}
        found.append(
            Claim(
                "PSP",
                f"Year {year}: ARR",
                f"${arr:,}+",
                counts | more,
                CONTRADICTED if year == "2" else OPEN,
                "No customer numbers are given. It takes so many of one plan alone, a year after 1,000 users; "
                "only custom Enterprise contracts make it likely."
                if year == "2"
                else "No customer numbers are given; it takes so many of one plan alone. An IPO starts at $100M.",
            )
        )
    return found


def _chatbot() -> list[Claim]:
    return [
        Claim(
            "Chatbot", "Any revenue", "none", {}, OPEN, "The price list states no price, so nothing can be projected."
        )
    ]


def _spendproof() -> list[Claim]:
    early, mid = fee_of("early", ai_spend="1000000"), fee_of("mid", ai_spend="1000000")
    large = Decimal("0.12") * 250_000
    least = needed(Decimal(10_000) - 50 * early, mid - early)
    return [
        Claim(
            "SpendProof",
            "$10,000 MRR with 50 customers",
            "$10,000",
            {"all_early": 50 * early, "mid_needed": Decimal(least), "with_them": least * mid + (50 - least) * early},
            CONTRADICTED,
            "50 customers of Early pay $4,950 at most. It takes 13 of Mid among them, all at their cap.",
        ),
        Claim(
            "SpendProof",
            "5 % conversion and 50 customers by week 8",
            "50 customers",
            {"free_users": Decimal(50) / Decimal("0.05")},
            CONTRADICTED,
            "It takes 1,000 free users four weeks after a launch with 50; elsewhere 10 % is stated.",
        ),
        Claim(
            "SpendProof",
            "$100,000 MRR within 30 days of launch",
            "$100,000",
            {
                "early_at_cap": Decimal(needed(Decimal(100_000), early)),
                "mid_at_cap": Decimal(needed(Decimal(100_000), mid)),
                "enterprise_at_12_percent_of_250000": Decimal(needed(Decimal(100_000), large)),
            },
            CONTRADICTED,
            "Another goal is $10,000 by week 8. Capped plans need hundreds of customers; only a percentage without cap "
            "reaches it with few.",
        ),
        Claim(
            "SpendProof",
            "The fee follows the AI spend",
            "value in proportion to spend",
            {"early_cap_from": early / Decimal("0.02"), "mid_cap_from": mid / Decimal("0.05")},
            CONTRADICTED,
            "Above these monthly spends the fee is flat; nearly all customers of $5,000 to $50,000 pay the cap.",
        ),
    ]
