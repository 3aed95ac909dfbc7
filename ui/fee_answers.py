"""What a plan costs, as the command line prints it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from analysis.fees import Fee, Money, price, true_up
from analysis.fees_definition import DEFINITION
from analysis.fees_nodes import FeeError
from analysis.result import plain, share
from billing import catalog
from billing.catalog import Plan
from billing.compare import cliffs, compare, offered
from reports import numbers
from ui.console import print_json, print_table, say_out

if TYPE_CHECKING:
    from analysis.fees_spend import AiSpend

_HUNDREDTH: Final = Decimal("0.01")
SAMPLE: Final = "The ledger holds synthetic sample data; nobody owes this fee."
TYPED: Final = "The figures were typed; they are not those of a closed month of a ledger."


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks of one fee.

    Attributes:
        plan: name of the plan.
        day: the day whose version of the plan prices.
        metrics: what was typed, by metric.
        currency: of the amounts that were typed.
        month: the month whose AI spend is taken from the ledger; None where it was typed.
        today: the day on which the fee is made.
        contract, coupon: what changes the price.
        charged: a provisional fee that was charged already.
        proof, evidence: of a verified saving.
    """

    plan: str
    day: date
    metrics: dict[str, str]
    currency: str
    today: date
    month: date | None = None
    workspace: str | None = None
    contract: Path | None = None
    coupon: str | None = None
    charged: Decimal | None = None
    proof: str = ""
    evidence: str = ""


def print_fee(asked: Asked, *, as_json: bool) -> None:
    """Price one plan and print the fee with its lines.

    As JSON: `amount`, `currency`, `lines` (`text`, `amount`, `counted`), `plan`, `plan_version`, `plan_digest`,
    `period`, `rounding`, `never_more_than`, `status` (quote, provisional, final or sample), `because`, `ai_spend`
    (where the price has it: `amount`, `currency`, `definition`, of a ledger also `month`, `charges`, `tax_left_out`,
    `closed` and `open`), `share_of_ai_spend` and `true_up` (with `--charged`).
    """
    plan = _plan(asked)
    given, spent, currency = dict(asked.metrics), None, asked.currency
    status, because = "quote", [TYPED]
    if asked.month is not None:
        spent, sample = _from_ledger(asked)
        given["ai_spend"], currency = f"{spent.amount:f}", spent.currency
        status, because = "final" if spent.closed else "provisional", list(spent.open)
        if sample:
            status, because = "sample", [SAMPLE, *because]
    fee = price(plan.priced(), catalog.metrics(given, currency, proof=asked.proof, evidence=asked.evidence))
    record = fee.record() | _about(plan) | {"status": status, "because": because}
    if "ai_spend" in plan.metrics:
        whole = Decimal(given["ai_spend"])
        record["ai_spend"] = spent.record() if spent else _typed(whole, currency)
        record["share_of_ai_spend"] = plain(share(fee.amount, whole))
    if asked.charged is not None:
        record["true_up"] = true_up(Fee(asked.charged, fee.currency, ()), fee).record()
    if as_json:
        print_json(record)
    else:
        _print(plan, fee, record)


def _plan(asked: Asked) -> Plan:
    known = None if asked.contract is None else catalog.contract(asked.contract)
    found = catalog.plan(asked.plan, asked.day, known)
    return found if asked.coupon is None else catalog.coupon(asked.coupon).on(found)


def _from_ledger(asked: Asked) -> tuple[AiSpend, bool]:
    """AI spend of the month, and whether the ledger holds sample data."""
    from analysis.fees_spend import ai_spend  # noqa: PLC0415
    from ui.session import open_lake  # noqa: PLC0415

    if asked.month is None or "ai_spend" in asked.metrics:
        raise FeeError("Give the AI spend with --ai-spend, or as a month of the ledger with --month, and not both.")
    with open_lake(asked.workspace) as lake:
        sample = bool(lake.records("SELECT 1 FROM loads WHERE Synthetic LIMIT 1"))
        return ai_spend(lake.table("daily_spend"), asked.month, today=asked.today), sample


def _typed(amount: Decimal, currency: str) -> dict[str, Any]:
    return {"amount": plain(amount), "currency": currency, "definition": DEFINITION}


def _about(plan: Plan) -> dict[str, Any]:
    record = plan.record()
    names = ("plan", "plan_version", "plan_digest", "price_list", "period", "rounding", "never_more_than")
    return {name: record[name] for name in names}


def _print(plan: Plan, fee: Fee, record: dict[str, Any]) -> None:
    say_out(f"{plan.title} (version {plan.version}): {numbers.money(fee.amount, fee.currency)} a {plan.period}.")
    if plan.never_more is not None:
        say_out(f"Never more than {numbers.money(plan.never_more, fee.currency)} a {plan.period}.")
    rows = [
        (line.text, numbers.unit_price(line.amount, fee.currency), "" if line.counted else "not counted")
        for line in fee.lines
    ]
    print_table(("Line", "Amount", ""), rows, right=(1,))
    if (part := record.get("share_of_ai_spend")) is not None:
        say_out(f"That is {finer(Decimal(part))} of the AI spend.")
    for sentence in record["because"]:
        say_out(f"{str(record['status']).capitalize()}: {sentence}")
    if "ai_spend" in record:
        say_out(record["ai_spend"]["definition"])
    if "true_up" in record:
        rest = Decimal(record["true_up"]["amount"])
        what = "To be charged" if rest >= 0 else "To be credited"
        say_out(f"{what} as the true-up: {numbers.money(abs(rest), fee.currency)}.")


def finer(part: Decimal | None) -> str | None:
    """A share of one in percent with two digits, since a capped fee is a small one: `0.05%`."""
    return None if part is None else f"{(part * 100).quantize(_HUNDREDTH):,f}%"


def print_plans(day: date | None, price_list: str | None, *, as_json: bool) -> None:
    """Every plan; as JSON a list of what `plans show` prints of each."""
    found = [
        p
        for p in catalog.plans()
        if price_list in (None, p.price_list)
        and (day is None or (p.valid_from <= day and (p.valid_to is None or day < p.valid_to)))
    ]
    if not found:
        raise FeeError(f"No plan is valid on {day} in {price_list or 'any list'}; see spendproof plans list.")
    if as_json:
        print_json([p.record() for p in found])
        return
    rows = [(p.price_list, p.id, p.version, f"{p.valid_from}", f"{p.valid_to or ''}", _short(p)) for p in found]
    print_table(("List", "Plan", "Version", "From", "Until", "Price"), rows)


def _short(plan: Plan) -> str:
    if plan.expression is None:
        return f"no price: {plan.unpriced}"
    bound = plan.never_more
    most = "no cap" if bound is None else f"never more than {numbers.money(bound, plan.expression.currency)}"
    needs = f", by {', '.join(plan.metrics)}" if plan.metrics else ""
    return f"a {plan.period}: {most}{needs}"


def print_plan(name: str, day: date, *, as_json: bool) -> None:
    """One plan with its price, limits and golden fees.

    As JSON: `plan`, `title`, `price_list`, `plan_version`, `plan_digest`, `valid_from`, `valid_to`, `period`,
    `currency`, `rounding`, `never_more_than`, `metrics`, `unpriced`, `limits`, `note`, `source` and `golden`.
    """
    plan = catalog.plan(name, day)
    record = plan.record() | {"golden": [{**golden.metrics, "amount": golden.amount} for golden in plan.golden]}
    if as_json:
        print_json(record)
        return
    say_out(f"{plan.title} ({plan.id}, version {plan.version}, from {plan.valid_from} up to {plan.valid_to or 'now'})")
    say_out(_short(plan))
    for sentence in (*(str(limit) for limit in plan.limits), plan.note, f"Source: {plan.source}."):
        if sentence:
            say_out(f"  {sentence}")
    for golden in plan.golden:
        given = ", ".join(f"{name} {value}" for name, value in golden.metrics.items()) or "always"
        say_out(f"  {given}: {golden.amount}")


def print_comparison(spend: Decimal, currency: str, day: date, price_list: str, *, as_json: bool) -> None:
    """Plans side by side at one AI spend.

    As JSON: `ai_spend`, `currency`, `plans` (`plan`, `plan_version`, `title`, `amount`, `currency`,
    `share_of_ai_spend`, `never_more_than`, `net_without_verified_saving`, `reason`) and `cliffs` (sentences).
    """
    rows = compare(offered(day, price_list), {"ai_spend": Money(spend, currency)}, spend)
    if as_json:
        records = [row.record() for row in rows]
        print_json({"ai_spend": plain(spend), "currency": currency, "plans": records, "cliffs": cliffs(rows)})
        return
    shown: Sequence[Sequence[Any]] = [
        (
            row.plan.title,
            numbers.money(row.fee.amount, row.fee.currency) if row.fee else None,
            finer(row.of_spend),
            numbers.money(row.plan.never_more, currency),
            numbers.money(row.net_without_saving, currency),
            row.reason,
        )
        for row in rows
    ]
    heads = ("Plan", "Fee a month", "Of the spend", "Never more than", "Net without a saving", "")
    print_table(heads, shown, right=(1, 2, 3, 4))
    for sentence in cliffs(rows):
        say_out(sentence)
