"""What no test of the baseline model can exclude, as sentences that stand on every rendering of a claim."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

#: Baseline and reporting days to the share of simulated histories without any saving that pass every gate of the
#: frames with both intervals above zero, where unit cost falls by 10 % a year and nobody declared it
#: (benchmarks/savings.py, 1000 replications).
DRIFT_VERIFIED: Final[Mapping[tuple[int, int], Decimal]] = {
    (90, 30): Decimal("0.04"),
    (150, 90): Decimal("0.15"),
    (180, 60): Decimal("0.09"),
    (365, 90): Decimal("0.00"),
}
#: The most of the same histories whose lower bound, besides, would not be used up by the drift.
WITHSTANDING_VERIFIED: Final = Decimal("0.02")
#: The drift of these shares, per year.
DRIFT: Final = Decimal("0.10")
LATE_DRIFT: Final = "A drift that begins with the change cannot be told from it by any method that looks at one series."
ASSUMPTION: Final = (
    "The baseline's relation between cost and driver is assumed to go on, and the change not to have moved the driver."
)


def limits(drift_to_nothing: Decimal | None) -> tuple[str, ...]:
    """The limits of a claim.

    Args:
        drift_to_nothing: yearly undeclared fall of unit cost that alone would bring the lower bound to zero, as a
            share; None where the lower bound is not above zero.
    """
    of_claim = () if drift_to_nothing is None else (drift_sentence(drift_to_nothing),)
    return (_drift_limit(), *of_claim, LATE_DRIFT, ASSUMPTION)


def drift_sentence(drift_to_nothing: Decimal) -> str:
    """How much undeclared drift this claim's lower bound stands."""
    stands = "is more" if drift_to_nothing > DRIFT else "is not more"
    return (
        f"The lower bound of this claim would be used up by an undeclared fall of unit cost of {drift_to_nothing:.1%} "
        f"a year, which {stands} than the {DRIFT:.0%} above."
    )


def _drift_limit() -> str:
    rates = ", ".join(f"{rate:.0%} at {n} and {m} days" for (n, m), rate in DRIFT_VERIFIED.items())
    return (
        f"Undeclared drift: if unit cost falls on its own by {DRIFT:.0%} a year, slowly enough to escape the tests, "
        f"the fall is taken for a saving. Of simulated histories without any saving, this share passed all tests: "
        f"{rates} of baseline and reporting period; at most {WITHSTANDING_VERIFIED:.0%} did with a lower bound that "
        "the drift would not use up. A randomised holdout or an untouched comparison group does not have this weakness."
    )
