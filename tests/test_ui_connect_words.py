"""What the Connections page says, by hand-made connections, steps and totals."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.totals import ProviderTotal
from connectors import sources
from connectors.live import Field, Setup
from ui.connect_words import Part, age, as_of, beforehand, by_command, parts, total_rows
from ui.markup import plain

NOW = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
STEP = "Make it:\n\n```sh\nmake --in {account} --key {key} ${Bucket}\n```\n\nor open the [link](https://x.example/?a={url})."
SETUP = Setup(
    "Acme",
    (
        Field("account", "Account", "Its number.", pattern="[0-9]+"),
        Field("url", "Address", "Of the template."),
        Field("key", "Key", "It is secret.", secret=True),
    ),
    (STEP,),
    35,
    365,
)


def test_a_step_is_filled_with_what_was_entered_and_never_with_a_secret() -> None:
    found = parts(STEP, SETUP, {"account": "42", "url": "https://b.example/t?x=1&y=2", "key": "hush"})
    assert found == [
        Part("Make it:"),
        Part("make --in 42 --key {key} ${Bucket}", "sh"),
        Part("or open the [link](https://x.example/?a=https%3A%2F%2Fb.example%2Ft%3Fx%3D1%26y%3D2)."),
    ]


def test_what_has_not_the_shape_of_its_field_gets_into_no_command() -> None:
    assert parts(STEP, SETUP, {"account": "42 ; rm -r /"})[1].text == "make --in {account} --key {key} ${Bucket}"


def test_a_link_that_still_needs_a_value_is_no_link() -> None:
    text = parts(STEP, SETUP, {"account": "42"})[-1].text
    assert text == "or open the link (it needs: Address)."


@pytest.mark.parametrize("provider", sources.providers())
def test_every_provider_has_steps_that_can_be_shown_in_a_browser(provider: str) -> None:
    setup = sources.provider(provider).setup
    shown = [part for step in setup.steps if not by_command(step) for part in parts(step, setup, {})]
    assert shown
    assert not [part.text for part in shown if "```" in part.text]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(59, "less than a minute"), (60, "1 minute"), (3599, "59 minutes"), (3600, "1 hour"), (172_800, "2 days")],
)
def test_how_long_ago(seconds: int, said: str) -> None:
    assert age(timedelta(seconds=seconds)) == said


def test_no_finished_sync_is_no_data_and_not_old_data() -> None:
    done = NOW - timedelta(hours=26)
    assert as_of(None, NOW, brought=True) == "No sync has finished yet."
    assert as_of(done, NOW, brought=True) == "Data as of 20 Nov 2026, 12:00 UTC, 26 hours ago."
    assert as_of(done, NOW, brought=False) == "Last finished sync: 20 Nov 2026, 12:00 UTC, 26 hours ago."


def stated(origin: str, ledger: str | None, *, closed: bool | None = None, month: int = 10) -> ProviderTotal:
    return ProviderTotal(
        first=date(2026, month, 1),
        before=date(2026, month + 1, 1),
        currency="USD",
        origin=origin,
        amount=Decimal(100),
        ledger=None if ledger is None else Decimal(ledger),
        closed=closed,
        checked_at=NOW,
    )


def test_a_figure_whose_charges_are_still_to_come_is_provisional_and_the_newest_is_told() -> None:
    said = beforehand([stated("Cost Explorer", None), stated("Cost Explorer", None, month=9), stated("invoice", None)])
    assert said.startswith("Provisional: Cost Explorer says $100.00 of 1 Oct to 31 Oct 2026.")
    assert said.count("Provisional") == 1
    assert beforehand([stated("Cost Explorer", "0"), stated("invoice", None)]) == ""
    assert total_rows([("prod", stated("invoice", None))])[0]["Result"] == "Nothing in the ledger"


@pytest.mark.parametrize(
    ("ledger", "closed", "result", "period"),
    [
        ("100.004", True, "Same to the cent", "Closed"),
        ("100.01", True, "Differs", "Closed"),
        ("90", False, "Differs; the period is open", "Open"),
        (None, None, "Provisional, charges still to come", "Not stated"),
    ],
)
def test_a_total_is_compared_to_the_cent(ledger: str | None, closed: bool | None, result: str, period: str) -> None:
    total = stated("Cost Explorer", ledger, closed=closed)
    (row,) = total_rows([("prod", total)])
    assert (row["Result"], row["Period"], row["Days"]) == (result, period, "1 Oct to 31 Oct 2026")
    assert row["Ledger"] == (None if ledger is None else Decimal(ledger))
    assert row["Difference"] == (None if ledger is None else Decimal(ledger) - 100)


@given(st.text(alphabet="ab\\`*_[]()$:~<>!|#", max_size=20))
def test_a_message_is_shown_letter_for_letter(text: str) -> None:
    shown = plain(text)
    # Undone from left to right, as Markdown does it, the text is what it was.
    letters, at = list[str](), 0
    while at < len(shown):
        at += shown[at] == "\\"
        letters.append(shown[at])
        at += 1
    assert "".join(letters) == text
    assert "$" not in shown.replace("\\$", "")
