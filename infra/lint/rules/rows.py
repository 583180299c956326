"""The rule on first rows: they can be inserted again without doubling or failing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.lint.rule import Hit, at, rule
from infra.lint.tree import inside, relation_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.rule import LintProject
    from infra.lint.source import Located


@rule("M511", "First rows that cannot be repeated", "warning")
def not_repeatable(project: LintProject) -> Iterator[Hit]:
    """A second INSERT of the same rows adds nothing: it says ON CONFLICT, or looks at the table it fills."""
    temporary = {name[1] for name in project.history.tables if name[0] == "pg_temp"}
    temporary |= {table.name[1] for table in project.history.dropped if table.name[0] == "pg_temp"}
    for located in project.statements("insert_stmt"):
        name = relation_name(located.tree.relation)
        if name[1] not in temporary and not _is_repeatable(located, name[1]):
            remedy = "add ON CONFLICT (…) DO NOTHING, or select the rows WHERE NOT EXISTS"
            yield at(located, f"a second run inserts the rows of {name[1]} again", remedy)


def _is_repeatable(located: Located, table: str) -> bool:
    tree = located.tree
    if tree.HasField("on_conflict_clause"):
        return True
    select = tree.select_stmt.select_stmt
    if select.values_lists and not select.HasField("with_clause"):
        return False
    looked_at = (one for one in inside(tree.select_stmt) if one.DESCRIPTOR.name == "RangeVar")
    return any(one.relname == table for one in looked_at)
