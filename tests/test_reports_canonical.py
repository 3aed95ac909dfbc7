"""One spelling for each JSON value, and where two values part."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.proof.canonical import Difference, DocumentError, canonical, digest, first_difference, leaves, parse

#: RFC 8785, appendix B: the bits of a double and how it is written.
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab/~é😀"), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(("bits", "text"), NUMBERS.items())
def test_numbers_are_written_as_the_standard_says(bits: str, text: str) -> None:
    assert canonical(struct.unpack(">d", bytes.fromhex(bits))[0]) == text.encode()


def test_names_are_sorted_by_utf_16_and_texts_are_escaped_as_little_as_possible() -> None:
    # The example of RFC 8785, section 3.2.3: the emoji (a surrogate pair) comes before U+FB33.
    value = {
        "€": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew", "1": "One", "😀": "Emoji", "\x80": "Control",
        "ö": "O",
    }  # fmt: skip
    names = list(json.loads(canonical(value)))
    assert names == ["\r", "1", "\x80", "ö", "€", "😀", "\ufb33"]
    assert canonical("\u20ac$\x0f\nA'B\"\\") == '"\u20ac$\\u000f\\nA\'B\\"\\\\"'.encode()


@given(VALUES)
def test_the_canonical_form_says_the_same_and_is_its_own(value: Any) -> None:
    text = canonical(value)
    assert parse(text) == value
    assert canonical(parse(text)) == text
    assert first_difference(parse(text), value) is None


@given(VALUES, VALUES)
def test_two_values_have_one_digest_only_where_nothing_differs(a: Any, b: Any) -> None:
    assert (digest(a) == digest(b)) == (first_difference(a, b) is None)


@given(VALUES, st.data())
def test_a_changed_leaf_is_found_and_named(value: Any, data: st.DataObject) -> None:
    path, old = data.draw(st.sampled_from(list(leaves(value))))
    changed = _replaced(value, path, "a new word" if old != "a new word" else "another")
    difference = first_difference(changed, value)
    assert difference is not None
    assert difference.path == path


def test_the_first_difference_shows_both_sides() -> None:
    signed = {"a": [1, {"b/c": "410.20"}], "d": True}
    assert first_difference({"a": [1, {"b/c": "420.20"}], "d": True}, signed) == Difference(
        "/a/1/b~1c", '"420.20"', '"410.20"'
    )
    assert first_difference({"a": [1], "d": True}, signed) == Difference("/a/1", "(nothing)", '{"b/c": "410.20"}')
    assert first_difference({**signed, "e": 1}, signed) == Difference("/e", "1", "(nothing)")
    assert first_difference({**signed, "d": 1}, signed) == Difference("/d", "1", "true")
    assert first_difference({"a": [1.0, {"b/c": "410.20"}], "d": True}, signed) is None


@pytest.mark.parametrize(
    "text", ['{"a": 1, "a": 2}', "[NaN]", "[-Infinity]", "{", '"\xff', "[" * 100_000, f"[{'9' * 5000}]"]
)
def test_a_text_without_one_meaning_is_refused(text: str) -> None:
    with pytest.raises(DocumentError):
        parse(text.encode("latin-1"))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, "\ud800", {"\udc00": 1}, object()])
def test_what_json_cannot_carry_exactly_is_refused(value: Any) -> None:
    with pytest.raises(DocumentError):
        canonical(value)


def _replaced(value: Any, path: str, new: str) -> Any:
    if not path:
        return new
    head, _, rest = path[1:].partition("/")
    name = head.replace("~1", "/").replace("~0", "~")
    rest = f"/{rest}" if rest or path[1:].endswith("/") or "/" in path[1:] else ""
    if isinstance(value, list):
        return [_replaced(v, rest, new) if str(i) == name else v for i, v in enumerate(value)]
    return {n: _replaced(v, rest, new) if n == name else v for n, v in value.items()}
