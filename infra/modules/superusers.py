"""What PostgreSQL leaves to superusers, or to the owner of an extension: the owner role of a database is neither."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from infra.modules.tree import enum_value, node, nodes, options, qualified_name, strings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.modules.tree import Tree

_OF_THE_ADMINISTRATOR = {
    "OBJECT_ACCESS_METHOD": "an access method",
    "OBJECT_DATABASE": "a database",
    "OBJECT_EVENT_TRIGGER": "an event trigger",
    "OBJECT_EXTENSION": "an extension",
    "OBJECT_FDW": "a foreign-data wrapper",
    "OBJECT_LANGUAGE": "a language",
    "OBJECT_ROLE": "a role",
    "OBJECT_TABLESPACE": "a tablespace",
}
_DEFINED = {
    "OBJECT_TSPARSER": "a parser of text search",
    "OBJECT_TSTEMPLATE": "a template of text search",
}
_GRANTED = {
    "OBJECT_FDW": "a foreign-data wrapper",
    "OBJECT_LANGUAGE": "a language",
    "OBJECT_PARAMETER_ACL": "a parameter",
    "OBJECT_TABLESPACE": "a tablespace",
}
_UNTRUSTED = re.compile("c|internal|pl.*u")
_TRIGGERS = frozenset({"AT_EnableTrigAll", "AT_DisableTrigAll"})
_SYSTEM = frozenset({"pg_catalog", "information_schema"})
_BY_HAND = "run it by hand as a superuser, or remove it"
_DECLARE = "remove it: the stack creates extensions as its administrator"


def _comment(tree: Tree) -> Iterator[tuple[str, str]]:
    described = _OF_THE_ADMINISTRATOR.get(enum_value(tree, "objtype"))
    if described:
        yield f"comments on {described}", _DECLARE if "extension" in described else _BY_HAND


def _function(tree: Tree) -> Iterator[tuple[str, str]]:
    found = options(tree.options if tree.DESCRIPTOR.name == "CreateFunctionStmt" else tree.actions)
    language = str(found["language"].string.sval).lower() if "language" in found else ""
    if _UNTRUSTED.fullmatch(language):
        written = "C" if language == "c" else language
        yield f"creates a function in {written}", "create the extension that has it"
    if "leakproof" in found and found["leakproof"].boolean.boolval:
        yield "declares a function as LEAKPROOF", _BY_HAND
    if "support" in found:
        yield "gives a function a support function", _BY_HAND


def _publication(tree: Tree) -> Iterator[tuple[str, str]]:
    kinds = {enum_value(spec, "pubobjtype") for spec in nodes(tree.pubobjects, "publication_obj_spec")}
    if tree.for_all_tables:
        yield "publishes all tables", "name the tables"
    elif any("TABLES_IN" in kind for kind in kinds):
        yield "publishes all tables of a schema", "name the tables"


def _definition(tree: Tree) -> Iterator[tuple[str, str]]:
    kind = enum_value(tree, "kind")
    if kind == "OBJECT_TYPE":  # without a definition a shell, which the definition follows
        yield "creates a base type", "create the extension that has it"
    elif kind in _DEFINED:
        yield f"creates {_DEFINED[kind]}", "create the extension that has it"


def _cast(tree: Tree) -> Iterator[tuple[str, str]]:
    if not tree.HasField("func") and not tree.inout:
        yield "creates a cast WITHOUT FUNCTION", _BY_HAND


def _triggers(tree: Tree) -> Iterator[tuple[str, str]]:
    if any(enum_value(command, "subtype") in _TRIGGERS for command in nodes(tree.cmds, "alter_table_cmd")):
        yield "turns the triggers of foreign keys on or off", "remove it, or write TRIGGER USER"


def _grant(tree: Tree) -> Iterator[tuple[str, str]]:
    granted = _GRANTED.get(enum_value(tree, "objtype"))
    if granted:
        yield f"changes privileges on {granted}", _BY_HAND
        return
    for kind, content in map(node, tree.objects):
        schema = content.schemaname if kind == "range_var" else ""
        if kind == "object_with_args":
            schema = qualified_name(strings(content.objname))[0]
        if schema in _SYSTEM:
            yield f"changes privileges on an object of {schema}", _BY_HAND
            return


def _schema_change(tree: Tree) -> Iterator[tuple[str, str]]:
    if enum_value(tree, "object_type") == "OBJECT_EXTENSION":
        yield "changes an extension", _DECLARE


def _always(what: str, remedy: str) -> Callable[[Tree], Iterator[tuple[str, str]]]:
    return lambda _tree: iter([(what, remedy)])


SUPERUSERS: dict[str, Callable[[Tree], Iterator[tuple[str, str]]]] = {
    "comment_stmt": _comment,
    "create_function_stmt": _function,
    "alter_function_stmt": _function,
    "create_publication_stmt": _publication,
    "alter_publication_stmt": _publication,
    "define_stmt": _definition,
    "create_cast_stmt": _cast,
    "alter_table_stmt": _triggers,
    "grant_stmt": _grant,
    "alter_object_schema_stmt": _schema_change,
    "alter_extension_stmt": _always("changes an extension", _DECLARE),
    "alter_extension_contents_stmt": _always("changes an extension", _DECLARE),
    "create_event_trig_stmt": _always("creates an event trigger", _BY_HAND),
    "alter_event_trig_stmt": _always("changes an event trigger", _BY_HAND),
    "create_fdw_stmt": _always("creates a foreign-data wrapper", "create the extension that has it"),
    "alter_fdw_stmt": _always("changes a foreign-data wrapper", _BY_HAND),
    "create_foreign_server_stmt": _always("creates a foreign server", "let a superuser grant USAGE on its wrapper"),
    "create_transform_stmt": _always("creates a transform", "create the extension that has it"),
    "create_plang_stmt": _always("creates a language", "create the extension that has it"),
    "create_am_stmt": _always("creates an access method", "create the extension that has it"),
    "create_op_class_stmt": _always("creates an operator class", _BY_HAND),
    "create_op_family_stmt": _always("creates an operator family", _BY_HAND),
    "alter_table_space_options_stmt": _always("changes a tablespace", _BY_HAND),
    "load_stmt": _always("loads a library", "write `server.settings` of the stack, or remove it"),
}
"""By the parser's kinds of statements: what each of such a kind does that is a superuser's, and what to do instead."""
