"""Charts of the Spend report: what was spent by day, and what a million tokens cost by day."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from analysis.period import first_of_month
from reports import figures, numbers
from reports.figures import Axis, Mark
from reports.report import Chart
from reports.span import Span

if TYPE_CHECKING:
    from analysis.spend import SpendRow
    from analysis.unit_cost import UnitCostRow

#: Lines of one chart that can be told apart on paper.
_MOST_LINES: Final = 6


@dataclass(frozen=True, slots=True)
class Frame:
    """What a chart is about.

    Attributes:
        title: above it.
        span: its days.
        currency: of its amounts.
        provisional_from: first day that may still be restated.
        synthetic: whether it shows a sample.
    """

    title: str
    span: Span
    currency: str
    provisional_from: date
    synthetic: bool

    def axis(self, title: str, words: str) -> Axis:
        """The chart's axes."""
        start = self.provisional_from if self.provisional_from <= self.span.last else None
        note = "Synthetic sample data" if self.synthetic else ""
        shown = max(start, self.span.first) if start else None
        return Axis(title, self.span.monthly, self.span.last, shown, words, note)

    def words(self, told: Sequence[tuple[str, str]]) -> str:
        """What the chart shows, for whoever cannot see it."""
        return figures.words(self.title, told, self.span.first, self.span.last)


def mark(
    row: SpendRow | UnitCostRow, when: str, name: str, amount: Decimal | None, shown: Callable[[Decimal, str], str]
) -> Mark:
    """One figure of one group at one day or month."""
    moment = row.dimensions[when]
    if not isinstance(moment, date):
        raise TypeError(f"A {when} of the rollup is no day: {moment!r}.")
    day = first_of_month(moment) if when == "month" else moment
    return Mark(day, name, amount, numbers.NONE if amount is None else shown(amount, row.currency))


def stacked(marks: Sequence[Mark], sums: Mapping[str, Decimal], frame: Frame) -> Chart:
    """Amounts on each other, the largest groups by name and all others together.

    Args:
        marks: every group at every day or month.
        sums: amount of each group over all days, the largest first.
        frame: what it is about.
    """
    kept = list(sums)[: figures.TOP]
    other = f"other ({len(sums) - len(kept)} more)"
    palette = figures.colours(kept, list(sums)) | ({other: figures.OTHER_COLOUR} if len(sums) > len(kept) else {})
    words = frame.words([(name, numbers.money(amount, frame.currency)) for name, amount in sums.items()])
    shown = figures.gathered(marks, frozenset(kept), other, frame.currency)
    spec = figures.stacked(shown, palette, frame.axis(f"{frame.currency} per {frame.span.step}", words))
    return Chart(frame.title, words, spec)


def lines(marks: Sequence[Mark], prices: Mapping[str, Decimal | None], frame: Frame) -> Chart:
    """One line for each of the groups with the largest cost; it breaks where there is no figure.

    Args:
        marks: every group at every day or month.
        prices: of each group over all days, the one with the largest cost first.
        frame: what it is about.
    """
    kept = list(prices)[:_MOST_LINES]
    words = frame.words([(name, numbers.unit_price(price, frame.currency)) for name, price in prices.items()])
    inside = [mark for mark in marks if mark.name in kept]
    shown = figures.with_gaps(inside, frame.span.first, frame.span.last, monthly=frame.span.monthly)
    axis = frame.axis(f"{frame.currency} per 1M tokens", words)
    more = f", the {len(kept)} with the largest cost of {len(prices)}" if len(prices) > len(kept) else ""
    return Chart(frame.title + more, words, figures.lines(shown, figures.colours(kept, list(prices)), axis))
