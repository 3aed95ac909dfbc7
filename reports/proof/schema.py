"""The published JSON Schema of a proof, made from the types that a claim is made of, so that the two cannot part."""

from __future__ import annotations

import types
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from reports.claim import Claim, Day
from reports.proof.document import FORMAT, VERSION
from reports.proof.statement import STATEMENT

_DECIMAL: Final = {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}
_DAY: Final = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
_MOMENT: Final = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$"}
_SHA256: Final = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_TEXT: Final = {"type": "string"}
_PLAIN: Final[dict[Any, dict[str, Any]]] = {
    Decimal: _DECIMAL,
    datetime: _MOMENT,
    date: _DAY,
    str: _TEXT,
    int: {"type": "integer"},
    bool: {"type": "boolean"},
}


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a proof file: the envelope and the document in it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:spendproof:proof:{VERSION}",
        "title": f"SpendProof proof file, version {VERSION}",
        "description": (
            "The signature is a compact JWS (EdDSA) whose payload is the document in canonical form (RFC 8785). "
            "Money and quantities are decimal texts, days and moments ISO 8601 in UTC."
        ),
        **_object(
            {
                "document": _document(),
                "signature": _TEXT,
                "keys": {"type": "array", "items": _TEXT, "minItems": 1},
                "timestamp": _object({"token": _TEXT}),
            },
            optional=("document", "timestamp"),
        ),
    }


def _document() -> dict[str, Any]:
    claim = _of(Claim)
    for name in ("days",):
        claim["properties"].pop(name)
        claim["required"].remove(name)
    columns = {name: {"type": "array", "items": kind} for name, kind in _of(Day)["properties"].items()}
    part = {"kind": {"enum": ["level", "step"]}, "label": _TEXT, "amount": _DECIMAL}
    return _object(
        {
            "format": {"const": FORMAT},
            "version": {"const": VERSION},
            "id": _TEXT,
            "state": claim["properties"]["state"],
            "issuer": _object({"id": _TEXT, "name": _or_null(_TEXT)}),
            "signed_at": _MOMENT,
            "list_address": _or_null(_TEXT),
            "supersedes": _or_null(_object({"digest": _SHA256, "reason": _or_null(_TEXT)})),
            "redaction": _or_null(_object({"of": _SHA256, "hidden": {"type": "array", "items": _TEXT}})),
            "statement": _object(dict.fromkeys(STATEMENT, _TEXT)),
            "bridge": {"type": "array", "items": _object(part)},
            "claim": claim,
            "days": _object(columns),
        }
    )


def _of(kind: Any) -> dict[str, Any]:  # noqa: ANN401 - any type of a claim's fields
    if kind in _PLAIN:
        return _PLAIN[kind]
    origin, parts = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        return _or_null(_of(next(part for part in parts if part is not type(None))))
    if origin is tuple:
        if parts[-1] is Ellipsis:
            return {"type": "array", "items": _of(parts[0])}
        return {"type": "array", "prefixItems": [_of(part) for part in parts], "items": False, "minItems": len(parts)}
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return {"enum": [member.value for member in kind]}
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return _object({field.name: _of(hints[field.name]) for field in fields(kind)})
    raise TypeError(f"{kind} is no type that a claim is made of.")


def _object(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _or_null(kind: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [kind, {"type": "null"}]}
