"""JSON in one form only: RFC 8785 (JSON Canonicalization Scheme), its digests, and where two documents part.

Proofs carry money as text, so that no figure passes through a binary float; numbers are still written as RFC 8785
asks, since whoever changes a document may put any number into it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest
from math import isfinite
from typing import Any, Final, cast

from ledger.errors import LedgerError

#: Any value that JSON can hold.
Json = dict[str, Any] | list[Any] | str | int | float | bool | None

#: Whole numbers beyond this are not exact in every JSON reader (RFC 7493, section 2.2).
_MAX_WHOLE: Final = 2**53 - 1
#: Powers of ten within which ECMAScript writes a number without an exponent.
_PLAIN_UP_TO: Final = 21
_PLAIN_DOWN_TO: Final = -7
#: What stands for a part that one of two documents does not have.
_ABSENT: Final = object()


class DocumentError(LedgerError):
    """A text that is no JSON document, or none that has one meaning only."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place at which a document is not what was signed.

    Attributes:
        path: JSON pointer (RFC 6901) of the place; empty for the whole document.
        found: what stands there, as JSON; `(nothing)` where it was taken out.
        signed: what was signed, as JSON; `(nothing)` where it was put in.
    """

    path: str
    found: str
    signed: str


def canonical(value: Json) -> bytes:
    """The one spelling of a JSON value, as UTF-8 (RFC 8785).

    Raises:
        DocumentError: a number is not finite or not exact, or a text holds half a character.
    """
    try:
        return "".join(_written(value)).encode()
    except UnicodeEncodeError as error:
        raise DocumentError("A text of the document holds half a character (a lone surrogate).") from error


def digest(value: Json) -> str:
    """SHA-256 of the canonical form, in hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()


def parse(text: bytes | str) -> Json:
    """A JSON text that has one meaning only: no name twice in one object, no NaN or infinity.

    Raises:
        DocumentError: it is no such text; the message says where, or which name stands twice.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise DocumentError("The text is not UTF-8.") from error
    except json.JSONDecodeError as error:
        raise DocumentError(
            f"The text is no JSON at line {error.lineno}, column {error.colno}: {error.msg}."
        ) from error
    except ValueError as error:
        raise DocumentError("The text holds a number with thousands of digits.") from error
    except RecursionError as error:
        raise DocumentError("The text is nested too deeply.") from error


def first_difference(found: Json, signed: Json, path: str = "") -> Difference | None:
    """The first place, in the order of the signed document, at which `found` is not `signed`; None where they agree."""
    if isinstance(found, dict) and isinstance(signed, dict):
        # The signed names first, so that a changed name is reported as what is missing.
        for name in (*signed, *(n for n in found if n not in signed)):
            here = f"{path}/{_pointer(name)}"
            if difference := _one(found.get(name, _ABSENT), signed.get(name, _ABSENT), here):
                return difference
        return None
    if isinstance(found, list) and isinstance(signed, list):
        for i, (a, b) in enumerate(zip_longest(found, signed, fillvalue=_ABSENT)):
            if difference := _one(a, b, f"{path}/{i}"):
                return difference
        return None
    return None if _same(found, signed) else Difference(path, _shown(found), _shown(signed))


def leaves(value: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Every value that holds no other, with its JSON pointer, in the order of the document."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from leaves(inner, f"{path}/{_pointer(name)}")
    elif isinstance(value, list) and value:
        for i, inner in enumerate(value):
            yield from leaves(inner, f"{path}/{i}")
    else:
        yield path, value


def _one(found: Any, signed: Any, path: str) -> Difference | None:  # noqa: ANN401 - a JSON value or its absence
    if found is _ABSENT or signed is _ABSENT:
        return Difference(path, _shown(found), _shown(signed))
    return first_difference(found, signed, path)


def _same(a: Json, b: Json) -> bool:
    # Python holds True for 1 and 1 for 1.0; only the second is so in JSON.
    return isinstance(a, bool) == isinstance(b, bool) and type(a) in {int, float, type(b)} and a == b


def _shown(value: object) -> str:
    if value is _ABSENT:
        return "(nothing)"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:199]}…"  # noqa: PLR2004 - a line that a person reads


def _pointer(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise DocumentError(f"The name {twice!r} stands twice in one object, so the document has two meanings.")
    return found


def _no_constant(name: str) -> float:
    raise DocumentError(f"{name} is no number that a document may hold.")


def _written(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield json.dumps(value, ensure_ascii=False)
    elif value is None or isinstance(value, bool):
        yield json.dumps(value)
    elif isinstance(value, int):
        if abs(value) > _MAX_WHOLE:
            raise DocumentError(f"{value} is beyond what JSON numbers hold exactly; it has to be a text.")
        yield str(value)
    elif isinstance(value, float):
        yield _number(value)
    elif isinstance(value, Mapping):
        mapping = cast("Mapping[str, Any]", value)
        yield "{"
        for i, name in enumerate(sorted(mapping, key=lambda n: n.encode("utf-16-be", "surrogatepass"))):
            yield f"{',' if i else ''}{json.dumps(name, ensure_ascii=False)}:"
            yield from _written(mapping[name])
        yield "}"
    elif isinstance(value, Sequence):
        yield "["
        for i, item in enumerate(cast("Sequence[Any]", value)):
            yield "," if i else ""
            yield from _written(item)
        yield "]"
    else:
        raise DocumentError(f"{type(value).__name__} is no value of JSON.")


def _number(value: float) -> str:
    """A number as ECMAScript writes it (ECMA-262, Number::toString), whose shortest digits are Python's too."""
    if not isfinite(value):
        raise DocumentError("A number is not finite.")
    if value == 0:
        return "0"
    sign, figures, exponent = Decimal(repr(value)).normalize().as_tuple()
    digits = "".join(map(str, figures))
    point = len(digits) + int(exponent)
    lead = "-" if sign else ""
    if len(digits) <= point <= _PLAIN_UP_TO:
        return lead + digits + "0" * (point - len(digits))
    if 0 < point <= _PLAIN_UP_TO:
        return f"{lead}{digits[:point]}.{digits[point:]}"
    if point - 1 > _PLAIN_DOWN_TO and point <= 0:
        return f"{lead}0.{'0' * -point}{digits}"
    rest = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{lead}{digits[0]}{rest}e{'+' if point > 0 else '-'}{abs(point - 1)}"
