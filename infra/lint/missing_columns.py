"""Columns that a statement names although the table has none of that name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from infra.lint.schema import ForeignKey, Spot, TableState
from infra.lint.tree import enum, name_in, nodes, relation_name, strings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.source import Located
    from infra.lint.tree import Name

OF_A_COLUMN = frozenset(
    {"AT_AlterColumnType", "AT_SetNotNull", "AT_DropNotNull", "AT_ColumnDefault", "AT_SetStatistics"}
)
_SYSTEM = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})


class Tables(Protocol):
    """Where tables are found by a name as written."""

    def find(self, name: Name) -> TableState | None:
        """Give the table of this name."""
        ...


@dataclass(frozen=True)
class MissingColumn:
    """A column that is named, and the table that lacks it."""

    table: TableState
    column: str
    spot: Spot


def missing_columns(tables: Tables, located: Located) -> Iterator[MissingColumn]:
    """Give every column that a statement names and that is not there once the statement has run."""
    for name, column, location in _named(tables, located):
        table = tables.find(name)
        if table and table.complete and column not in table.columns and column not in _SYSTEM:
            yield MissingColumn(table, column, Spot(located, location))


def _named(tables: Tables, located: Located) -> Iterator[tuple[Name, str, int]]:
    """Give table, column and place of each name of a column that the model can judge."""
    kind, tree = located.kind, located.tree
    if kind == "index_stmt":
        for element in nodes([*tree.index_params, *tree.index_including_params], "index_elem"):
            if element.name:
                yield relation_name(tree.relation), element.name, -1
    elif kind == "insert_stmt":
        for target in nodes(tree.cols, "res_target"):
            yield relation_name(tree.relation), target.name, target.location
    elif kind == "comment_stmt" and enum(tree, "objtype") == "OBJECT_COLUMN":
        names = strings(tree.object.list.items)
        if len(names) > 1:
            yield name_in(names[:-1]), names[-1], -1
    elif kind in {"create_stmt", "alter_table_stmt"}:
        table = tables.find(relation_name(tree.relation))
        if table:
            yield from _in_keys(table, located)


def _in_keys(table: TableState, located: Located) -> Iterator[tuple[Name, str, int]]:
    for key in table.keys:
        if key.spot.located is located and key.kind != "exclude":
            for column in key.columns:
                yield table.name, column, key.spot.location
    for key in table.foreign_keys:
        if key.spot.located is located:
            yield from _in_foreign_key(table, key)
    if located.kind == "alter_table_stmt":
        for command in located.tree.cmds:
            one = command.alter_table_cmd
            if enum(one, "subtype") in OF_A_COLUMN and one.name:
                yield table.name, one.name, -1


def _in_foreign_key(table: TableState, key: ForeignKey) -> Iterator[tuple[Name, str, int]]:
    for column in key.columns:
        yield table.name, column, key.spot.location
    for column in key.target_columns:
        yield key.target, column, key.spot.location
