"""Connect an account: what to do at the provider, the form, the test in words, and the first sync.

A secret is in the session while its test runs and no longer. From then on it exists sealed alone, also where the test
failed and the person mends something at the provider and tests again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import streamlit as st

from accounts import connections, credentials
from accounts.connections import Connection
from connectors import sources
from connectors.errors import ConnectorError
from connectors.live import Diagnosis, Field, Setup
from jobs import connecting
from jobs.sync import Tools
from ledger.errors import LedgerError
from ui import connect_sync, connect_words, running
from ui.filling import to_fill
from ui.markup import plain

EVERY: Final = {"Every 6 hours": 360, "Every hour": 60, "Every day": 1440, "Only when asked": 0}
#: Name of the field for which a new value is proposed, one for each connection.
_PROPOSED: Final = "external_id"
_LONG: Final = 12
_CODE_HEIGHT: Final = 260
_PENDING: Final = "connect-pending"
_ROUND: Final = "connect-round"
_TRY: Final = "connect-try"
_CLOSE: Final = "connect-close"
_CHOSEN: Final = "connect"
_MARKS: Final = {
    True: ":green-badge[Passed]",
    False: ":red-badge[Failed]",
    None: ":gray-badge[Not tried]",
}


@dataclass(frozen=True, slots=True)
class _Pending:
    """What was entered and did not pass its test, its secrets sealed; it is not kept yet."""

    connection: Connection
    found: Sequence[Diagnosis]


@dataclass(frozen=True, slots=True)
class _Entered:
    """What was entered in the form."""

    name: str
    values: Mapping[str, str]
    limit: Decimal | None
    every: int


def draw(workspace: str, *, held: Sequence[str]) -> None:
    """The part of the page that connects one more account; `held` are the names that are taken."""
    st.header("Connect an account", anchor=False)
    if st.session_state.pop(_CLOSE, False):
        st.session_state[_CHOSEN] = None
    names = {sources.provider(name).setup.title: name for name in sources.providers()}
    chosen = st.pills("Provider", list(names), key=_CHOSEN, bind="query-params")
    if chosen is None:
        st.caption("Choose where the account is. Access is read-only; several accounts can be connected side by side.")
        return
    provider = names[chosen]
    setup = sources.provider(provider).setup
    st.subheader(f"1. At {setup.title}", anchor=False)
    beforehand = _beforehand(provider, setup)
    _steps(setup, beforehand)
    st.subheader("2. Here", anchor=False)
    pending = _pending(provider)
    if entered := _form(provider, setup, held, beforehand, sealed=pending is not None):
        _submitted(workspace, provider, setup, held, entered)
    if pending is not None:
        _mend(pending)
    _expect(setup)


def diagnoses(found: Sequence[Diagnosis]) -> None:
    """What each step of a test found, in words, and what to do about it."""
    lines = list[str]()
    for step in found:
        message = "" if step.passed is None else f": {plain(step.message)}"
        fix = f" **What to do:** {plain(step.fix)}" if step.fix else ""
        lines.append(f"{_MARKS[step.passed]} {plain(step.step)}{message}{fix}")
    st.markdown("  \n".join(lines))


def field_input(field: Field, *, key: str, value: str = "", note: str = "") -> str:
    """One field of a form; a secret is a password, empty whatever was entered before."""
    label = field.label if field.required else f"{field.label} (optional)"
    kind = "password" if field.secret else "default"
    return (
        st.text_input(
            f"{label}{note}",
            value="" if field.secret else value,
            type=kind,
            help=plain(field.help),
            key=key,
            autocomplete="new-password" if field.secret else "off",
        )
        or ""
    ).strip()


def _pending(provider: str) -> _Pending | None:
    found: _Pending | None = st.session_state.get(_PENDING)
    return found if found is not None and found.connection.provider == provider else None


def _beforehand(provider: str, setup: Setup) -> dict[str, str]:
    """The fields whose values the steps are filled with; they are no secrets."""
    mentioned = [f for f in setup.fields if f.name in to_fill(setup, {})]
    if not mentioned:
        return {}
    st.caption("Enter these first: the commands below are then ready to be copied.")
    values = dict[str, str]()
    with st.grid(min(3, len(mentioned)), min_column_width=220):
        for field in mentioned:
            value = _proposed(provider) if field.name == _PROPOSED else ""
            values[field.name] = field_input(field, key=_key(provider, field), value=value)
    return values


def _proposed(provider: str) -> str:
    """A new external id, the same for as long as this visit or this address lasts; it is no secret."""
    name = f"{provider}-id"
    found = st.query_params.get(name) or st.session_state.get(name)
    if not found:
        from connectors.aws.live_session import new_external_id  # noqa: PLC0415 - brings the SDK with it

        found = new_external_id()
    st.session_state[name] = st.query_params[name] = found
    return str(found)


def _steps(setup: Setup, values: Mapping[str, str]) -> None:
    steps = [step for step in setup.steps if not connect_words.by_command(step)]
    for number, step in enumerate(steps, start=1):
        for at, part in enumerate(connect_words.parts(step, setup, values)):
            if part.language is None:
                st.markdown(part.text if at else f"**{chr(96 + number)})** {part.text}")
            else:
                tall = part.text.count("\n") > _LONG
                st.code(
                    part.text,
                    language=part.language or None,
                    wrap_lines=not tall,
                    height=_CODE_HEIGHT if tall else "content",
                )
    if commands := [step for step in setup.steps if connect_words.by_command(step)]:
        with st.expander("By a command instead"):
            for step in commands:
                st.markdown(step)


def _form(
    provider: str, setup: Setup, held: Sequence[str], beforehand: Mapping[str, str], *, sealed: bool
) -> _Entered | None:
    """The form; None until it is sent."""
    values = dict(beforehand)
    with st.form(f"connect-{provider}"):
        with st.grid(2, min_column_width=260):
            name = st.text_input(
                "Name of the connection",
                value=_free(provider, held),
                key=f"connect-{provider}-name-{st.session_state.get(_ROUND, 0)}",
                help="Lower-case letters, digits and hyphens. Figures name it as their source.",
            )
            for field in setup.fields:
                if field.name not in beforehand:
                    note = ": entered, empty keeps it" if field.secret and sealed else ""
                    values[field.name] = field_input(field, key=_key(provider, field), note=note)
            every = st.selectbox("Sync it", list(EVERY), help="As long as `spendproof worker` runs.")
        limit = _limit(setup)
        if not st.form_submit_button("Test and connect", type="primary"):
            return None
    try:
        paid = connecting.dollars(limit) if limit else None
    except ValueError as error:
        st.error(plain(str(error)))
        return None
    secret = {f.name for f in setup.fields if f.secret}
    given = {name: value for name, value in values.items() if value or name not in secret}
    return _Entered(name.strip(), given, paid, EVERY[every])


def _limit(setup: Setup) -> str:
    if not setup.price:
        return ""
    st.caption(plain(setup.price))
    label = "Most that the paid calls of one sync may cost, US dollars (optional)"
    return (st.text_input(label, placeholder="0.50") or "").strip()


def _submitted(workspace: str, provider: str, setup: Setup, held: Sequence[str], entered: _Entered) -> None:
    """Test what was entered; what passes is kept and synced, what does not is held sealed to be mended."""
    if entered.name in held:
        st.error(f"There is a connection {plain(entered.name)} already. Give this one another name.")
        return
    settings = running.current().settings
    try:
        connection = _sealed(workspace, provider, setup, entered)
        with st.spinner(f"Testing the connection to {setup.title}"):
            found = connecting.test(settings, connection, Tools())
        # The secret's field is made anew, so that nothing of it stays behind.
        st.session_state[_TRY] = st.session_state.get(_TRY, 0) + 1
        if connecting.is_sound(found):
            _keep(connection)
        else:
            st.session_state[_PENDING] = _Pending(connection, found)
    except (ConnectorError, LedgerError) as error:
        st.error(plain(str(error)))
        return
    st.rerun()


def _sealed(workspace: str, provider: str, setup: Setup, entered: _Entered) -> Connection:
    settings, pending = running.current().settings, _pending(provider)
    connection = connections.new(workspace, entered.name, provider)
    connection.paid_limit, connection.every_minutes = entered.limit, entered.every
    if pending is None:
        credentials.seal(settings, connection, setup.fields, entered.values)
    else:
        again = connecting.rotated(settings, pending.connection, entered.values, Tools())
        connection.id, connection.settings, connection.sealed = again.id, again.settings, again.sealed
    return connection


def _mend(pending: _Pending) -> None:
    """The test that failed, and the ways on from there."""
    with st.container(border=True):
        st.markdown("**The test did not pass, so nothing was kept.**")
        diagnoses(pending.found)
        st.caption(
            "What you entered is held for this visit, its secrets encrypted. Mend it at the provider and test again, "
            "or change it in the form above."
        )
        with st.container(horizontal=True):
            again = st.button("Test again", key="connect-again")
            anyway = st.button("Keep it anyway", key="connect-anyway", help="Each sync then says what is still wrong.")
            if st.button("Discard it", key="connect-discard"):
                del st.session_state[_PENDING]
                st.rerun()
    if not again and not anyway:
        return
    try:
        if again:
            with st.spinner("Testing"):
                found = connecting.test(running.current().settings, pending.connection, Tools())
            st.session_state[_PENDING] = replace(pending, found=found)
        if anyway or connecting.is_sound(list(st.session_state[_PENDING].found)):
            _keep(pending.connection)
    except (ConnectorError, LedgerError) as error:
        st.error(plain(str(error)))
        return
    st.rerun()


def _keep(connection: Connection) -> None:
    """Keep a connection and start its first sync; the form is empty again."""
    connection.created_at = datetime.now(UTC)
    settings, name = running.current().settings, connection.name
    connections.add(settings, connection)
    connect_sync.start(settings, connections.named(settings, connection.workspace, name))
    state = st.session_state
    state.pop(_PENDING, None)
    state.pop(f"{connection.provider}-id", None)
    state[_ROUND] = state.get(_ROUND, 0) + 1
    state[_CLOSE] = True
    state["connect-said"] = f"{name} is kept. Its data is being fetched, the newest month first."


def _expect(setup: Setup) -> None:
    if setup.later:
        st.subheader("What to expect", anchor=False)
        st.markdown("\n".join(f"- {plain(sentence)}" for sentence in setup.later))
        st.caption(
            f"The history reaches back up to {setup.history_days} days. Each sync fetches the last "
            f"{setup.overlap_days} days again, since {plain(setup.title)} may still restate them."
        )


def _free(provider: str, held: Sequence[str]) -> str:
    return next(n for n in (provider, *(f"{provider}-{i}" for i in range(2, len(held) + 3))) if n not in held)


def _key(provider: str, field: Field) -> str:
    state = st.session_state
    tries = f"-{state.get(_TRY, 0)}" if field.secret else ""
    return f"connect-{provider}-{field.name}-{state.get(_ROUND, 0)}{tries}"
