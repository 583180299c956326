"""Simulation of the statements of all files in their order: the objects that exist at each, and what each lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.lint.builtins import SYSTEM_SCHEMAS
from infra.lint.drops import dropped_objects, renamed_object
from infra.lint.missing_columns import missing_columns
from infra.lint.schema import TableState
from infra.lint.schema_state import AddedForeignKey, DuplicateCreation, MissingReference, SchemaState
from infra.lint.source_file import Origin
from infra.lint.table_changes import alter_table, rename_column
from infra.lint.table_definitions import read_index, read_table
from infra.modules.creations import creations
from infra.modules.reference_walk import NameReference
from infra.modules.references import references
from infra.modules.tree import enum_value, node, nodes, relation_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from infra.lint.builtins import Builtins
    from infra.lint.schema_state import NamedObject
    from infra.lint.source_file import LocatedStatement, SourceFile
    from infra.modules.tree import Name, Tree


def simulate(files: Sequence[SourceFile], builtins: Builtins, *, external: frozenset[str] = frozenset()) -> SchemaState:
    """Return the state after all statements of all files, starting from the builtin and the external objects."""
    state = SchemaState(builtins, external)
    for file in files:
        state.current_schema = "public"  # each module is applied in a session of its own
        for statement in file.statements:
            state.numbers[statement] = len(state.numbers)
            _record_missing_references(state, statement)
            _apply_objects(state, statement.kind, statement.tree, statement)
            _apply_tables(state, statement.kind, statement.tree, statement)
            state.missing_columns += missing_columns(state, statement)
    return state


def _record_missing_references(state: SchemaState, statement: LocatedStatement) -> None:
    """Record what a statement refers to that does not exist yet, once for each name."""
    own = {(creation.kind, creation.name[1]) for creation in statement.creations}
    if statement.kind == "create_schema_stmt":
        for element in statement.tree.schema_elts:
            own |= {(creation.kind, creation.name[1]) for creation in creations(*node(element))}
    checked: set[tuple[str, Name]] = set()
    for reference in _references_with_schemas(statement):
        key = (reference.kind, reference.name)
        if key in checked or (reference.kind, reference.name[1]) in own or not reference.name[1]:
            continue
        checked.add(key)
        if not state.exists(*key):
            state.missing_references.append(MissingReference(reference, Origin(statement, reference.location)))


def _references_with_schemas(statement: LocatedStatement) -> Iterator[NameReference]:
    """Yield what a statement refers to, and the schemas in which it creates objects."""
    yield from references(statement.kind, statement.tree)
    for creation in statement.creations:
        schema = creation.name[0]
        if schema and schema not in SYSTEM_SCHEMAS and schema != "public" and statement.kind != "do_stmt":
            yield NameReference("schema", ("", schema), creation.location)


def _apply_objects(state: SchemaState, kind: str, tree: Tree, statement: LocatedStatement) -> None:
    """Apply what a statement, or an element of CREATE SCHEMA, creates, drops and renames, and its search_path."""
    for creation in statement.creations if tree is statement.tree else creations(kind, tree):
        in_no_schema = creation.kind in {"schema", "extension"}
        key = (creation.kind, creation.name if in_no_schema else state.qualified(creation.name))
        origin = Origin(statement, creation.location)
        if key in state.existing and not creation.may_exist:
            state.duplicate_creations.append(DuplicateCreation(creation, origin, state.existing[key]))
        _add(state, key, origin)
        if creation.kind == "extension":
            state.extensions.setdefault(creation.name[1], origin)
            state.has_unknown_extension |= creation.name[1] not in state.builtins.extensions
    for object_kind, name in dropped_objects(kind, tree):
        schema = "" if object_kind in {"schema", "extension"} else name[0] or state.current_schema
        _remove(state, (object_kind, (schema, name[1])), Origin(statement))
    renamed = renamed_object(kind, tree)
    if renamed:
        object_kind, old, new = renamed
        _remove(state, (object_kind, state.qualified(old)), Origin(statement))
        _add(state, (object_kind, state.qualified(new)), Origin(statement))
    if kind == "create_schema_stmt":
        outer_schema, state.current_schema = state.current_schema, tree.schemaname or state.current_schema
        for element in tree.schema_elts:
            _apply_objects(state, *node(element), statement)
            _apply_tables(state, *node(element), statement)
        state.current_schema = outer_schema
    if kind == "variable_set_stmt" and tree.name == "search_path" and tree.args:
        state.current_schema = next(iter(_search_path(tree)), "") or "public"


def _search_path(tree: Tree) -> Iterable[str]:
    for argument in nodes(tree.args, "a_const"):
        if argument.sval.sval not in {"$user", "pg_catalog", ""}:
            yield argument.sval.sval


def _add(state: SchemaState, key: NamedObject, origin: Origin) -> None:
    kind, (_, name) = key
    if key not in state.existing:
        state.schema_counts[kind, name] = state.schema_counts.get((kind, name), 0) + 1
    state.existing.setdefault(key, origin)
    state.first_created.setdefault(key, origin)
    state.dropped.pop(key, None)


def _remove(state: SchemaState, key: NamedObject, origin: Origin) -> None:
    kind, name = key
    if state.existing.pop(key, None):
        state.schema_counts[kind, name[1]] -= 1
        state.dropped[key] = origin
    if kind == "relation" and (table := state.tables.pop(name, None)):
        state.dropped_tables.append(table)


def _apply_tables(state: SchemaState, kind: str, tree: Tree, statement: LocatedStatement) -> None:
    """Apply what a statement, or an element of CREATE SCHEMA, changes in the model's tables."""
    apply = _TABLE_STATEMENTS.get(kind)
    if apply:
        apply(state, tree, statement)


def _create_table(state: SchemaState, tree: Tree, statement: LocatedStatement) -> None:
    name = state.qualified(relation_name(tree.relation))
    if name not in state.tables or not tree.if_not_exists:
        state.tables[name] = table = read_table(tree, statement, name)
        _record_foreign_keys(state, table, 0)


def _alter_table(state: SchemaState, tree: Tree, statement: LocatedStatement) -> None:
    table = state.find_table(relation_name(tree.relation))
    if not table:
        return
    existing = len(table.foreign_keys)
    commands = list(nodes(tree.cmds, "alter_table_cmd"))
    alter_table(table, commands, statement)
    if all(enum_value(command, "subtype") in {"AT_AddColumn", "AT_AddConstraint"} for command in commands):
        _record_foreign_keys(state, table, existing)


def _create_index(state: SchemaState, tree: Tree, statement: LocatedStatement) -> None:
    table = state.find_table(relation_name(tree.relation))
    if table:
        index = read_index(tree, statement)
        if not (tree.if_not_exists and any(key.name == index.name for key in table.keys)):
            table.keys.append(index)


def _drop_index(state: SchemaState, tree: Tree, _statement: LocatedStatement) -> None:
    if enum_value(tree, "remove_type") == "OBJECT_INDEX":
        dropped = {name[1] for _, name in dropped_objects("drop_stmt", tree)}
        for table in state.tables.values():
            table.keys = [key for key in table.keys if key.kind != "index" or key.name not in dropped]


def _create_table_as(state: SchemaState, tree: Tree, statement: LocatedStatement) -> None:
    name = state.qualified(relation_name(tree.into.rel))
    state.tables[name] = TableState(name, Origin(statement), complete=False)


def _record_foreign_keys(state: SchemaState, table: TableState, first: int) -> None:
    """Record the foreign keys of a table from this number on, with the keys that their targets have now."""
    for key in table.foreign_keys[first:]:
        target = state.find_table(key.target)
        state.added_foreign_keys.append(AddedForeignKey(table, key, target, tuple(target.keys) if target else ()))


def _rename(state: SchemaState, tree: Tree, _statement: LocatedStatement) -> None:
    parser_type = enum_value(tree, "rename_type")
    if parser_type == "OBJECT_TABLE":
        _rename_table(state, relation_name(tree.relation), tree.newname)
    elif parser_type == "OBJECT_COLUMN" and (table := state.find_table(relation_name(tree.relation))):
        rename_column(table, tree.subname, tree.newname)


def _rename_table(state: SchemaState, name: Name, new: str) -> None:
    """Restore under its new name the table that `_apply_objects` has dropped under the old one."""
    schema, bare = name
    for table in reversed(state.dropped_tables):
        if table.name[1] == bare and (not schema or table.name[0] == schema):
            state.dropped_tables.remove(table)
            table.name = (table.name[0], new)
            state.tables[table.name] = table
            return


_TABLE_STATEMENTS: dict[str, Callable[[SchemaState, Tree, LocatedStatement], None]] = {
    "create_stmt": _create_table,
    "alter_table_stmt": _alter_table,
    "index_stmt": _create_index,
    "rename_stmt": _rename,
    "drop_stmt": _drop_index,
    "create_table_as_stmt": _create_table_as,
}
