"""The rule on first rows: a second INSERT of them neither fails nor adds them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.lint.rule import Violation, rule, violation
from infra.modules.tree import descendants, relation_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.rule import LintProject
    from infra.lint.source_file import LocatedStatement


@rule("M511", "First rows that cannot be repeated", "warning")
def unrepeatable_insert(project: LintProject) -> Iterator[Violation]:
    """A second INSERT of the same rows adds nothing: it says ON CONFLICT, or reads the table that it fills."""
    temporary = {name[1] for name in project.state.tables if name[0] == "pg_temp"}
    temporary |= {table.name[1] for table in project.state.dropped_tables if table.name[0] == "pg_temp"}
    for statement in project.statements("insert_stmt"):
        table = relation_name(statement.tree.relation)[1]
        if table not in temporary and not _is_repeatable(statement, table):
            remedy = "add ON CONFLICT (…) DO NOTHING, or select the rows WHERE NOT EXISTS"
            yield violation(statement, f"a second run inserts the rows of {table} again", remedy)


def _is_repeatable(statement: LocatedStatement, table: str) -> bool:
    tree = statement.tree
    if tree.HasField("on_conflict_clause"):
        return True
    select = tree.select_stmt.select_stmt
    if select.values_lists and not select.HasField("with_clause"):
        return False
    return any(
        message.DESCRIPTOR.name == "RangeVar" and message.relname == table for message in descendants(tree.select_stmt)
    )
