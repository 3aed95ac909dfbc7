"""Totals of a provider beside the ledger's: computed by the provider a second way, or typed in from an invoice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import uuid4

from sqlalchemy import Date, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from accounts.columns import Exact, Moment
from accounts.connections import Connection
from accounts.database import Base, sessions
from accounts.home import Settings

#: Origin of a total that a person typed in.
INVOICE: Final = "invoice"


class ProviderTotal(Base):
    """What a period cost by a way that the ledger's rows did not come.

    Attributes:
        first: first day, UTC.
        before: the day after the last one.
        amount: the provider's figure, in `currency`.
        ledger: what the ledger held of the same days when it was compared; None where their charges are still to come
            (`is_provisional`) or it held nothing in this currency.
        origin: where the figure comes from, such as "Cost Explorer" or "invoice".
        closed: whether the provider has closed the period; None where it does not say.
    """

    __tablename__ = "provider_totals"
    __table_args__ = (UniqueConstraint("connection_id", "first", "before", "currency", "origin"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    workspace: Mapped[str] = mapped_column(String(64), index=True)
    connection_id: Mapped[str] = mapped_column(String(32), index=True)
    first: Mapped[date] = mapped_column(Date)
    before: Mapped[date] = mapped_column(Date)
    currency: Mapped[str] = mapped_column(String(3))
    origin: Mapped[str] = mapped_column(String(64))
    amount: Mapped[Decimal] = mapped_column(Exact)
    ledger: Mapped[Decimal | None] = mapped_column(Exact)
    closed: Mapped[bool | None] = mapped_column()
    checked_at: Mapped[datetime] = mapped_column(Moment)

    @property
    def difference(self) -> Decimal | None:
        """The ledger's figure less the provider's; None where the ledger's is not known."""
        return None if self.ledger is None else self.ledger - self.amount

    @property
    def is_provisional(self) -> bool:
        """Whether it is all that is known of these days: the provider's figure, with no charges in the ledger yet."""
        return self.ledger is None and self.origin != INVOICE


def keep(settings: Settings, connection: Connection, totals: Sequence[ProviderTotal]) -> None:
    """Keep totals, each in place of older ones of the same currency and origin that share a day with it.

    So the total of an open month, which has a day more every day, stands there once. Invoices give way only to one of
    exactly their days.
    """
    with sessions(settings).begin() as session:
        for total in totals:
            older = session.scalars(
                select(ProviderTotal).where(
                    ProviderTotal.connection_id == connection.id,
                    ProviderTotal.first < total.before,
                    ProviderTotal.before > total.first,
                    ProviderTotal.currency == total.currency,
                    ProviderTotal.origin == total.origin,
                )
            )
            total.id = uuid4().hex
            for one in older:
                if (one.first, one.before) == (total.first, total.before):
                    total.id = one.id
                elif total.origin != INVOICE:
                    session.delete(one)
            total.workspace, total.connection_id = connection.workspace, connection.id
            session.merge(total)


def listed(settings: Settings, connection: Connection) -> list[ProviderTotal]:
    """The totals of a connection, newest days first."""
    with sessions(settings)() as session:
        found = (
            select(ProviderTotal)
            .where(ProviderTotal.connection_id == connection.id)
            .order_by(ProviderTotal.first.desc(), ProviderTotal.origin, ProviderTotal.currency)
        )
        return list(session.scalars(found))
