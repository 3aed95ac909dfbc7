"""Freezing a baseline: its days, their digest and everything it was chosen by, as one signed text.

Frozen before the change, it makes a claim prospective: nobody chose date, scope, driver or method knowing the outcome.
The digest is handed to the customer, who can hold any later proof against it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.baseline import Sufficiency, series_record
from analysis.result import plain
from analysis.savings_planning import HORIZON_DAYS
from ledger.errors import LedgerError
from ledger.lake import Lake
from reports import cited
from reports.claim import FrozenBaseline, Intervention
from reports.measuring import CONSTANT_PRICES, Gathered, gather
from reports.proof import jws
from reports.proof.canonical import canonical
from reports.proof.issue import IssuerSettings
from reports.proof.jws import Kind
from reports.question import Question
from reports.records import BaselineRecord, Store, digest_of, from_moment, moment, new_id

if TYPE_CHECKING:
    from analysis.savings_planning import Detectable
    from analysis.scope import Scope
    from reports.proof.keys import Signer

FORMAT = "spendproof-baseline"
VERSION = 1


class BaselineRefusedError(LedgerError):
    """Days that cannot be frozen as a baseline; the message says why."""


@dataclass(frozen=True, slots=True)
class Captured:
    """A baseline that was looked at, and frozen where it can carry a claim.

    Attributes:
        record: as it was frozen; None where it was disqualified.
        sufficiency: what its days can carry.
        detectable: the smallest saving that it could show.
    """

    record: BaselineRecord | None
    sufficiency: Sufficiency
    detectable: Detectable


def capture(
    lake: Lake,
    store: Store,
    scope: Scope,
    driver: str,
    span: tuple[date, date],
    *,
    name: str,
    signer: Signer | None,
    now: datetime,
    reporting_days: int = HORIZON_DAYS,
) -> Captured:
    """Freeze the days of a scope as a baseline, signed where there is a signer.

    Args:
        lake: the ledger.
        store: where it is kept.
        scope: which charges.
        driver: what cost is measured against.
        span: first and last day.
        name: for people.
        signer: of the workspace; None leaves it unsigned.
        now: moment of the capture.
        reporting_days: length of the period that the smallest saving is told for.

    Raises:
        BaselineRefusedError: no day has both a cost and a driver.
        TimestampError: the time-stamping authority gives no stamp.
        ValueError: several currencies, or a driver that is refused or unknown.
    """
    from analysis.savings_planning import detectable_saving  # noqa: PLC0415 - scipy, which only a capture needs

    one = timedelta(days=1)
    after = (span[1] + one, span[1] + reporting_days * one)
    question = Question(scope, driver, Intervention(after[0], None, "other", name), span, after, ())
    found = gather(lake, question)
    judged = found.sufficiency
    if not found.baseline.days:
        raise BaselineRefusedError(judged.disqualifications[0].sentence)
    detectable = detectable_saving(found.baseline.frame(), reporting_days)
    if judged.disqualifications:
        return Captured(None, judged, detectable)
    content = _content(lake, store.workspace, question, found, name)
    document = content | {"captured": moment(now)}
    text = canonical(document)
    signature = signer.sign(text, Kind.BASELINE) if signer else None
    record = BaselineRecord(
        id=new_id(),
        workspace=store.workspace,
        name=name,
        scope=scope.text(),
        driver=driver,
        first_day=span[0],
        last_day=span[1],
        document=text.decode(),
        content=digest_of(canonical(content).decode()),
        digest=digest_of(text.decode()),
        signature=signature,
        timestamp=_stamped(signature) if signature else None,
        captured_at=moment(now),
    )
    return Captured(store.add_baseline(record), judged, detectable)


def _stamped(signature: str) -> str | None:
    """A time-stamping authority's token over a signature, base64; None where no authority is configured."""
    authority = IssuerSettings().tsa
    if not authority:
        return None
    import httpx  # noqa: PLC0415 - only where an authority is configured

    from reports.proof.timestamp import stamp  # noqa: PLC0415

    with httpx.Client(timeout=20) as client:
        return str(stamp(signature.encode(), authority, client)["token"])


def _content(lake: Lake, workspace: str, question: Question, found: Gathered, name: str) -> dict[str, Any]:
    from analysis.savings import METHOD  # noqa: PLC0415

    spans, at = (question.baseline,), found.tables.snapshot
    query = cited.row_query(question.scope, found.driver.name, found.driver.source, spans, at)
    loads = cited.loads(lake, question.scope, found.driver.name, found.driver.source, spans, at)
    judged = found.sufficiency
    return {
        "format": FORMAT,
        "version": VERSION,
        "workspace": workspace,
        "name": name,
        "synthetic": any(load.synthetic for load in loads),
        "scope": question.scope.text(),
        "driver": {"name": found.driver.name, "unit": found.driver.unit, "source": found.driver.source},
        "first_day": question.baseline[0].isoformat(),
        "last_day": question.baseline[1].isoformat(),
        "method": METHOD,
        "currency": found.costs.currency,
        "constant_prices": CONSTANT_PRICES,
        "days": series_record(found.baseline.days),
        "missing": [day.isoformat() for day in found.baseline.missing],
        "left_out": [
            {"what": part.what, "why": part.why, "billed": plain(part.baseline)} for part in found.costs.excluded
        ],
        "row_digest": cited.digest_rows(lake, query),
        "loads": [load.load_id for load in loads],
        "price_book_digest": found.book_digest,
        "warnings": [warning.record() for warning in judged.warnings],
    }


def summary(record: BaselineRecord) -> dict[str, Any]:
    """A frozen baseline as JSON carries it, without its days."""
    document: dict[str, Any] = json.loads(record.document)
    return {
        "id": record.id,
        "name": record.name,
        "workspace": record.workspace,
        "scope": record.scope,
        "driver": record.driver,
        "first_day": record.first_day.isoformat(),
        "last_day": record.last_day.isoformat(),
        "days": len(document["days"]),
        "cost": plain(sum((Decimal(day["cost"]) for day in document["days"]), Decimal())),
        "currency": document["currency"],
        "method": document["method"],
        "digest": record.digest,
        "row_digest": document["row_digest"],
        "price_book_digest": document["price_book_digest"],
        "signed": record.signature is not None,
        "captured": record.captured_at,
        "synthetic": document["synthetic"],
        "warnings": document["warnings"],
    }


def frozen(lake: Lake, record: BaselineRecord) -> FrozenBaseline:
    """A frozen baseline as a claim cites it, and whether the ledger's rows of it are others now."""
    from analysis.scope import parse  # noqa: PLC0415 - Ibis

    document: dict[str, Any] = json.loads(record.document)
    span = (record.first_day, record.last_day)
    source = document["driver"]["source"]
    query = cited.row_query(parse(record.scope), record.driver, source, (span,), lake.snapshot())
    return FrozenBaseline(
        id=record.id,
        digest=record.digest,
        captured=from_moment(record.captured_at).astimezone(UTC),
        signature=record.signature,
        row_digest=document["row_digest"],
        restated=cited.digest_rows(lake, query) != document["row_digest"],
        timestamp=record.timestamp,
    )


def method_of(record: BaselineRecord) -> str:
    """Name and version of the method that a baseline was frozen under."""
    return str(json.loads(record.document)["method"])


def check(record: BaselineRecord) -> str | None:
    """Why a record is not what was frozen; None where it is. The signature's key is checked by whoever verifies."""
    if digest_of(record.document) != record.digest:
        return "the text of the baseline is not what its digest was made of"
    if record.signature is not None and jws.opened(record.signature)[1] != record.document.encode():
        return "the signature of the baseline is over another text"
    return None
