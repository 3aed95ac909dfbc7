"""HTML of a report: one file without an outside request, for browsers, printers and mail."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reports.render import charts
from reports.report import NUMERIC, Report

if TYPE_CHECKING:
    from jinja2 import Template

_FOLDER: Final = Path(__file__).with_name("templates")
#: Pixels of a chart on a wide page and on a phone.
_WIDTH: Final = 880
_NARROW: Final = 330


def html(report: Report) -> bytes:
    """The page, with its fonts and pictures inside."""
    fonts = {weight: _font(name) for weight, name in ((400, "Inter-Regular"), (600, "Inter-SemiBold"))}
    return (
        _template("report.html")
        .render(report=report, fonts=fonts, svg=charts.svg, widths=(_WIDTH, _NARROW), numeric=NUMERIC)
        .encode()
    )


def mail(report: Report, unsubscribe: str | None, pictures: dict[str, str]) -> str:
    """The page as mail programs draw it: tables and inline styles, pictures by content id.

    Args:
        report: what is sent.
        unsubscribe: address that ends the mails; None where the recipient runs the schedule.
        pictures: content id by title of a chart.
    """
    return _template("mail.html").render(report=report, unsubscribe=unsubscribe, pictures=pictures, numeric=NUMERIC)


def plain_text(report: Report, unsubscribe: str | None) -> str:
    """The plain-text twin of `mail`, with the same figures."""
    return _template("mail.txt").render(report=report, unsubscribe=unsubscribe)


@cache
def _font(name: str) -> str:
    return base64.b64encode((charts.FONTS / f"{name}.woff2").read_bytes()).decode()


@cache
def _template(name: str) -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=not name.endswith(".txt"),  # noqa: S701 - only plain text is not escaped
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
