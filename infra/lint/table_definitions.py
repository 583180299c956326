"""Definitions in CREATE TABLE, ALTER TABLE and CREATE INDEX, read into the schema model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from infra.lint.schema import ColumnState, ForeignKey, KeyState, TableState
from infra.lint.source_file import Origin
from infra.modules.creations import SERIAL_TYPES
from infra.modules.tree import enum_value, node, nodes, relation_name, strings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from infra.lint.column_types import ColumnType
    from infra.lint.source_file import LocatedStatement
    from infra.modules.tree import Name, Tree

_KEY_KINDS = {"CONSTR_PRIMARY": "primary", "CONSTR_UNIQUE": "unique", "CONSTR_EXCLUSION": "exclude"}
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_LOCATION = re.compile(r"\b\w*location: -?\d+\s*")


def read_table(tree: Tree, statement: LocatedStatement, name: Name) -> TableState:
    """Read CREATE TABLE."""
    table = TableState(name, Origin(statement, tree.relation.location))
    _add_elements(table, tree.table_elts, statement)
    table.complete &= not tree.inh_relations and not tree.HasField("of_typename")
    return table


def _add_elements(table: TableState, elements: Iterable[Tree], statement: LocatedStatement) -> None:
    """Add columns first: a constraint of the table may stand before the columns that it makes NOT NULL."""
    members = [node(element) for element in elements]
    for kind, member in members:
        if kind == "column_def":
            add_column(table, member, statement)
    for kind, member in members:
        if kind == "constraint":
            add_constraint(table, member, statement)
        elif kind == "table_like_clause":
            table.complete = False


def add_column(table: TableState, definition: Tree, statement: LocatedStatement) -> None:
    """Add a column and its column constraints to a table."""
    column_type = statement.column_type(definition.type_name) if definition.HasField("type_name") else None
    column = ColumnState(definition.colname, column_type, Origin(statement, definition.location))
    table.columns[column.name] = column
    if column_type and column_type.name in SERIAL_TYPES:
        column.not_null = True
    for constraint in nodes(definition.constraints, "constraint"):
        parser_type = enum_value(constraint, "contype")
        column.not_null |= parser_type in {"CONSTR_NOTNULL", "CONSTR_PRIMARY", "CONSTR_IDENTITY"}
        add_constraint(table, constraint, statement, column=column.name)


def add_constraint(table: TableState, constraint: Tree, statement: LocatedStatement, *, column: str = "") -> None:
    """Add a key, an exclusion or a foreign key to a table; other constraints are not in the model."""
    parser_type = enum_value(constraint, "contype")
    origin = Origin(statement, constraint.location)
    if parser_type == "CONSTR_FOREIGN":
        table.foreign_keys.append(_foreign_key(constraint, origin, column=column))
    elif parser_type in _KEY_KINDS and constraint.indexname:
        _use_index(table, constraint, _KEY_KINDS[parser_type])
    elif parser_type in _KEY_KINDS:
        key = _key(constraint, parser_type, origin, column=column)
        table.keys.append(key)
        if key.kind == "primary":
            for name in key.columns:
                if name in table.columns:
                    table.columns[name].not_null = True


def _key(constraint: Tree, parser_type: str, origin: Origin, *, column: str) -> KeyState:
    is_exclusion = parser_type == "CONSTR_EXCLUSION"
    columns = tuple(strings(constraint.keys)) or ((column,) if column else ())
    if is_exclusion:
        columns = tuple("(excluded)" for _ in constraint.exclusions)
    return KeyState(
        _KEY_KINDS[parser_type],
        constraint.conname,
        columns,
        unique=not is_exclusion,
        origin=origin,
        include=tuple(strings(constraint.including)),
        deferrable=constraint.deferrable,
        nulls_not_distinct=constraint.nulls_not_distinct,
    )


def _use_index(table: TableState, constraint: Tree, kind: str) -> None:
    """Replace an index by the constraint that takes it over (ADD CONSTRAINT … USING INDEX)."""
    for number, key in enumerate(table.keys):
        if key.name == constraint.indexname:
            name = constraint.conname or key.name
            table.keys[number] = KeyState(kind, name, key.columns, unique=True, origin=key.origin, include=key.include)


def _foreign_key(constraint: Tree, origin: Origin, *, column: str) -> ForeignKey:
    start = origin.statement.character(constraint.location)
    return ForeignKey(
        constraint.conname,
        tuple(strings(constraint.fk_attrs)) or ((column,) if column else ()),
        relation_name(constraint.pktable),
        tuple(strings(constraint.pk_attrs)),
        origin,
        on_delete=constraint.fk_del_action,
        on_update=constraint.fk_upd_action,
        text=_own_text(origin.statement.file.text[start : origin.statement.end]),
    )


def _own_text(text: str) -> str:
    """Cut a text at the comma or closing parenthesis that ends its first definition, and remove comments."""
    text = _COMMENTS.sub(" ", text)
    depth = 0
    for match in re.finditer(r"""[(),]|"(?:[^"]|"")*"|'(?:[^']|'')*'""", text):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth < 0 or (match[0] == "," and depth == 0):
            return text[: match.start()]
    return text


def read_index(tree: Tree, statement: LocatedStatement) -> KeyState:
    """Read CREATE INDEX."""
    elements = list(nodes(tree.index_params, "index_elem"))
    return KeyState(
        "index",
        tree.idxname,
        tuple(element.name or f"({_text_without_locations(element.expr)})" for element in elements),
        unique=tree.unique,
        origin=Origin(statement),
        method=tree.access_method or "btree",
        predicate=_text_without_locations(tree.where_clause) if tree.HasField("where_clause") else "",
        ordering=tuple(_ordering(element) for element in elements),
        include=tuple(element.name for element in nodes(tree.index_including_params, "index_elem")),
        nulls_not_distinct=tree.nulls_not_distinct,
    )


def _ordering(element: Tree) -> str:
    descending = enum_value(element, "ordering") == "SORTBY_DESC"
    nulls = enum_value(element, "nulls_ordering").removeprefix("SORTBY_NULLS_")
    default_nulls = nulls in {"DEFAULT", "FIRST" if descending else "LAST"}  # (PostgreSQL manual, 11.4)
    words = [*(["DESC"] if descending else []), *([] if default_nulls else [nulls])]
    words += [*strings(element.opclass), *strings(element.collation), *map(str, element.opclassopts)]
    return " ".join(words)


def _text_without_locations(tree: Tree) -> str:
    """Return the text of a tree, which is the same for equal expressions at different places."""
    return _LOCATION.sub("", str(tree))


class TypedColumn(NamedTuple):
    """A column that a statement creates or changes the type of, and the parser's location of the type."""

    name: str
    type: ColumnType
    location: int


def typed_columns(statement: LocatedStatement) -> Iterator[TypedColumn]:
    """Yield the columns that CREATE TABLE or ALTER TABLE creates or changes the type of."""
    if statement.kind == "alter_table_stmt":
        for command in nodes(statement.tree.cmds, "alter_table_cmd"):
            kind, definition = node(getattr(command, "def"))
            if kind == "column_def" and enum_value(command, "subtype") in {"AT_AddColumn", "AT_AlterColumnType"}:
                yield from _typed_column(statement, definition, definition.colname or command.name)
        return
    tree = statement.tree.base_stmt if statement.kind == "create_foreign_table_stmt" else statement.tree
    for definition in nodes(tree.table_elts, "column_def"):
        yield from _typed_column(statement, definition, definition.colname)


def _typed_column(statement: LocatedStatement, definition: Tree, name: str) -> Iterator[TypedColumn]:
    if definition.HasField("type_name"):
        type_name = definition.type_name
        yield TypedColumn(name, statement.column_type(type_name), type_name.location)
