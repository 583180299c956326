"""The rows that a fresh table starts with: `info={"first_rows": {"key": ["name"], "rows": [{"name": "x"}]}}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.errors import InfraError
from infra.generate.ddl import insert_missing_rows

if TYPE_CHECKING:
    from sqlalchemy import Table

INFO_KEY = "first_rows"
"""The key in Table.info, which SQLAlchemy leaves to whoever uses the models."""

_FORM = f'write info={{"{INFO_KEY}": {{"key": [column, …], "rows": [{{column: value, …}}, …]}}}}'


def first_rows(table: Table) -> str:
    """Return the INSERT of a table's first rows, '' for a table without; raises InfraError for a wrong form."""
    given: Any = table.info.get(INFO_KEY)
    if given is None:
        return ""
    if not isinstance(given, dict) or set(given) != {"key", "rows"} or not given["rows"]:  # pyright: ignore[reportUnknownArgumentType]
        raise InfraError("has first rows of an unknown form", place=f"table {table.name}", remedy=_FORM)
    key, rows = list[str](given["key"]), list[dict[str, Any]](given["rows"])  # pyright: ignore[reportUnknownArgumentType]
    columns = list(rows[0])
    if any(list(row) != columns for row in rows) or not {*key, *columns} <= set(table.columns.keys()):
        raise InfraError(
            "has first rows with other columns than the first of them, or than the table",
            place=f"table {table.name}",
            remedy="name the same columns of the table in every row, in the same order",
        )
    insert = insert_missing_rows(table, key, rows)
    return f"-- Rows to start with; one that is there already, by its key, stays as it is.\n{insert}"
