"""Rules on what only another role may do: modules run as the owner role of their database, which is no superuser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.lint.rule import Violation, statement_rule, violation
from infra.modules.tree import enum_value, nodes, options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.lint.source_file import LocatedStatement
    from infra.modules.tree import Tree

_WITH_OWNERS = ("alter_table_stmt", "alter_owner_stmt", "create_schema_stmt", "alter_default_privileges_stmt")
_OF_THE_ADMINISTRATOR = frozenset({"OBJECT_EXTENSION", "OBJECT_LANGUAGE"})
_UNTRUSTED = frozenset({"c", "internal"})
_BY_HAND = "run it by hand as a superuser, or remove it"
_DECLARE = "remove it: the stack creates extensions as its administrator"


@statement_rule(
    "M415",
    "Another owner",
    "alter_table_stmt",
    "alter_owner_stmt",
    "create_schema_stmt",
    "alter_default_privileges_stmt",
)
def another_owner(statement: LocatedStatement) -> Iterator[Violation]:
    """What a module creates belongs to the owner role of its database, which may not give it to another role."""
    for role in _owners(statement.kind, statement.tree):
        if enum_value(role, "roletype") == "ROLESPEC_CSTRING":
            message = f"names {role.rolename} as an owner; what a module creates is the owner role's of its database"
            yield violation(statement, message, "remove it", location=role.location)


def _owners(kind: str, tree: Tree) -> Iterator[Tree]:
    if kind == "alter_table_stmt":
        yield from (command.newowner for command in nodes(tree.cmds, "alter_table_cmd") if command.HasField("newowner"))
    elif kind == "alter_owner_stmt":
        yield tree.newowner
    elif kind == "create_schema_stmt":
        yield from [tree.authrole] if tree.HasField("authrole") else []
    elif roles := options(tree.options).get("roles"):
        yield from nodes(roles.list.items, "role_spec")


def _language(tree: Tree) -> str:
    language = options(tree.options).get("language")
    return str(language.string.sval).lower() if language is not None else ""


_SUPERUSERS: dict[str, tuple[Callable[[Any], bool], str, str]] = {
    "comment_stmt": (
        lambda tree: enum_value(tree, "objtype") in _OF_THE_ADMINISTRATOR,
        "comments on an extension or a language",
        _DECLARE,
    ),
    "alter_extension_stmt": (lambda _: True, "changes an extension", _DECLARE),
    "alter_extension_contents_stmt": (lambda _: True, "changes an extension", _DECLARE),
    "alter_object_schema_stmt": (
        lambda tree: enum_value(tree, "object_type") == "OBJECT_EXTENSION",
        "changes an extension",
        _DECLARE,
    ),
    "create_publication_stmt": (lambda tree: tree.for_all_tables, "publishes all tables", "name the tables"),
    "create_event_trig_stmt": (lambda _: True, "creates an event trigger", _BY_HAND),
    "create_fdw_stmt": (lambda _: True, "creates a foreign-data wrapper", "create the extension that has it"),
    "create_am_stmt": (lambda _: True, "creates an access method", "create the extension that has it"),
    "create_op_class_stmt": (lambda _: True, "creates an operator class", _BY_HAND),
    "create_op_family_stmt": (lambda _: True, "creates an operator family", _BY_HAND),
    "define_stmt": (
        lambda tree: enum_value(tree, "kind") == "OBJECT_TYPE" and bool(tree.definition),
        "creates a base type",
        "create the extension that has it",
    ),
    "create_function_stmt": (
        lambda tree: _language(tree) in _UNTRUSTED,
        "creates a function in C",
        "create the extension that has it",
    ),
}
"""Statements that PostgreSQL leaves to superusers, or to the owner of an extension, by the parser's kinds."""


@statement_rule("M416", "Rights of an administrator", *_SUPERUSERS, severity="warning")
def needs_superuser(statement: LocatedStatement) -> Iterator[Violation]:
    """A module runs as the owner role of its database, which PostgreSQL refuses what is a superuser's."""
    applies, what, remedy = _SUPERUSERS[statement.kind]
    if applies(statement.tree):
        yield violation(statement, f"{what}, which the owner role of a database may not", remedy)
