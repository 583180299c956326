"""Rules on what only another role may do: modules run as the owner role of their database, which is no superuser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.lint.rule import Violation, statement_rule, violation
from infra.modules.superusers import SUPERUSERS
from infra.modules.tree import enum_value, nodes, options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.source_file import LocatedStatement
    from infra.modules.tree import Tree


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


@statement_rule("M416", "Rights of an administrator", *SUPERUSERS, severity="warning")
def needs_superuser(statement: LocatedStatement) -> Iterator[Violation]:
    """A module runs as the owner role of its database, which PostgreSQL refuses what is a superuser's."""
    for what, remedy in SUPERUSERS[statement.kind](statement.tree):
        yield violation(statement, f"{what}, which the owner role of a database may not", remedy)
