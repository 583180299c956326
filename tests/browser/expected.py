"""What the models say of the schema, read without the code that draws and describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.dialects import postgresql

from models import MODULES, metadata

if TYPE_CHECKING:
    from sqlalchemy import Column, Table

LONG = {
    "timestamp with time zone": "timestamptz",
    "double precision": "float8",
    "float": "float8",
}


def name(table: Table) -> str:
    """Give a table's name as SQL has it."""
    return postgresql.dialect().identifier_preparer.quote(table.name)


def columns(table: Table) -> list[str]:
    """Give the names of a table's columns, in their order and without quotes."""
    return [column.name for column in table.columns]


def type_of(column: Column[object]) -> str:
    """Give a column's type as the pictures have it: in PostgreSQL's short names."""
    text = column.type.compile(dialect=postgresql.dialect()).lower().replace(", ", ",")
    return LONG.get(text, text)


def tables(module: str = "") -> list[Table]:
    """Give the tables of a module, or all of them."""
    return list(MODULES[module].tables if module else metadata.tables.values())


def keys(table: Table) -> list[tuple[str, str, str, str]]:
    """Give a table's foreign keys: its name, the column, the table and the column that it refers to."""
    return [
        (table.name, key.parent.name, key.column.table.name, key.column.name)
        for column in table.columns
        for key in column.foreign_keys
    ]
