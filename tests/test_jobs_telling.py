"""The owner hears of deliveries that failed for good: once, with the reason, and by mail as by any message."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from accounts.home import Settings
from jobs import schedules
from jobs.channels import mail
from jobs.destinations import Destination
from jobs.dispatch import Dispatcher, Parcel
from jobs.planning import send_again
from jobs.schedules import DeliveryState
from jobs.telling import owner, tell
from reports.render import FORMATS, render
from reports.report import Report
from tests.reporting import Clock, Remembered, settings_in, small_report, wanted


def make(workspace: str, *_: object) -> Report:
    return small_report(workspace=workspace)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path, owner=SecretStr("owner@example.com"))


def lose(settings: Settings, clock: Clock, *names: str, workspace: str = "acme") -> None:
    """Schedules whose one delivery is refused for good."""
    for name in names:
        to = [f"{name}@example.com"]
        schedule = schedules.add(settings, workspace, wanted(name, destinations=to), clock())
        send_again(settings, schedule, clock())
    refuses = Remembered(refusals=len(names), final=True)
    done = Dispatcher(settings, make, {"mail": refuses}, clock).drain()
    assert done.failed == len(names)


def test_the_owner_is_told_once_a_workspace_with_every_reason(settings: Settings) -> None:
    clock, told = Clock(), list[Parcel]()

    def way(parcel: Parcel, to: Destination) -> str:
        assert to.address == "owner@example.com"
        told.append(parcel)
        return "accepted"

    lose(settings, clock, "monday", "friday")
    lose(settings, clock, "other", workspace="beta")
    assert tell(settings, {"mail": way}, clock()) == []
    assert tell(settings, {"mail": way}, clock()) == []
    first, second = sorted(told, key=lambda parcel: parcel.workspace)
    assert first.report.title == "2 reports did not arrive"
    assert {row[1:] for row in first.report.sections[0].tables[0].rows} == {
        ("monday", "monday@example.com", "the receiver is tired"),
        ("friday", "friday@example.com", "the receiver is tired"),
    }
    assert second.report.alarms[0].startswith("1 report of workspace beta could not be delivered")
    assert all(d.told_at == clock() for d in schedules.history(settings, "acme"))


def test_what_was_not_told_is_told_later_and_no_sooner_than_a_pause(settings: Settings) -> None:
    clock, way = Clock(), Remembered(refusals=1)
    lose(settings, clock, "monday")
    (said,) = tell(settings, {"mail": way}, clock())
    assert said == "The owner could not be told of failed deliveries: the receiver is tired"
    assert tell(settings, {"mail": way}, clock()) == []
    assert way.sent == []
    clock.forward(minutes=10)
    assert tell(settings, {"mail": way}, clock()) == []
    assert [to for _, to in way.sent] == ["owner@example.com"]


def test_many_failures_are_one_message_of_ten_lines(settings: Settings) -> None:
    clock, told = Clock(), list[Parcel]()
    lose(settings, clock, *(f"s{number:02}" for number in range(12)))

    def way(parcel: Parcel, to: Destination) -> str:
        told.append(parcel)
        return to.shown

    tell(settings, {"mail": way}, clock())
    (table,) = told[0].report.sections[0].tables
    assert len(table.rows) == 10
    assert table.note == "And 2 more: spendproof schedule history."
    message = mail.Mail(settings)._message(told[0], mail_to(settings), None)
    plain = message.get_body(("plain",))
    assert plain is not None
    text = plain.get_content()
    assert "ATTENTION: 12 reports of workspace acme could not be delivered" in text
    assert table.note in text
    assert "amounts in" not in text
    assert message["Subject"] == "ATTENTION, 12 reports did not arrive, acme, 21 Nov 2026"
    for format_ in FORMATS:
        assert render(told[0].report, format_)


def mail_to(settings: Settings) -> Destination:
    assert settings.owner is not None
    return owner(settings.owner.get_secret_value())


@pytest.mark.parametrize(
    ("address", "said"),
    [("/tmp/alerts", "SPENDPROOF_OWNER must be a mail address"), ("nobody", "'nobody' is no destination")],  # noqa: S108
)
def test_an_owner_that_no_message_reaches_is_refused_in_words(tmp_path: Path, address: str, said: str) -> None:
    settings, clock = settings_in(tmp_path, owner=SecretStr(address)), Clock()
    lose(settings, clock, "monday")
    (error,) = tell(settings, {"mail": Remembered()}, clock())
    assert said in error


def test_without_an_owner_the_failure_stays_on_the_pages(tmp_path: Path) -> None:
    settings, clock, way = settings_in(tmp_path), Clock(), Remembered()
    lose(settings, clock, "monday")
    assert tell(settings, {"mail": way}, clock()) == []
    assert way.sent == []
    assert [d.state for d in schedules.history(settings, "acme")] == [DeliveryState.FAILED]
