"""Rules on a module's transaction and session: what cannot run in them, and what would change them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.lint.rule import Violation, rule, statement_rule, violation
from infra.lint.rules.server import ROLE_VARIABLES
from infra.modules.directive import runs_by_statement
from infra.modules.restrictions import restriction_for
from infra.modules.tree import constant, enum_value, nodes, qualified_name, strings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.rule import LintProject
    from infra.lint.source_file import LocatedStatement

# Statements with a restriction that another rule reports: M411, M401, M403 and M402.
REPORTED_BY_OTHER_RULES = frozenset({"transaction_stmt", "alter_system_stmt", "copy_stmt", "variable_set_stmt"})
ALLOWED_SETTINGS = frozenset({"search_path"})  # read by the module's own statements, which is what it is set for


@rule("M410", "What cannot run in a transaction")
def outside_transaction(project: LintProject) -> Iterator[Violation]:
    """A module is one transaction; what cannot run in one needs a module that says so in its first lines."""
    for file in project.files:
        by_statement = runs_by_statement(file.text)
        for statement in file.statements:
            if statement.kind in REPORTED_BY_OTHER_RULES:
                continue
            restriction = restriction_for(statement, by_statement=by_statement)
            if restriction:
                yield violation(statement, restriction.what, restriction.remedy)


@statement_rule("M411", "Transaction control", "transaction_stmt")
def transaction_control(statement: LocatedStatement) -> Iterator[Violation]:
    """A module is one transaction already; after a COMMIT in it, a failure would leave half of the module applied."""
    yield violation(statement, "controls the transaction", "remove it: a module is one transaction already")


@statement_rule("M413", "Settings of the session", "variable_set_stmt", "select_stmt", severity="warning")
def session_setting(statement: LocatedStatement) -> Iterator[Violation]:
    """SET ends with the session: it has no lasting effect, and it changes the later statements of the module."""
    tree = statement.tree
    if statement.kind == "select_stmt":
        for target in nodes(tree.target_list, "res_target"):
            call = target.val.func_call
            if qualified_name(strings(call.funcname))[1] == "set_config" and call.args:
                setting = constant(call.args[0]) or "a setting"
                if setting not in ALLOWED_SETTINGS:
                    message = f"{setting} is set for this session only"
                    yield violation(statement, message, "set it in the stack's settings")
        return
    sets_value = enum_value(tree, "kind") in {"VAR_SET_VALUE", "VAR_SET_CURRENT", "VAR_SET_DEFAULT"}
    if sets_value and not tree.is_local and tree.name.lower() not in ROLE_VARIABLES | ALLOWED_SETTINGS:
        remedy = "write SET LOCAL where this module needs it, else set it in the stack's settings"
        yield violation(statement, f"{tree.name} is set for this session only", remedy)
