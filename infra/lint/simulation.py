"""Follows the statements of all files in their order: what is there at each of them, and what each lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.lint import tables
from infra.lint.builtins import OWN_SCHEMAS
from infra.lint.creations import creations, removals, renaming
from infra.lint.missing_columns import missing_columns
from infra.lint.references import NameReference, references
from infra.lint.schema import Spot, TableState
from infra.lint.schema_state import Addition, Lack, SchemaState, Twice
from infra.lint.tree import enum, node, relation_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from infra.lint.builtins import Builtins
    from infra.lint.schema_state import Object
    from infra.lint.source import Located, SourceFile
    from infra.lint.tree import Name, Tree


def simulate(files: Sequence[SourceFile], known: Builtins, *, given: frozenset[str] = frozenset()) -> SchemaState:
    """Follow all statements of all files."""
    history = SchemaState(known, given)
    for file in files:
        history.path = "public"  # each module is run in a session of its own
        for located in file.statements:
            history.number[located] = len(history.number)
            _look(history, located)
            _make(history, located.kind, located.tree, located)
            _read_tables(history, located.kind, located.tree, located)
            history.missing_columns += missing_columns(history, located)
    return history


def _look(history: SchemaState, located: Located) -> None:
    """Note what a statement refers to that is not there yet, once for each name."""
    own = {(one.kind, one.name[1]) for one in located.makes}
    if located.kind == "create_schema_stmt":
        own |= {(one.kind, one.name[1]) for part in located.tree.schema_elts for one in creations(*node(part))}
    seen: set[tuple[str, Name]] = set()
    for reference in _all_references(located):
        key = (reference.kind, reference.name)
        if key in seen or (reference.kind, reference.name[1]) in own or not reference.name[1]:
            continue
        seen.add(key)
        if not history.has(*key):
            history.lacks.append(Lack(reference, Spot(located, reference.location)))


def _all_references(located: Located) -> Iterator[NameReference]:
    yield from references(located.kind, located.tree)
    for one in located.makes:
        schema = one.name[0]
        if schema and schema not in OWN_SCHEMAS and schema != "public" and located.kind != "do_stmt":
            yield NameReference("schema", ("", schema), one.location)


def _make(history: SchemaState, kind: str, tree: Tree, located: Located) -> None:
    """Note what a statement makes, takes away and renames."""
    for one in located.makes if tree is located.tree else creations(kind, tree):
        nameless = one.kind in {"schema", "extension"}
        name = one.name if nameless else history.in_schema(one.name)
        spot = Spot(located, one.location)
        here = (one.kind, name)
        if here in history.there and not one.tolerant:
            history.twice.append(Twice(one, spot, history.there[here]))
        _add(history, here, spot)
        if one.kind == "extension":
            history.extensions.setdefault(one.name[1], spot)
            history.unknown_extensions |= one.name[1] not in history.known.extensions
    for what, name in removals(kind, tree):
        schema = "" if what in {"schema", "extension"} else name[0] or history.path
        _remove(history, (what, (schema, name[1])), Spot(located))
    renamed = renaming(kind, tree)
    if renamed:
        what, old, new = renamed
        _remove(history, (what, history.in_schema(old)), Spot(located))
        _add(history, (what, history.in_schema(new)), Spot(located))
    if kind == "create_schema_stmt":
        outer, history.path = history.path, tree.schemaname or history.path
        for part in tree.schema_elts:
            _make(history, *node(part), located)
            _read_tables(history, *node(part), located)
        history.path = outer
    if kind == "variable_set_stmt" and tree.name == "search_path" and tree.args:
        history.path = next(iter(_search_path(tree)), "") or "public"


def _search_path(tree: Tree) -> Iterable[str]:
    for one in tree.args:
        if one.HasField("a_const") and one.a_const.sval.sval not in {"$user", "pg_catalog", ""}:
            yield one.a_const.sval.sval


def _add(history: SchemaState, here: Object, spot: Spot) -> None:
    kind, (_, name) = here
    if here not in history.there:
        history.names[kind, name] = history.names.get((kind, name), 0) + 1
    history.there.setdefault(here, spot)
    history.first.setdefault(here, spot)
    history.gone.pop(here, None)


def _remove(history: SchemaState, here: Object, spot: Spot) -> None:
    kind, name = here
    if history.there.pop(here, None):
        history.names[kind, name[1]] -= 1
        history.gone[here] = spot
    if kind == "relation" and (table := history.tables.pop(name, None)):
        history.dropped.append(table)


def _read_tables(history: SchemaState, kind: str, tree: Tree, located: Located) -> None:
    """Keep the tables of the model as the statement leaves them."""
    read = _READERS.get(kind)
    if read:
        read(history, tree, located)


def _create_table(history: SchemaState, tree: Tree, located: Located) -> None:
    name = history.in_schema(relation_name(tree.relation))
    if name not in history.tables or not tree.if_not_exists:
        history.tables[name] = table = tables.table_of(tree, located, name)
        _note_additions(history, table, 0)


def _alter_table(history: SchemaState, tree: Tree, located: Located) -> None:
    table = history.find(relation_name(tree.relation))
    if not table:
        return
    foreign_keys = len(table.foreign_keys)
    commands = [one.alter_table_cmd for one in tree.cmds]
    tables.alter(table, commands, located)
    if all(enum(one, "subtype") in {"AT_AddColumn", "AT_AddConstraint"} for one in commands):
        _note_additions(history, table, foreign_keys)


def _create_index(history: SchemaState, tree: Tree, located: Located) -> None:
    table = history.find(relation_name(tree.relation))
    if table:
        key = tables.index_state(tree, located)
        if not (tree.if_not_exists and any(one.name == key.name for one in table.keys)):
            table.keys.append(key)


def _drop_index(history: SchemaState, tree: Tree, located: Located) -> None:
    if enum(tree, "remove_type") == "OBJECT_INDEX":
        gone = {name[1] for _, name in removals("drop_stmt", tree)}
        for table in history.tables.values():
            table.keys = [key for key in table.keys if key.kind != "index" or key.name not in gone]
    del located


def _create_as(history: SchemaState, tree: Tree, located: Located) -> None:
    name = history.in_schema(relation_name(tree.into.rel))
    history.tables[name] = TableState(name, Spot(located), complete=False)


def _note_additions(history: SchemaState, table: TableState, foreign_keys: int) -> None:
    """Remember the foreign keys from this number on, with what the targets had at this moment."""
    for key in table.foreign_keys[foreign_keys:]:
        target = history.find(key.target)
        history.additions.append(Addition(table, key, target, tuple(target.keys) if target else ()))


def _rename(history: SchemaState, tree: Tree, _located: Located) -> None:
    what = enum(tree, "rename_type")
    if what == "OBJECT_TABLE":
        schema, old = relation_name(tree.relation)
        for key in [key for key in history.dropped if key.name[1] == old and (not schema or key.name[0] == schema)][
            -1:
        ]:
            history.dropped.remove(key)
            key.name = (key.name[0], tree.newname)
            history.tables[key.name] = key
    elif what == "OBJECT_COLUMN" and (table := history.find(relation_name(tree.relation))):
        tables.rename_column(table, tree.subname, tree.newname)


_READERS: dict[str, Callable[[SchemaState, Tree, Located], None]] = {
    "create_stmt": _create_table,
    "alter_table_stmt": _alter_table,
    "index_stmt": _create_index,
    "rename_stmt": _rename,
    "drop_stmt": _drop_index,
    "create_table_as_stmt": _create_as,
}
