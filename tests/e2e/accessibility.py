"""What axe finds on a page of the app that is not Streamlit's own doing."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

#: Rules that Streamlit's own markup breaks, with what breaks them; nothing of ours may be added.
STREAMLITS_OWN = {
    "aria-allowed-attr": "the canvas of a table",
    "aria-required-children": "the grid of a table",
    "aria-input-field-name": "the field within a multiselect",
    "aria-progressbar-name": "the progress of an upload",
    "scrollable-region-focusable": "code blocks and tables",
    "nested-interactive": "chips of a multiselect",
    "svg-img-alt": "marks of a Vega chart, whose chart has a name",
    "button-name": "the button that unfolds the sidebar",
    "list": "the sections of the navigation",
    "listitem": "the sections of the navigation",
    "aria-dialog-name": "a short message that goes by itself",
    "label": "the file input, which its own button names",
}


def barriers(page: Page) -> list[str]:
    """Serious and critical findings of ours: the rule, and the beginning of the first element that breaks it."""
    page.wait_for_timeout(500)
    return [
        f"{page.url} {one['id']}: {one['nodes'][0]['html'][:200]}"
        for one in Axe().run(page).response["violations"]
        if one["impact"] in {"serious", "critical"} and one["id"] not in STREAMLITS_OWN
    ]
