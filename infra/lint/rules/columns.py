"""The rule on columns: what a statement names is a column of the table."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from infra.lint.rule import Hit, at_spot, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.rule import LintProject


@rule("M205", "A column that the table does not have")
def missing(project: LintProject) -> Iterator[Hit]:
    """Keys, indexes, foreign keys, comments and first rows name columns that the table has."""
    for one in project.history.missing_columns:
        near = difflib.get_close_matches(one.column, one.table.columns, n=1)
        remedy = f"did you mean {near[0]}?" if near else "name one of its columns, or add this one"
        others = (one.table.spot.place("is the table"),)
        yield at_spot(one.spot, f"{one.table} has no column {one.column}", remedy, others=others)
