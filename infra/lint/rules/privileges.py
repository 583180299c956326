"""Rules on privileges: what every role may do, and functions that run with their owner's rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.lint.rule import Violation, rule, statement_rule, violation
from infra.modules.tree import enum_value, node, nodes, qualified_name, readable_name, strings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.rule import LintProject
    from infra.lint.source_file import LocatedStatement
    from infra.modules.tree import Tree


@statement_rule("M404", "GRANT to PUBLIC", "grant_stmt", "alter_default_privileges_stmt")
def grant_to_public(statement: LocatedStatement) -> Iterator[Violation]:
    """What PUBLIC may do, every role may do, also those that are created later."""
    tree = statement.tree.action if statement.kind == "alter_default_privileges_stmt" else statement.tree
    grantees = nodes(tree.grantees, "role_spec")
    if tree.is_grant and any(enum_value(grantee, "roletype") == "ROLESPEC_PUBLIC" for grantee in grantees):
        yield violation(statement, "grants to PUBLIC, which is every role", "name the role that needs it")


@rule("M408", "SECURITY DEFINER without search_path")
def definer_without_search_path(project: LintProject) -> Iterator[Violation]:
    """A function with its owner's rights finds what its caller's search_path names, unless it sets its own."""
    altered = {
        qualified_name(strings(statement.tree.func.objname))
        for statement in project.statements("alter_function_stmt")
        if any(_sets_search_path(action.arg) for action in nodes(statement.tree.actions, "def_elem"))
    }
    for statement in project.statements("create_function_stmt"):
        name = qualified_name(strings(statement.tree.funcname))
        function_options = list(nodes(statement.tree.options, "def_elem"))
        is_definer = any(option.defname == "security" and option.arg.boolean.boolval for option in function_options)
        sets_search_path = any(_sets_search_path(option.arg) for option in function_options)
        if is_definer and not sets_search_path and name not in altered:
            message = f"{readable_name(name)} runs with its owner's rights and its caller's search_path"
            remedy = "add SET search_path = pg_catalog, public, or SECURITY INVOKER"
            yield violation(statement, message, remedy)


def _sets_search_path(wrapper: Tree) -> bool:
    kind, content = node(wrapper)
    return kind == "variable_set_stmt" and content.name.lower() == "search_path"
