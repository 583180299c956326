"""Columns that a statement names although their table has none of that name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from infra.lint.source_file import Origin
from infra.modules.tree import enum_value, nodes, qualified_name, relation_name, strings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.schema import ForeignKey, TableState
    from infra.lint.source_file import LocatedStatement
    from infra.modules.tree import Name

COLUMN_COMMANDS = frozenset(
    {"AT_AlterColumnType", "AT_SetNotNull", "AT_DropNotNull", "AT_ColumnDefault", "AT_SetStatistics"}
)
_SYSTEM_COLUMNS = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})


class Tables(Protocol):
    """The tables that exist."""

    def find_table(self, name: Name) -> TableState | None:
        """Return the table of a name as written, None if there is none."""
        ...


@dataclass(frozen=True)
class MissingColumn:
    """A column that is named, and the table that has no such column."""

    table: TableState
    column: str
    origin: Origin


def missing_columns(tables: Tables, statement: LocatedStatement) -> Iterator[MissingColumn]:
    """Yield the columns that a statement names and that do not exist after the statement has run."""
    for table_name, column, location in _column_references(tables, statement):
        table = tables.find_table(table_name)
        if table and table.complete and column not in table.columns and column not in _SYSTEM_COLUMNS:
            yield MissingColumn(table, column, Origin(statement, location))


def _column_references(tables: Tables, statement: LocatedStatement) -> Iterator[tuple[Name, str, int]]:
    """Yield table, column and the parser's location of each reference to a column that the model can check."""
    kind, tree = statement.kind, statement.tree
    if kind == "index_stmt":
        for element in nodes([*tree.index_params, *tree.index_including_params], "index_elem"):
            if element.name:
                yield relation_name(tree.relation), element.name, -1
    elif kind == "insert_stmt":
        for target in nodes(tree.cols, "res_target"):
            yield relation_name(tree.relation), target.name, target.location
    elif kind == "comment_stmt" and enum_value(tree, "objtype") == "OBJECT_COLUMN":
        parts = strings(tree.object.list.items)
        if len(parts) > 1:
            yield qualified_name(parts[:-1]), parts[-1], -1
    elif kind in {"create_stmt", "alter_table_stmt"}:
        table = tables.find_table(relation_name(tree.relation))
        if table:
            yield from _in_table_definition(table, statement)


def _in_table_definition(table: TableState, statement: LocatedStatement) -> Iterator[tuple[Name, str, int]]:
    for key in table.keys:
        if key.origin.statement is statement and key.kind != "exclude":
            for column in key.columns:
                yield table.name, column, key.origin.location
    for key in table.foreign_keys:
        if key.origin.statement is statement:
            yield from _in_foreign_key(table, key)
    if statement.kind == "alter_table_stmt":
        for command in nodes(statement.tree.cmds, "alter_table_cmd"):
            if enum_value(command, "subtype") in COLUMN_COMMANDS and command.name:
                yield table.name, command.name, -1


def _in_foreign_key(table: TableState, key: ForeignKey) -> Iterator[tuple[Name, str, int]]:
    for column in key.columns:
        yield table.name, column, key.origin.location
    for column in key.target_columns:
        yield key.target, column, key.origin.location
