"""Rules on statements that have no effect on new objects, or hide that an object is not new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.lint.rule import Violation, rule, statement_rule, violation
from infra.modules.tree import enum_value, nodes, relation_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.rule import LintProject
    from infra.lint.source_file import LocatedStatement


@rule("M512", "Work on what was just created", "warning")
def superfluous_work(project: LintProject) -> Iterator[Violation]:
    """ANALYZE of tables without rows does nothing, and constraints of new tables are valid already."""
    for statement in project.statements("vacuum_stmt"):
        if statement.tree.is_vacuumcmd:
            continue
        names = [relation_name(relation.relation) for relation in nodes(statement.tree.rels, "vacuum_relation")]
        if not names or any(project.state.find_table(name) for name in names):
            remedy = "remove it: autovacuum does it when there are rows"
            yield violation(statement, "ANALYZE of tables that were just created", remedy)
    for statement in project.statements("alter_table_stmt"):
        table = project.state.find_table(relation_name(statement.tree.relation))
        for command in nodes(statement.tree.cmds, "alter_table_cmd"):
            if table and enum_value(command, "subtype") == "AT_ValidateConstraint":
                message = f"VALIDATE CONSTRAINT {command.name} of a table that was just created"
                yield violation(statement, message, "remove it, and NOT VALID where the constraint was added")


@statement_rule(
    "M513",
    "IF NOT EXISTS",
    "create_stmt",
    "create_foreign_table_stmt",
    "create_table_as_stmt",
    "index_stmt",
    "create_seq_stmt",
    "alter_table_stmt",
    severity="warning",
)
def if_not_exists(statement: LocatedStatement) -> Iterator[Violation]:
    """IF NOT EXISTS accepts any object of that name, also one that is different, and does not report it."""
    tree = statement.tree.base_stmt if statement.kind == "create_foreign_table_stmt" else statement.tree
    message = "IF NOT EXISTS accepts whatever has that name"
    remedy = "leave it out: a module is applied once, or not at all"
    if statement.kind == "alter_table_stmt":
        for command in nodes(tree.cmds, "alter_table_cmd"):
            if command.missing_ok and enum_value(command, "subtype") == "AT_AddColumn":
                yield violation(statement, message, remedy)
    elif tree.if_not_exists:
        yield violation(statement, message, remedy)
