"""Names for the Ibis expressions that a mapping is written in.

Ibis types a table's column as a bare `Column` until the table is bound to data, and what `ibis.cases` returns as a bare
`Value`; neither has the methods of a text or a number, so a checker can follow nothing. These names say to the reader
what an expression holds and leave its methods unchecked.
"""

from __future__ import annotations

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
