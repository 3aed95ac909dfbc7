"""A ledger and schedules for the tests of reports, and ways to send that only remember."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from accounts.home import Settings, lake_address
from accounts.vault import new_key
from connectors.importing import import_files
from jobs.destinations import Destination
from jobs.dispatch import Parcel, SendError
from jobs.schedules import Wanted
from ledger.lake import Lake
from reports.report import Column, Figure, Kind, Report, Section, Table
from reports.view import View
from tests.ledgers import line, write_bill

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def settings_in(home: Path, **more: object) -> Settings:
    """Settings with a master key of their own."""
    return Settings(home=home, master_key=SecretStr(new_key()), **more)  # type: ignore[arg-type]


def load_bill(settings: Settings, folder: Path, workspace: str = "acme") -> None:
    """Two months of two services: 10 a day each in September, 12 and 8 in October."""
    lines = list[str]()
    for number in range(61):
        day = date(2026, 9, 1) + timedelta(days=number)
        for service, cost in (
            ("Compute", "10" if day.month == 9 else "12"),
            ("Storage", "10" if day.month == 9 else "8"),
        ):
            lines.append(line(cost, day.isoformat(), service=service))
    bill = write_bill(folder / "bill.csv", lines)
    with Lake(lake_address(settings, workspace)) as lake:
        import_files(lake, [str(bill)])


def wanted(name: str = "monday", **changes: object) -> Wanted:
    """What a person asks of a schedule."""
    facts: dict[str, object] = {
        "name": name,
        "report": "spend",
        "view": View("2026-10-01..2026-10-31"),
        "cadence": "daily 07:00",
        "zone": "UTC",
        "formats": ["csv"],
        "destinations": ["cfo@example.com"],
    }
    return Wanted(**(facts | changes))  # type: ignore[arg-type]


def small_report(**changes: object) -> Report:
    """A report with one of everything but a chart."""
    facts: dict[str, object] = {
        "name": "spend",
        "title": "Spend report",
        "workspace": "acme",
        "first": date(2026, 10, 1),
        "last": date(2026, 10, 31),
        "currency": "USD",
        "snapshot": 7,
        "made": NOW,
        "synthetic": False,
        "alarms": (),
        "notes": ("Provisional from 1 Oct 2026 on.",),
        "sections": (
            Section(
                "Overview",
                ("A sentence.",),
                (Figure("Billed cost", 1234, Kind.MONEY, "+3.2%"), Figure("List cost", None, Kind.MONEY, "unknown")),
                (),
                (
                    Table(
                        "Spend by service",
                        (Column("Service", Kind.TEXT), Column("Billed cost", Kind.MONEY)),
                        (("=HYPERLINK(1)", 1000), ("Storage", 234)),
                        ("Total", 1234),
                    ),
                ),
            ),
        ),
    }
    return Report(**(facts | changes))  # type: ignore[arg-type]


@dataclass
class Remembered:
    """A way to send that remembers; it refuses as long as `refusals` lasts."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    refusals: int = 0
    final: bool = False

    def __call__(self, parcel: Parcel, to: Destination) -> str:
        if self.refusals:
            self.refusals -= 1
            raise SendError("the receiver is tired", final=self.final)
        self.sent.append((parcel.id, to.address))
        return "accepted"


@dataclass
class Clock:
    """A clock that a test moves."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **parts: float) -> datetime:
        self.now += timedelta(**parts)
        return self.now
