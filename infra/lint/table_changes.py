"""Changes of the schema model's tables: ALTER TABLE, and columns that are renamed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from infra.lint.table_definitions import add_column, add_constraint
from infra.modules.tree import enum_value, node

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.lint.schema import ColumnState, ForeignKey, KeyState, TableState
    from infra.lint.source_file import LocatedStatement
    from infra.modules.tree import Tree


def alter_table(table: TableState, commands: Sequence[Tree], statement: LocatedStatement) -> None:
    """Apply the commands of ALTER TABLE that change what the model contains."""
    for command in commands:
        parser_type = enum_value(command, "subtype")
        kind, definition = node(getattr(command, "def"))
        if parser_type == "AT_AddColumn":
            if not (command.missing_ok and definition.colname in table.columns):
                add_column(table, definition, statement)
        elif parser_type == "AT_AddConstraint" and kind == "constraint":
            add_constraint(table, definition, statement)
        elif parser_type == "AT_DropColumn":
            _drop_column(table, command.name)
        elif parser_type == "AT_DropConstraint":
            _drop_constraint(table, command.name)
        elif parser_type == "AT_AddInherit":
            table.complete = False
        elif command.name in table.columns:
            _alter_column(table.columns[command.name], parser_type, definition, statement)


def _alter_column(column: ColumnState, parser_type: str, definition: Tree, statement: LocatedStatement) -> None:
    if parser_type == "AT_AlterColumnType":
        column.type = statement.column_type(definition.type_name)
    elif parser_type in {"AT_SetNotNull", "AT_DropNotNull"}:
        column.not_null = parser_type == "AT_SetNotNull"


def _drop_column(table: TableState, name: str) -> None:
    """Drop a column with the keys and foreign keys on it."""
    table.columns.pop(name, None)
    table.keys = [key for key in table.keys if name not in (*key.columns, *key.include)]
    table.foreign_keys = [key for key in table.foreign_keys if name not in key.columns]


def _drop_constraint(table: TableState, name: str) -> None:
    table.keys = [key for key in table.keys if name != _constraint_name(table, key)]
    table.foreign_keys = [key for key in table.foreign_keys if name != _foreign_key_name(table, key)]


def _constraint_name(table: TableState, key: KeyState) -> str:
    """Return the name of a key, or the one that PostgreSQL generates."""
    if key.name or key.kind == "index":
        return key.name
    if key.kind == "primary":
        return f"{table.name[1]}_pkey"
    return f"{table.name[1]}_{'_'.join(key.columns)}_key"


def _foreign_key_name(table: TableState, key: ForeignKey) -> str:
    """Return the name of a foreign key, or the one that PostgreSQL generates."""
    return key.name or f"{table.name[1]}_{'_'.join(key.columns)}_fkey"


def rename_column(table: TableState, old: str, new: str) -> None:
    """Rename a column of a table, also in its keys and foreign keys."""

    def renamed(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(new if name == old else name for name in names)

    table.columns = {new if name == old else name: column for name, column in table.columns.items()}
    if new in table.columns:
        table.columns[new].name = new
    table.keys = [replace(key, columns=renamed(key.columns), include=renamed(key.include)) for key in table.keys]
    table.foreign_keys = [replace(key, columns=renamed(key.columns)) for key in table.foreign_keys]
