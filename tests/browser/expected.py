"""What models say about their schema, read without the code that draws and describes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.dialects import postgresql

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sqlalchemy import Column, MetaData, Table

    from infra.generate.table_modules import TableModule

ALIASES = {
    "timestamp with time zone": "timestamptz",
    "double precision": "float8",
    "float": "float8",
}


@dataclass(frozen=True)
class Documents:
    """A folder of generated documents, the models they are about, and one foreign key of these.

    `example_key` is the referring table and column, and the table and column referred to; none of them needs quotes.
    """

    folder: Path
    modules: Mapping[str, TableModule]
    metadata: MetaData
    example_key: tuple[str, str, str, str]

    def text(self, name: str) -> str:
        """Return the text of a file."""
        return (self.folder / name).read_text(encoding="utf-8")

    def tables(self, picture: str = "schema") -> list[Table]:
        """Return the tables that a picture shows whole: those of its module, or all of them."""
        return list(self.metadata.tables.values() if picture == "schema" else self.modules[picture].tables)

    def foreign_keys(self, picture: str = "schema") -> list[tuple[str, str, str, str]]:
        """Return the foreign keys of a picture: from or to a table that it shows whole."""
        own = {table.name for table in self.tables(picture)}
        keys = [key for table in self.tables() for key in keys_of(table)]
        return [key for key in keys if own & {key[0], key[2]}]


def type_of(column: Column[object]) -> str:
    """Return a column's type as the documents show it: by PostgreSQL's short name."""
    text = column.type.compile(dialect=postgresql.dialect()).lower().replace(", ", ",")
    return ALIASES.get(text, text)


def keys_of(table: Table) -> list[tuple[str, str, str, str]]:
    """Return a table's foreign keys: its name, the column, the table and the column referred to."""
    return [
        (table.name, key.parent.name, key.column.table.name, key.column.name)
        for column in table.columns
        for key in column.foreign_keys
    ]
