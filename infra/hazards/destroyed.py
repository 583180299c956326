"""What measured statements destroy of the values that a database has."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from infra.hazards.measured import MeasuredStatement
    from infra.hazards.sizes import TableSize


def destroyed(statements: Iterable[MeasuredStatement], sizes: Mapping[str, TableSize]) -> list[str]:
    """Return the tables and columns with rows that statements drop, empty or give a narrower type, in words.

    `sizes` are those of the live database's tables.
    """
    found = [
        what
        for statement in statements
        for what, table in (*statement.lost.items(), *statement.retyped.items())
        if table in sizes and (sizes[table].rows or sizes[table].bytes)
    ]
    return list(dict.fromkeys(found))
