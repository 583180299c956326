"""The rule on columns: a column that a statement names exists."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from infra.lint.rule import Violation, rule, violation_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.rule import LintProject


@rule("M205", "A column that the table does not have")
def missing_column(project: LintProject) -> Iterator[Violation]:
    """Keys, indexes, foreign keys, comments and first rows name columns that the table has."""
    for missing in project.state.missing_columns:
        similar = difflib.get_close_matches(missing.column, missing.table.columns, n=1)
        remedy = f"did you mean {similar[0]}?" if similar else "name one of its columns, or add this one"
        others = (missing.table.origin.place("is the table"),)
        yield violation_at(missing.origin, f"{missing.table} has no column {missing.column}", remedy, others=others)
