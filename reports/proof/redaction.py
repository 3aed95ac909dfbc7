"""A copy of a document for people outside: ids of accounts taken out, names by choice; a document of its own.

Whatever names an account in the document is replaced everywhere in it, and so is what looks like such an id in any
text. The copy cites the digest of the full document, so that its owner can show that the two belong together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

from reports.proof.canonical import digest

IDS: Final = "account ids"
NAMES: Final = "names"

#: Dimensions of a scope whose values say whose account it is; those of providers, services and models do not.
_OPEN: Final = frozenset({"provider", "service", "model"})
#: Ids by their look: AWS accounts, Azure subscriptions, projects, organisations and keys of the model providers.
_LOOKS: Final = re.compile(
    r"\b\d{12}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b(?:proj|org|key|sk|wrkspc|apikey|user)[_-][\w-]{6,}",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
#: Parts whose texts are figures, digests or days.
_FIGURES: Final = frozenset(
    {"days", "bridge", "figures", "row_digest", "price_book_digest", "sha256", "digest", "rounding"}
)
_HIDDEN_QUERY: Final = "(hidden: it names accounts; the full document has it)"


def redacted(document: Mapping[str, Any], *, names: bool, signed_at: str) -> dict[str, Any]:
    """The copy, to be signed.

    Args:
        document: the full one.
        names: whether the workspace's and people's names go too.
        signed_at: when the copy is signed.
    """
    full = dict(document)
    copy = deepcopy(full)
    copy["claim"]["row_query"] = _HIDDEN_QUERY
    words = dict(_ids(copy)) | (dict(_names(copy)) if names else {})
    cleaned = _replaced(copy, _pattern(words), words, names=names)
    hidden = [IDS, NAMES] if names else [IDS]
    return {**cleaned, "signed_at": signed_at, "redaction": {"of": digest(full), "hidden": hidden}}


def _ids(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What names an account, and what stands for it."""
    claim, seen = document["claim"], dict[str, int]()
    scopes = [claim["scope"], claim["intervention"]["scope"], *(other["scope"] for other in claim["other_changes"])]
    for scope in scopes:
        for part in scope:
            for value in part["values"] if part["dimension"] not in _OPEN else ():
                kind = part["dimension"].partition(":")[0]
                seen[kind] = seen.get(kind, 0) + 1
                yield value, f"{kind} {seen[kind]}"
    for i, load in enumerate(claim["loads"], 1):
        yield load["connection"], f"source {i}"
        yield load["load_id"], f"load {i}"
        for j, file in enumerate(load["files"], 1):
            yield file["name"], f"file {i}.{j}"


def _names(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    claim = document["claim"]
    yield claim["workspace"], "a customer"
    for who in (
        claim["intervention"]["who"],
        *(o["who"] for o in claim["other_changes"]),
        claim["evidence"]["signed_by"],
    ):
        if who:
            yield who, "a person"


def _pattern(words: Mapping[str, str]) -> re.Pattern[str]:
    # The longest first, so that an id within another one does not cut it; only whole words.
    either = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True) if word)
    return re.compile(rf"(?<!\w)(?:{either})(?!\w)" if either else r"(?!)")


def _replaced(value: Any, pattern: re.Pattern[str], words: Mapping[str, str], *, names: bool) -> Any:  # noqa: ANN401
    if isinstance(value, str):
        text = _LOOKS.sub("(id)", pattern.sub(lambda found: words[found[0]], value))
        return _ADDRESS.sub("(address)", text) if names else text
    if isinstance(value, dict):
        return {
            # The issuer's thumbprint and what the proof is known by are no accounts.
            name: item
            if name in _FIGURES or name in {"issuer", "id", "supersedes"}
            else _replaced(item, pattern, words, names=names)
            for name, item in value.items()
        }
    return [_replaced(item, pattern, words, names=names) for item in value] if isinstance(value, list) else value
