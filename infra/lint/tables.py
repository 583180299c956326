"""What CREATE TABLE, ALTER TABLE and CREATE INDEX say of a table, read into the model."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from infra.lint.schema import SERIAL, ColumnState, ColumnType, ForeignKey, KeyState, Spot, TableState
from infra.lint.tree import enum, node, nodes, relation_name, strings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from infra.lint.source import Located
    from infra.lint.tree import Name, Tree

_KEYS = {"CONSTR_PRIMARY": "primary", "CONSTR_UNIQUE": "unique", "CONSTR_EXCLUSION": "exclude"}
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
LOCATION = re.compile(r"\b\w*location: -?\d+\s*")


def add_elements(table: TableState, elements: Iterable[Tree], located: Located) -> None:
    """Read what stands between the parentheses of CREATE TABLE."""
    members = [node(one) for one in elements]
    for _, member in (one for one in members if one[0] == "column_def"):
        add_column(table, member, located)
    for kind, member in members:
        if kind == "constraint":
            add_constraint(table, member, located)
        elif kind == "table_like_clause":
            table.complete = False


def add_column(table: TableState, definition: Tree, located: Located) -> None:
    """Add a column with the constraints that are written at it."""
    spot = Spot(located, definition.location)
    kind = located.type_of(definition.type_name) if definition.HasField("type_name") else None
    column = ColumnState(definition.colname, kind, spot)
    table.columns[column.name] = column
    if kind and kind.name in SERIAL:
        column.not_null = True
    for constraint in nodes(definition.constraints, "constraint"):
        what = enum(constraint, "contype")
        column.not_null |= what in {"CONSTR_NOTNULL", "CONSTR_PRIMARY", "CONSTR_IDENTITY"}
        add_constraint(table, constraint, located, column=column.name)


def add_constraint(table: TableState, constraint: Tree, located: Located, *, column: str = "") -> None:
    """Add a key or a foreign key; other constraints have no part in the model."""
    what = enum(constraint, "contype")
    spot = Spot(located, constraint.location)
    if what == "CONSTR_FOREIGN":
        table.foreign_keys.append(_foreign_key(constraint, spot, column=column))
    elif what in _KEYS and not constraint.indexname:  # USING INDEX: the index is there already
        columns = tuple(strings(constraint.keys)) or ((column,) if column else ())
        if what == "CONSTR_EXCLUSION":
            columns = tuple("(excluded)" for _ in constraint.exclusions)
        table.keys.append(
            KeyState(
                _KEYS[what],
                constraint.conname,
                columns,
                unique=what != "CONSTR_EXCLUSION",
                spot=spot,
                include=tuple(strings(constraint.including)),
                deferrable=constraint.deferrable,
                others="nulls not distinct" if constraint.nulls_not_distinct else "",
            )
        )
        if what == "CONSTR_PRIMARY":
            for name in columns:
                if name in table.columns:
                    table.columns[name].not_null = True
    elif what in _KEYS:
        _use_index(table, constraint, _KEYS[what])


def _use_index(table: TableState, constraint: Tree, kind: str) -> None:
    """Turn an index into a constraint (ADD CONSTRAINT … USING INDEX)."""
    for number, key in enumerate(table.keys):
        if key.name == constraint.indexname:
            name = constraint.conname or key.name
            table.keys[number] = KeyState(kind, name, key.columns, unique=True, spot=key.spot, include=key.include)


def _foreign_key(constraint: Tree, spot: Spot, *, column: str) -> ForeignKey:
    start = spot.located.character(constraint.location)
    return ForeignKey(
        constraint.conname,
        tuple(strings(constraint.fk_attrs)) or ((column,) if column else ()),
        relation_name(constraint.pktable),
        tuple(strings(constraint.pk_attrs)),
        spot,
        on_delete=constraint.fk_del_action,
        on_update=constraint.fk_upd_action,
        text=_own_text(spot.located.file.text[start : spot.located.end]),
    )


def _own_text(text: str) -> str:
    """Cut a text after its first part: at a comma or a closing parenthesis that belongs to what is around it."""
    text = _COMMENTS.sub(" ", text)
    depth = 0
    for found in re.finditer(r"""[(),]|"(?:[^"]|"")*"|'(?:[^']|'')*'""", text):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth < 0 or (found[0] == "," and depth == 0):
            return text[: found.start()]
    return text


def index_state(statement: Tree, located: Located) -> KeyState:
    """Read CREATE INDEX."""
    columns: list[str] = []
    order: list[str] = []
    for element in nodes(statement.index_params, "index_elem"):
        columns.append(element.name or f"({_common(element.expr)})")
        falling = enum(element, "ordering") == "SORTBY_DESC"
        nulls = enum(element, "nulls_ordering").removeprefix("SORTBY_NULLS_")
        usual_nulls = nulls in {"DEFAULT", "FIRST" if falling else "LAST"}  # (PostgreSQL manual, 11.4)
        direction = [*(["DESC"] if falling else []), *([] if usual_nulls else [nulls])]
        special = [*strings(element.opclass), *strings(element.collation), *map(str, element.opclassopts)]
        order.append(" ".join([*direction, *special]))
    return KeyState(
        "index",
        statement.idxname,
        tuple(columns),
        unique=statement.unique,
        spot=Spot(located),
        method=statement.access_method or "btree",
        predicate=_common(statement.where_clause) if statement.HasField("where_clause") else "",
        order=tuple(order),
        include=tuple(one.name for one in nodes(statement.index_including_params, "index_elem")),
        others="nulls not distinct" if statement.nulls_not_distinct else "",
    )


def _common(tree: Tree) -> str:
    """Give a text that two equal expressions have in common, wherever they stand."""
    return LOCATION.sub("", str(tree))


def alter(table: TableState, commands: Sequence[Tree], located: Located) -> None:
    """Follow ALTER TABLE, as far as the model goes."""
    for command in commands:
        what = enum(command, "subtype")
        kind, definition = node(getattr(command, "def"))
        if what == "AT_AddColumn":
            if not (command.missing_ok and definition.colname in table.columns):
                add_column(table, definition, located)
        elif what == "AT_AddConstraint" and kind == "constraint":
            add_constraint(table, definition, located)
        elif what == "AT_DropColumn":
            drop_column(table, command.name)
        elif what == "AT_DropConstraint":
            drop_constraint(table, command.name)
        elif what == "AT_AddInherit":
            table.complete = False
        elif command.name in table.columns:
            _alter_column(table.columns[command.name], what, definition, located)


def _alter_column(column: ColumnState, what: str, definition: Tree, located: Located) -> None:
    if what == "AT_AlterColumnType":
        column.type = located.type_of(definition.type_name)
    elif what in {"AT_SetNotNull", "AT_DropNotNull"}:
        column.not_null = what == "AT_SetNotNull"


def drop_constraint(table: TableState, name: str) -> None:
    """Take out the constraint of a name, given or chosen by PostgreSQL."""
    table.keys = [key for key in table.keys if name not in constraint_names(table, key)]
    table.foreign_keys = [key for key in table.foreign_keys if name not in foreign_key_names(table, key)]


def constraint_names(table: TableState, key: KeyState) -> set[str]:
    """Give the name of a constraint, or the one that PostgreSQL chooses."""
    if key.name or key.kind == "index":
        return {key.name}
    if key.kind == "primary":
        return {f"{table.name[1]}_pkey"}
    return {f"{table.name[1]}_{'_'.join(key.columns)}_key"}


def foreign_key_names(table: TableState, key: ForeignKey) -> set[str]:
    """Give the name of a foreign key, or the one that PostgreSQL chooses."""
    return {key.name or f"{table.name[1]}_{'_'.join(key.columns)}_fkey"}


def drop_column(table: TableState, name: str) -> None:
    """Take out a column and what stands on it."""
    table.columns.pop(name, None)
    table.keys = [key for key in table.keys if name not in (*key.columns, *key.include)]
    table.foreign_keys = [key for key in table.foreign_keys if name not in key.columns]


def rename_column(table: TableState, old: str, new: str) -> None:
    """Give a column another name, here and in keys."""

    def renamed(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(new if name == old else name for name in names)

    table.columns = {new if name == old else name: column for name, column in table.columns.items()}
    if new in table.columns:
        table.columns[new].name = new
    for number, key in enumerate(table.keys):
        table.keys[number] = replace(key, columns=renamed(key.columns), include=renamed(key.include))
    table.foreign_keys = [replace(key, columns=renamed(key.columns)) for key in table.foreign_keys]


def table_of(statement: Tree, located: Located, name: Name) -> TableState:
    """Read CREATE TABLE."""
    table = TableState(name, Spot(located, statement.relation.location))
    add_elements(table, statement.table_elts, located)
    parents = list(nodes(statement.inh_relations, "range_var"))
    table.complete &= not parents and not statement.HasField("of_typename")
    if parents and statement.HasField("partbound"):
        table.partition_of = relation_name(parents[0])
    return table


def typed_columns(located: Located) -> Iterator[tuple[str, ColumnType, int]]:
    """Give name, type and location of every column that a statement makes or gives another type."""
    if located.kind == "alter_table_stmt":
        for command in nodes(located.tree.cmds, "alter_table_cmd"):
            kind, definition = node(getattr(command, "def"))
            if kind == "column_def" and enum(command, "subtype") in {"AT_AddColumn", "AT_AlterColumnType"}:
                yield from _typed(located, definition, definition.colname or command.name)
        return
    statement = located.tree.base_stmt if located.kind == "create_foreign_table_stmt" else located.tree
    for definition in nodes(statement.table_elts, "column_def"):
        yield from _typed(located, definition, definition.colname)


def _typed(located: Located, definition: Tree, name: str) -> Iterator[tuple[str, ColumnType, int]]:
    if definition.HasField("type_name"):
        yield name, located.type_of(definition.type_name), definition.type_name.location
