"""The rows of tables as texts: read, compared, shown in messages, and put in place of others."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.check.generated_rows import insert_statement
from infra.modules.safe_forms import quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from infra.postgres.connection.pool import Connection

_COLUMNS = """
SELECT a.attnum, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attgenerated <> ''
FROM pg_catalog.pg_attribute a WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_LONGEST_VALUE = 40
_COLUMNS_SHOWN = 4


@dataclass(frozen=True)
class TableRows:
    """The rows of a table: each is a tuple of texts, in the order of the columns (number: name and type)."""

    name: str
    columns: dict[int, tuple[str, str]]
    rows: list[tuple[str | None, ...]]
    generated: frozenset[int] = frozenset()

    def values(self, position: int) -> Counter[str]:
        """Return how often a column has each of its values, null left out."""
        return Counter(value for row in self.rows if (value := row[position]) is not None)

    def shown(self, row: Sequence[str | None], about: str) -> str:
        """Return a row as a message has it: its first column, those that a text is about, others if these are few."""
        names = [name for name, _ in self.columns.values()]
        named = [name for name in names[1:] if re.search(rf"\b{re.escape(name)}\b", about)]
        others = [name for name in names if name not in named]
        chosen = {*names[:1], *named, *others[: max(_COLUMNS_SHOWN - len(named), 0)]}
        cells = [f"{name} {_shown(value)}" for name, value in zip(names, row, strict=True) if name in chosen]
        return ", ".join([*cells, *(["…"] if len(cells) < len(names) else [])])


def read_rows(connection: Connection, oid: int, name: str) -> TableRows:
    """Read all rows of a table; `name` is as SQL. Only for scratch databases: it runs as who is connected."""
    found = connection.execute(_COLUMNS, (oid,)).fetchall()
    columns = {number: (column, kind) for number, column, kind, _ in found}
    generated = frozenset(number for number, *_, is_generated in found if is_generated)
    texts = ", ".join(f"{quoted(column)}::text" for column, _ in columns.values())
    rows = connection.execute(f"SELECT {texts} FROM {name}".encode()).fetchall() if columns else []
    return TableRows(name, columns, rows, generated)


def row_losses(before: dict[int, TableRows], after: dict[int, TableRows]) -> list[str]:
    """Return which rows and values are gone; a table or column counts as the same after a rename, or by its name."""
    by_name = {table.name: table for table in after.values()}
    lost: list[str] = []
    for oid, table in before.items():
        other = after.get(oid) or by_name.get(table.name)
        gone = len(table.rows) - (len(other.rows) if other else 0)
        if gone > 0:
            lost.append(f"{gone} rows of {table.name}")
        elif other:
            lost += [f"values of {table.name}.{quoted(column)}" for column in _lost_columns(table, other)]
    return lost


def _lost_columns(before: TableRows, after: TableRows) -> Iterator[str]:
    numbers = list(after.columns)
    names = {column: number for number, (column, _) in after.columns.items()}
    for position, (number, (column, kind)) in enumerate(before.columns.items()):
        other = number if number in after.columns else names.get(column)
        values = before.values(position)
        if other is None:
            if values:
                yield column
        elif after.columns[other][1] == kind and values - after.values(numbers.index(other)):
            yield column


def replace_rows(
    connection: Connection,
    table: TableRows,
    rows: Sequence[Sequence[str | None]],
    only: Collection[str] | None = None,
) -> None:
    """Empty a table, with those that refer to it, and insert rows, of them only these columns."""
    connection.execute(f"TRUNCATE {table.name} CASCADE".encode())
    columns = table.columns.items()
    written = [
        at
        for at, (number, (column, _)) in enumerate(columns)
        if number not in table.generated and (only is None or column in only)
    ]
    names = [name for name, _ in table.columns.values()]
    statement = insert_statement(table.name, [names[at] for at in written])
    for row in rows:
        connection.execute(statement, [row[at] for at in written])


def _shown(value: str | None) -> str:
    if value is None:
        return "NULL"
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
