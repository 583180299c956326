"""Names that a statement refers to: relations, types, functions, schemas, access methods, roles, tablespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.errors import ModuleError
from infra.modules.reference_walk import NameReference, references_in
from infra.modules.statements import parse
from infra.modules.tree import children, descendants, enum_value, node, nodes, options, qualified_name, strings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.modules.statements import Statement
    from infra.modules.tree import Tree

RELATION_TYPES = frozenset(
    {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_INDEX", "OBJECT_FOREIGN_TABLE"}
)
CREATED_NAME_FIELDS = {  # the field with the name of what the statement creates, which is no reference
    "create_stmt": "relation",
    "view_stmt": "view",
    "create_seq_stmt": "sequence",
    "composite_type_stmt": "typevar",
}
WITH_IF_EXISTS = frozenset({"drop_stmt", "alter_table_stmt", "rename_stmt"})
READ_BY_FIELD = frozenset({"create_schema_stmt", "comment_stmt", "drop_stmt", "create_foreign_table_stmt"})
"""Statements of which only their readers below yield references: a walk would take other names for references."""
NOT_READ = frozenset({"define_stmt", "do_stmt", "variable_set_stmt", "create_range_stmt"})
TYPES_ON_RELATIONS = frozenset(
    {"OBJECT_COLUMN", "OBJECT_TABCONSTRAINT", "OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE"}
)


def references(kind: str, tree: Tree) -> Iterator[NameReference]:
    """Yield what a statement refers to, except what it creates itself and what IF EXISTS allows to be missing."""
    if kind in NOT_READ or (kind in WITH_IF_EXISTS and tree.missing_ok):
        return
    read = _READERS.get(kind)
    if read:
        yield from read(tree)
    if kind in READ_BY_FIELD:
        return
    if kind in CREATED_NAME_FIELDS:
        for child in children(tree, without=CREATED_NAME_FIELDS[kind]):
            yield from references_in(child)
    else:
        yield from references_in(tree)


def sql_body(tree: Tree) -> list[Statement]:
    """Return the statements of a function whose body is a string of SQL; [] where it cannot be parsed."""
    function_options = options(tree.options)
    if "language" not in function_options or function_options["language"].string.sval.lower() != "sql":
        return []
    bodies = strings(function_options["as"].list.items) if "as" in function_options else []
    try:
        return [statement for body in bodies for statement in parse(body, "")]
    except ModuleError:
        return []


def _in_sql_body(tree: Tree) -> Iterator[NameReference]:
    """Yield the references in a body in SQL: CREATE FUNCTION checks it (check_function_bodies)."""
    for statement in sql_body(tree):
        for reference in references(statement.kind, statement.tree):
            yield NameReference(reference.kind, reference.name)  # its location is one in the body


def _sequence_owner(tree: Tree) -> Iterator[NameReference]:
    owner = options(tree.options).get("owned_by")
    if owner is not None and owner.HasField("list"):
        parts = strings(owner.list.items)
        if len(parts) > 1:
            yield NameReference("relation", qualified_name(parts[:-1]))


def _comment(tree: Tree) -> Iterator[NameReference]:
    parser_type = enum_value(tree, "objtype")
    form, content = node(tree.object)
    parts = strings(content.items) if form == "list" else []
    if parser_type in RELATION_TYPES:
        yield NameReference("relation", qualified_name(parts))
    elif parser_type in TYPES_ON_RELATIONS and len(parts) > 1:
        yield NameReference("relation", qualified_name(parts[:-1]))
    elif parser_type in {"OBJECT_TYPE", "OBJECT_DOMAIN"} and form == "type_name":
        yield NameReference("type", qualified_name(strings(content.names)))
    elif parser_type in {"OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_AGGREGATE"}:
        yield NameReference("function", qualified_name(strings(content.objname)))
    elif parser_type == "OBJECT_SCHEMA" and form == "string":
        yield NameReference("schema", ("", content.sval))


def _drop(tree: Tree) -> Iterator[NameReference]:
    parser_type = enum_value(tree, "remove_type")
    for wrapper in tree.objects:
        form, content = node(wrapper)
        if form == "list" and parser_type in RELATION_TYPES:
            yield NameReference("relation", qualified_name(strings(content.items)))
        elif form == "list" and parser_type in TYPES_ON_RELATIONS:
            yield NameReference("relation", qualified_name(strings(content.items)[:-1]))
        elif form == "type_name":
            yield NameReference("type", qualified_name(strings(content.names)))
        elif form == "object_with_args" and parser_type in {"OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE"}:
            yield NameReference("function", qualified_name(strings(content.objname)))


def _schema_elements(tree: Tree) -> Iterator[NameReference]:
    for element in tree.schema_elts:
        yield from references(*node(element))


def _granted(tree: Tree) -> Iterator[NameReference]:
    if enum_value(tree, "objtype") == "OBJECT_SCHEMA":
        for name in strings(tree.objects):
            yield NameReference("schema", ("", name))
    yield from _roles(tree)


def _roles(tree: Tree) -> Iterator[NameReference]:
    """Yield the roles that a statement names, but no CURRENT_USER and no PUBLIC."""
    for message in descendants(tree):
        if message.DESCRIPTOR.name == "RoleSpec" and enum_value(message, "roletype") == "ROLESPEC_CSTRING":
            yield NameReference("role", ("", message.rolename), message.location)


def _trigger_function(tree: Tree) -> Iterator[NameReference]:
    yield NameReference("function", qualified_name(strings(tree.funcname)))


def _table(tree: Tree) -> Iterator[NameReference]:
    yield from _storage(tree.access_method, tree.tablespacename)
    for constraint in nodes(tree.table_elts, "constraint"):
        yield from _storage("", constraint.indexspace)


def _altered_table(tree: Tree) -> Iterator[NameReference]:
    for command in nodes(tree.cmds, "alter_table_cmd"):
        subtype = enum_value(command, "subtype")
        if subtype == "AT_AddConstraint":
            yield from _storage("", getattr(command, "def").constraint.indexspace)
        elif subtype in _STORAGE_COMMANDS:
            yield NameReference(_STORAGE_COMMANDS[subtype], ("", command.name))


def _storage(access_method: str, tablespace: str) -> Iterator[NameReference]:
    if access_method:
        yield NameReference("method", ("", access_method))
    if tablespace:
        yield NameReference("tablespace", ("", tablespace))


_STORAGE_COMMANDS = {"AT_SetAccessMethod": "method", "AT_SetTableSpace": "tablespace"}


_READERS: dict[str, Callable[[Tree], Iterator[NameReference]]] = {
    "create_schema_stmt": _schema_elements,
    "comment_stmt": _comment,
    "drop_stmt": _drop,
    "create_trig_stmt": _trigger_function,
    "create_event_trig_stmt": _trigger_function,
    "create_stmt": _table,
    "alter_table_stmt": _altered_table,
    "create_table_as_stmt": lambda tree: _storage(tree.into.access_method, tree.into.table_space_name),
    "create_policy_stmt": _roles,
    "alter_policy_stmt": _roles,
    "create_user_mapping_stmt": _roles,
    "alter_default_privileges_stmt": lambda tree: _roles(tree.action),
    "create_foreign_table_stmt": lambda tree: references("create_stmt", tree.base_stmt),
    "create_function_stmt": _in_sql_body,
    "create_seq_stmt": _sequence_owner,
    "alter_seq_stmt": _sequence_owner,
    "grant_stmt": _granted,
    "index_stmt": lambda tree: _storage(tree.access_method, tree.table_space),
}
