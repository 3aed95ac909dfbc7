"""Text that is shown as it is, whatever it holds."""

from pathlib import Path

from ui import markup
from ui.markup import Marked, joined, plain


def test_a_name_from_a_bill_is_no_markup() -> None:
    assert plain("a $5 [x](y) <b> *c*") == "a \\$5 \\[x\\]\\(y\\) \\<b\\> \\*c\\*"


def test_a_badge_among_sentences_stays_one() -> None:
    assert joined(["Cost of $1.", Marked(":orange-badge[Provisional]"), "from May on"]) == (
        "Cost of \\$1. :orange-badge[Provisional] from May on"
    )


def test_no_page_escapes_by_hand() -> None:
    pages = Path(markup.__file__).parent.glob("*.py")
    assert [page.name for page in pages if '.replace("$"' in page.read_text()] == ["markup.py"]
