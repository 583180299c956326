"""The lines of what a plan does in a database: its revisions, its modules' steps, and what goes with removed files."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from infra.catalog.changes import created_objects, is_structure
from infra.catalog.difference import Difference
from infra.modules.decision import Step
from infra.plan.commits import BY_STATEMENT, STAYS
from infra.plan.folding import explained_findings, fold_changes
from infra.plan.refusal import LEGEND

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.plan.plan import Plan, PlannedRevision, PlannedStep


def revision_lines(revision: PlannedRevision) -> Iterable[str]:
    """Yield what a revision does, in lines: its SQL, its locks, and its hazards."""
    yield f"{revision.title}:"
    yield from (f"  {line}" for line in revision.lines)
    if revision.by_statement:
        yield f"  {BY_STATEMENT}: {STAYS}"
    yield from (f"  {line}" for line in revision.hazards)


def step_lines(plan: Plan) -> Iterable[str]:
    """Yield the lines of a plan's steps, and of the commit between them."""
    names = [step.module for step in plan.steps]
    after = names[names.index(plan.commit.before) :] if plan.commit else []
    for is_after, part in groupby(plan.steps, key=lambda step: step.module in after):
        if plan.commit and is_after:
            yield f"  {plan.commit}"
        for (step, why), steps in groupby(part, key=lambda step: (step.step, step.why)):
            yield from _lines_of(step, why, list(steps), stays="" if plan.commit else f": {STAYS}")


def dropped_lines(plan: Plan, removed: PlannedStep) -> list[str]:
    """Return a line for each object that goes with a module's file, without its definition."""
    if removed.step is not Step.DROP or not removed.row:
        return []
    objects = created_objects(removed.row.effect)
    gone = [Difference(identity, "", None) for identity in objects if is_structure(identity)]
    rows = removed.row.rows_outside(plan.tables_dropped())
    return [*fold_changes(gone), *([f"the rows that it inserted elsewhere stay: {rows}"] if rows else [])]


def _lines_of(step: Step, why: str, steps: list[PlannedStep], stays: str) -> list[str]:
    """Return the lines of consecutive modules with which the same is done for the same reason.

    `stays` says what a failure leaves of one that commits after each statement.
    """
    shown = [planned for planned in steps if step is not Step.UNCHANGED or planned.renamed_from]
    if not shown:
        return []
    names = _span([planned.module for planned in shown])
    lines = [f"  {step.value} {names}: {why}"]
    for planned in shown:
        if planned.commits:
            at = ", ".join(map(str, planned.commits))
            lines.append(f"    {planned.module} {BY_STATEMENT} (lines {at}){stays}")
        if planned.renamed_from:
            lines.append(f"    {planned.renamed_from} is {planned.module} now")
        lines += [f"    {line}" for line in (*planned.hazards, *fold_changes(planned.differences))]
        if planned.drift and step is not Step.REFUSE:
            lines.append("    changed by somebody in the database:")
            lines += [f"      {line}" for line in explained_findings(planned.drift, LEGEND)]
    return lines


def _span(modules: list[str]) -> str:
    """Return modules' names, those in the middle of a long list left out."""
    return ", ".join(modules) if len(modules) < 3 else f"{modules[0]} to {modules[-1]}"  # noqa: PLR2004
