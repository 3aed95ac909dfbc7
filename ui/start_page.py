"""Add data: sample data, a bill file, or a connection; and what came of it, row for row."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

import streamlit as st

from accounts.home import lake_address
from connectors.errors import ConnectorError
from ledger.errors import LedgerError
from ledger.lake import Lake
from ledger.remove import remove_source
from ledger.replace import Loaded
from reports import numbers
from ui import data, pages, running
from ui.data import Lineage
from ui.frame import View, page
from ui.quality import money_by_currency, source_name, title_of
from ui.tables import show_text

_LOADED: Final = "add-data-loaded"
_REFUSED: Final = "add-data-refused"
_SEEN: Final = "add-data-seen"
_UPLOADS: Final = "add-data-uploads"
_ACCEPTED: Final = (
    "AWS Cost and Usage Report 2.0 and legacy, Azure cost exports, Google Cloud billing exports, OpenAI and Anthropic "
    "cost and usage, and any FOCUS 1.0 to 1.4 file, as CSV, JSON or Parquet, also compressed."
)


def ways(workspace: str, *, empty: bool) -> None:
    """The three ways in, side by side; sample data is offered to an empty workspace alone."""
    if refused := st.session_state.get(_REFUSED):
        st.error(refused)
    with st.grid(3 if empty else 2, min_column_width=260):
        if empty:
            with st.container(border=True, height="stretch"):
                _sample(workspace)
        with st.container(border=True, height="stretch"):
            _files(workspace)
        with st.container(border=True, height="stretch"):
            _connection(workspace)


def _sample(workspace: str) -> None:
    st.markdown("**Look around with sample data**")
    st.markdown(
        "Thirteen months of a made-up company's bills from five providers. Every page and file of it is labelled as a "
        "sample, and one click takes it out again."
    )
    if st.button("Try with sample data", type="primary", key="add-sample"):
        from sample_data import files  # noqa: PLC0415 - a folder of files that only this needs

        _load(workspace, [str(path) for path in files()], synthetic=True)


def _files(workspace: str) -> None:
    st.markdown("**Drop a bill file**")
    taken = st.file_uploader(
        "Bill or usage files",
        accept_multiple_files=True,
        key=f"{_UPLOADS}-{st.session_state.get(_UPLOADS, 0)}",
        help=_ACCEPTED,
    )
    st.caption("The format is recognised from the columns. What a file holds replaces what was loaded of its periods.")
    if taken and st.button("Load these files", type="primary", key="add-files"):
        with tempfile.TemporaryDirectory() as folder:
            paths = [_written(Path(folder), number, file) for number, file in enumerate(taken)]
            _load(workspace, paths, synthetic=False)


def _written(folder: Path, number: int, file: Any) -> str:  # noqa: ANN401 - Streamlit's upload
    """An upload as a file of its own name, each in a folder of its own, since two may be called alike."""
    place = folder / str(number)
    place.mkdir()
    path = place / PurePosixPath(str(file.name).replace("\\", "/")).name
    path.write_bytes(file.getbuffer())
    return str(path)


def _connection(workspace: str) -> None:
    st.markdown("**Connect a provider**")
    if pages.has("connections"):
        st.markdown(
            "Read-only access to AWS, Azure, Google Cloud, OpenAI or Anthropic; bills then arrive by themselves."
        )
        st.page_link(pages.link("connections"), label="Connect a provider")
        st.caption("Large bills of this machine load faster by a command:")
        _command(workspace)
    else:
        st.markdown("Bills on this machine, whole folders and large ones load by a command:")
        _command(workspace)


def _command(workspace: str) -> None:
    named = "" if workspace == "default" else f" --workspace {workspace}"
    st.code(f"spendproof import{named} bill.csv", language=None)


def _load(workspace: str, paths: Sequence[str], *, synthetic: bool) -> None:
    """Load files while the person watches, and keep what came of it for the next run."""
    from connectors.importing import import_files  # noqa: PLC0415 - only a load needs it

    state = st.session_state
    state[_LOADED], state[_REFUSED], state[_SEEN] = [], None, False
    with (
        st.status("Loading", expanded=True) as status,
        Lake(lake_address(running.current().settings, workspace)) as lake,
    ):
        say: Callable[[str], None] = st.write
        try:
            state[_LOADED] = import_files(lake, paths, synthetic=synthetic, say=say)
            status.update(label="Loaded", state="complete")
        except (ConnectorError, LedgerError) as error:
            state[_REFUSED] = str(error)
            status.update(label="Not loaded", state="error")
    state[_UPLOADS] = state.get(_UPLOADS, 0) + 1
    st.rerun()


def _outcome(workspace: str) -> None:
    """What the last load of this visit did, with every row that was refused."""
    loaded = list[Loaded](st.session_state.get(_LOADED) or [])
    if not loaded:
        return
    st.header("What was loaded", anchor=False)
    show_text([_line(one) for one in loaded], alt="What each load of these files did")
    ids = {one.load_id for one in loaded if one.rows_rejected}
    if ids:
        held = data.lineage(workspace, data.newest_snapshot(workspace))
        rows = [row for row in held.rejects if row["LoadId"] in ids]
        st.header("Rows that were refused", anchor=False)
        show_text(
            [
                {
                    "File": row["File"],
                    "Row": numbers.count(row["RowNumber"]),
                    "Column": row["ColumnName"],
                    "Value": row["Value"],
                    "Why": row["Reason"],
                }
                for row in rows[:50]
            ],
            alt="Rows that were refused, and why",
        )
    noticed = [(one.format, finding) for one in loaded for finding in one.findings]
    if noticed:
        with st.expander(f"What the checks noticed ({len(noticed)})"):
            show_text(
                [{"Source": title_of(name), "Kind": found.severity, "What": found.sentence} for name, found in noticed],
                alt="What the checks noticed",
            )
    if pages.has("spend"):
        st.page_link(pages.link("spend"), label="See the spend")


def _line(loaded: Loaded) -> dict[str, str | None]:
    return {
        "Format": title_of(loaded.format),
        "Rows in": numbers.count(loaded.rows_in),
        "Loaded": "already loaded, nothing changed" if loaded.unchanged else numbers.count(loaded.rows_loaded),
        "Refused": numbers.count(loaded.rows_rejected),
        "Billed": money_by_currency(loaded.billed_loaded),
        "Load": loaded.load_id,
    }


def told() -> None:
    """On any page, until the person has seen the details: what the last load of this visit did, in one line."""
    loaded = list[Loaded](st.session_state.get(_LOADED) or [])
    if not loaded or st.session_state.get(_SEEN):
        return
    rows = sum(one.rows_loaded for one in loaded)
    refused = sum(one.rows_rejected for one in loaded)
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        more = f"; {numbers.some(refused, 'row')} refused" if refused else "; no row was refused"
        st.markdown(f"**Loaded** {numbers.some(rows, 'row')}{more}.")
        st.page_link(pages.link("add-data"), label="What was loaded, and what was refused")


def draw(view: View) -> None:
    """The page below its title."""
    st.session_state[_SEEN] = True
    _outcome(view.workspace)
    ways(view.workspace, empty=not view.coverage.currencies)
    _remove_sample(view, data.lineage(view.workspace, view.snapshot))


def _remove_sample(view: View, held: Lineage) -> None:
    there = data.held(view.workspace, view.snapshot)
    samples = sorted({load["Connection"] for load in held.loads if load["Synthetic"] and load["LoadId"] in there})
    if not samples:
        return
    st.header("Sample data", anchor=False)
    st.caption(f"This workspace holds the sample's {', '.join(source_name(name) for name in samples)}.")
    if st.button("Take the sample data out", key="remove-sample"):
        for name in samples:
            remove_source(data.lake_of(view.workspace), name)
        st.session_state[_LOADED] = []
        st.rerun()


PAGE: Final = page(
    "Add data", "Bring in a bill: as a file, by a connection, or a sample to look around.", draw, needs_charges=False
)
