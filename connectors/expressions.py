"""Names for the Ibis expressions that mappings are written in.

Ibis types a column of an unbound table as a bare `Column` and the result of `ibis.cases` as a bare `Value`, without
the methods of texts or numbers, so that a type checker cannot follow a mapping. These names tell the reader what an
expression holds and leave its methods unchecked; what a mapping yields is for its tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import ibis

Table: TypeAlias = Any
Value: TypeAlias = Any
Text: TypeAlias = Any
Number: TypeAlias = Any
Truth: TypeAlias = Any
Moment: TypeAlias = Any
Document: TypeAlias = Any
#: A list of records with declared fields.
Records: TypeAlias = Any
Record: TypeAlias = Any

array: Final[Any] = ibis.array
cases: Final[Any] = ibis.cases
literal: Final[Any] = ibis.literal
null: Final[Any] = ibis.null


def looked_up(text: Text, listed: Mapping[str, str], otherwise: str) -> Text:
    """What stands for `text` in a list, `otherwise` where it is not listed or NULL.

    A map and not a chain of comparisons: the engine asks it once for each different text of a file.
    """
    return literal(listed).get(text).fill_null(otherwise)
