"""Value: what AI costs, what a change verifiably saved, what that cost in turn, and the way there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import streamlit as st

from analysis.result import Metric, quotient, total
from reports import figures, numbers
from ui import (
    alerts,
    cards,
    charts,
    data,
    drill,
    exports,
    pages,
    provisional,
    scope,
    side,
    spend,
    value_data,
    value_figures,
    views_data,
)
from ui.cards import Told
from ui.frame import SYNTHETIC, View, page
from ui.markup import joined, plain
from ui.scope import Scope
from ui.tables import show_text
from ui.value_data import Listed, Proven

_CENT: Final = Decimal("0.01")
_RETURN: Final = Told(
    "Verified saving less fee, over the fee; the range is that of the interval. A fee is taken from the lower bound "
    "alone.",
    "fees",
    "return-on-the-fee",
)
_SPEND: Final = Told(
    "BilledCost of every charge that names a model, tokens or an AI service, taxes left out: the definition that fees "
    "are taken by.",
    "spend",
    "ai-spend",
)
_SAVING: Final = Told(
    "Cost that the change avoided, at constant prices, with its interval. Never shown without it.",
    "savings",
    "the-baseline-model-e2w",
)


@dataclass(frozen=True, slots=True)
class Card:
    """A figure with what has to be known beside it; no figure says why in the note."""

    label: str
    figure: str | None
    note: str
    told: Told


def draw(view: View) -> None:
    """The page below its title."""
    with scope.row():
        asked = scope.controls_of(view)
    _sources(view, asked)
    _since(view)
    listed = value_data.proofs(view.workspace)
    standing = [one for one in listed if one.state in value_data.STANDING and one.point is not None]
    if not standing:
        _before(view, asked, listed)
        return
    standing.sort(key=lambda one: value_data.STANDING.index(one.state))
    one = _picked(standing)
    proof = value_data.proven(view.workspace, view.snapshot, one.id, one.state)
    _cards([*_spend_cards(view, asked), *saving_cards(one, proof)])
    _remarks(one, proof)
    _bridge(view, one, proof)
    _trend(view, one, proof)
    _performance(proof)
    _table(view, listed)


def _sources(view: View, asked: Scope) -> None:
    """Sources that failed or stopped, above every figure that they are missing from."""
    told = alerts.standing(view.workspace, view.snapshot)
    for alert in told:
        if alert.kind == alerts.LIMIT:
            st.warning(plain(alert.sentence))
    said = [alert.sentence for alert in told if alert.kind == alerts.SOURCE]
    said += spend.incomplete(data.quality(view.workspace, view.snapshot), asked.span, asked.before)
    if said:
        st.warning("**Not everything is in these figures.** " + joined(said))


def _since(view: View) -> None:
    """What came or went since the person's last visit: a restated bill is not to be found by chance."""
    seen = side.last_seen(view.workspace, view.snapshot)
    if seen is None or seen.snapshot >= view.snapshot:
        return
    found = views_data.since(view.workspace, view.snapshot, seen.snapshot)
    said = [f"{_signed(amount, code)} of billed cost" for code, amount in found.billed]
    said += [numbers.some(found.loads, "new load")] if found.loads else []
    if said:
        st.caption(plain(f"Since your last visit on {numbers.day(seen.at.date())}: {', '.join(said)}."))


def _picked(standing: Sequence[Listed]) -> Listed:
    """The one proof that the page is about: savings of several are never added, since they may be of the same cost."""
    if len(standing) == 1:
        return standing[0]
    names = {f"{one.question} ({one.state}, {one.created[:10]}, {one.id[:6]})": one for one in standing}
    name = st.selectbox(
        "Proof",
        list(names),
        key="proof",
        bind="query-params",
        help="Savings of several proofs are not added up: they may rest on the same cost.",
    )
    return names.get(name or "", standing[0])


def _spend_cards(view: View, asked: Scope) -> list[Card]:
    spent = value_data.ai_spend(
        view.workspace, view.snapshot, asked.span.first, asked.span.end, asked.currency, asked.where
    )
    amount = None if spent.amount is None else numbers.money(spent.amount, asked.currency)
    note = str(asked.span) if amount else f"no AI charge from {asked.span}"
    return [Card("AI spend", amount, note, _SPEND)]


def saving_cards(one: Listed, proof: Proven) -> list[Card]:
    """The figures of one proof: saving with interval, unit cost, performance, fee and return."""
    unit = one.currency
    before, after = proof.per_million
    moved = numbers.change(after, before)
    shown = after is not None and before is not None
    unit_note = (
        f"from {numbers.unit_price(before, unit)}, {numbers.percent(moved, sign=True)}"
        if shown
        else ("tokens are not known on every day")
    )
    assessed = [rail for rail in proof.rails if rail.state != "not assessed"]
    kept = sum(rail.state == "not worse" for rail in assessed)
    fee = proof.fee
    return [
        Card(
            "Verified saving" if one.state == "verified" else "Saving, provisional",
            numbers.money(one.point, unit),
            _stated(one, proof),
            _SAVING,
        ),
        Card(
            "Cost per 1M tokens",
            numbers.unit_price(after, unit) if shown else None,
            unit_note,
            Told("Of the proof's scope: reporting period, and baseline period before it.", "baseline", "cost-of-a-day"),
        ),
        Card(
            "Performance",
            f"{kept} of {len(assessed)} not worse" if assessed else None,
            "against stated margins" if assessed else "not assessed: no latency, errors or evaluations are loaded",
            Told(
                "Whether answers stayed as good and as fast; what cannot be shown is not taken for unchanged.",
                "baseline",
                "guard-rails",
            ),
        ),
        Card(
            "Fee",
            None if fee is None else numbers.money(fee, unit),
            _why_no_fee(one) if fee is None else "from the lower bound alone",
            Told("Taken from the lower bound of the saving; its lines stand in the proof.", "fees"),
        ),
        Card("Return on the fee", *_return(one, fee), _RETURN),
    ]


def _why_no_fee(one: Listed) -> str:
    return "a retrospective proof carries no fee" if one.proof_class == "retrospective" else "the proof states no fee"


def _interval(low: Decimal | None, high: Decimal | None, currency: str) -> str:
    return f"{numbers.money(low, currency)} to {numbers.money(high, currency)}"


def _stated(one: Listed, proof: Proven) -> str:
    level = numbers.percent(proof.confidence).replace(".0%", "%")
    return f"{level} interval {_interval(one.low, one.high, one.currency)}"


def _return(one: Listed, fee: Decimal | None) -> tuple[str | None, str]:
    """Return on the fee as a percentage, and its range; none without a fee above zero."""
    if fee is None or fee <= 0 or one.point is None or one.low is None or one.high is None:
        return None, "there is no fee to set it against"
    of = [quotient(total((amount, -fee)), fee) for amount in (one.point, one.low, one.high)]
    return numbers.percent(of[0]), f"{numbers.percent(of[1])} to {numbers.percent(of[2])}"


def _cards(shown: Sequence[Card]) -> None:
    with st.grid(3, min_column_width=200):
        for card in shown:
            cards.show(card.label, card.figure, card.told, card.note)


def _remarks(one: Listed, proof: Proven) -> None:
    said = [f"{one.question.rstrip('.')} A {one.proof_class} proof of tier {one.tier}, made on {one.created[:10]}."]
    if one.state != "verified":
        said = [provisional.BADGE, one.reason or "A provider may still restate the bill.", *said]
    said += proof.warnings
    st.caption(joined(said))
    if pages.has("proofs"):
        st.page_link(pages.link("proofs"), label="The proof, its gates and its signature")


def steps(one: Listed, proof: Proven) -> list[figures.Step]:
    """From the cost without the change to what was paid, fee included, in cents; empty where nothing was measured."""
    if proof.counterfactual is None or proof.actual is None:
        return []
    unit = one.currency
    without, actual = proof.counterfactual.quantize(_CENT), proof.actual.quantize(_CENT)
    parts = [(note, amount.quantize(_CENT)) for note, amount in proof.shares]
    saved = without - actual
    if not parts or sum(amount for _, amount in parts) != saved:
        parts = [("Saving", saved)]
    lines = [
        figures.Step("Without the change", without, numbers.money(without, unit), whole=True),
        *(figures.Step(name, -amount, _signed(-amount, unit)) for name, amount in parts),
        figures.Step("Actual", actual, numbers.money(actual, unit), whole=True),
    ]
    if proof.fee is not None:
        net = total((actual, proof.fee)).quantize(_CENT)
        lines.append(figures.Step("Fee", net - actual, _signed(net - actual, unit)))
        lines.append(figures.Step("With the fee", net, numbers.money(net, unit), whole=True))
    return lines


def _signed(amount: Decimal, currency: str) -> str:
    return f"+{numbers.money(amount, currency)}" if amount > 0 else numbers.money(amount, currency)


def _note(proof: Proven) -> str:
    return SYNTHETIC if proof.synthetic else ""


def _bridge(view: View, one: Listed, proof: Proven) -> None:
    lines = steps(one, proof)
    if not lines:
        return
    st.header("From what it would have cost to what it did", anchor=False)
    told = figures.bridge_words("Cost of the reporting period at constant prices", lines)
    title = f"Cost at constant prices, {one.currency}"
    charts.show(view, figures.bridge(lines, title, told, _note(proof)), told, "value-bridge")
    st.caption(plain(f"The saving has the {_stated(one, proof)}."))


def _trend(view: View, one: Listed, proof: Proven) -> None:
    if not proof.days:
        return
    st.header("Day by day", anchor=False)
    first, last = proof.days[0].day, proof.days[-1].day
    changed = "; ".join(f"{words} on {numbers.day(day)}" for day, words in proof.marks)
    told = f"Cost by day, actual and expected without the change, {numbers.days(first, last)}. Changed: {changed}."
    charts.show(view, value_figures.trend(proof, one.currency, _note(proof)), told, "value-trend")
    st.caption(
        "The band around the dashed line is the interval of a single day. Days err together, so bands do not add up."
    )


def _performance(proof: Proven) -> None:
    if proof.rails:
        st.header("Quality and performance", anchor=False)
        show_text(
            [
                {"Measure": rail.measure.replace("_", " "), "Finding": rail.state, "What": rail.sentence}
                for rail in proof.rails
            ],
            alt="Quality and performance before and after the change",
        )


def _table(view: View, listed: Sequence[Listed]) -> None:
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    left.header("All proofs", anchor=False)
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        exports.button(view, "proofs", lambda: [_flat(one) for one in listed])
    show_text(
        [
            {
                "Question": one.question,
                "State": one.state,
                "Saving": numbers.money(one.saving[0], one.currency),
                "Interval": numbers.NONE if one.saving[0] is None else _interval(*one.saving[1:], one.currency),
                "Why": one.reason,
            }
            for one in listed
        ],
        alt="Every proof of this workspace with its state",
    )


def _flat(one: Listed) -> dict[str, str | None]:
    amounts = dict(zip(("saving", "low", "high"), one.saving, strict=True))
    about = {"proof": one.id, "question": one.question, "state": one.state, "class": one.proof_class, "tier": one.tier}
    return (
        about
        | {name: None if value is None else f"{value:f}" for name, value in amounts.items()}
        | {
            "currency": one.currency,
            "created": one.created,
            "reason": one.reason,
        }
    )


def _before(view: View, asked: Scope, listed: Sequence[Listed]) -> None:
    """Nothing is verified yet: what is known, and the five steps to a proof."""
    blend = data.cost_of_tokens(
        view.workspace, view.snapshot, (), asked.span.first, asked.span.end, Metric.BILLED, asked.where
    )
    row = next((row for row in blend.rows if row.currency == asked.currency), None)
    price = None if row is None else row.cost_per_million
    note = (
        "blended over all models" if price is not None else (row.reason if row and row.reason else "no token quantity")
    )
    _cards(
        [
            *_spend_cards(view, asked),
            Card(
                "Cost per 1M tokens",
                None if price is None else numbers.unit_price(price, asked.currency),
                note,
                Told(
                    "Cost of the charges that have tokens, times a million, over exactly these tokens.",
                    "spend",
                    "cost-per-million-tokens",
                ),
            ),
            Card(
                "Verified saving",
                None,
                "no proof is verified yet",
                _SAVING,
            ),
        ]
    )
    drill.link(f"Charges of {asked.span}", drill.address(asked.span, asked.currency, asked.where))
    st.header("Five steps to a verified saving", anchor=False)
    for number, (title, done, what, path) in enumerate(_way(view, listed), 1):
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.markdown(f"{':green-badge[Done]' if done else ':gray-badge[Open]'} **{number}. {title}.** {what}")
            if pages.has(path):
                st.page_link(pages.link(path), label=f"Go to {pages.title(path)}")
    if listed:
        _table(view, listed)


def _way(view: View, listed: Sequence[Listed]) -> list[tuple[str, bool, str, str]]:
    """Title of each step, whether it is done, what it is, and where."""
    workspace, sample = view.workspace, view.coverage.synthetic and not view.coverage.real
    connected = value_data.connections(workspace) if pages.has("connections") else 0
    frozen = value_data.captured(workspace)
    loaded = (
        "Sample data is loaded; your own bill comes next."
        if sample
        else (f"{numbers.some(connected, 'provider')} connected." if connected else "A bill is loaded from a file.")
    )
    return [
        ("Connect", view.coverage.real, loaded, "connections" if pages.has("connections") else "add-data"),
        (
            "First optimization",
            frozen > 0,
            f"{numbers.some(frozen, 'baseline')} frozen before the change."
            if frozen
            else ("Freeze a baseline before anything is changed; what it might bring stands under What-if."),
            "proofs" if pages.has("proofs") else "what-if",
        ),
        ("Dashboard", True, "Spend, unit cost and why they changed, down to the single charge.", "spend"),
        (
            "Plan",
            False,
            "See what a plan would cost at your AI spend, and what it would have to save.",
            "roi" if pages.has("roi") else "what-if",
        ),
        (
            "Trial",
            any(one.state == "verified" for one in listed),
            "Let the change run for its reporting period; the proof then says what was saved, with its interval.",
            "proofs" if pages.has("proofs") else "change",
        ),
    ]


PAGE: Final = page("Value", "What AI costs, what was verifiably saved, and what that was worth.", draw)
