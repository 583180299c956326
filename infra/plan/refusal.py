"""The error for a plan that is refused: every refused step, with the way out."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from infra.errors import RefusedError
from infra.plan.folding import explained_findings
from infra.plan.migration_statements import safe_draft

if TYPE_CHECKING:
    from infra.plan.plan import Plan, PlannedStep


LEGEND = "(- as the modules make it, + as it is in the database)"
DRAFT = "as SQL for the database (a draft, to be checked)"


def refusal_of(plan: Plan, place: str) -> RefusedError:
    """Return the error for a plan with refusals: where, why, what to do instead, and each difference.

    Modules that are refused for the same reason, without differences, are one.
    """

    def reason(step: PlannedStep) -> tuple[str, ...]:
        return (step.why, step.remedy, step.module if step.differences else "")

    problems = [_refusal(list(steps), place) for _, steps in groupby(plan.refusals, key=reason)]
    return problems[0] if len(problems) == 1 else RefusedError("\n".join(map(str, problems)))


def missing_sql(plan: Plan) -> list[str]:
    """Return the statements that would settle all refusals of a plan: a draft, as the refusals have it."""
    return [statement for step in plan.refusals for statement in safe_draft(step.differences).lines]


def _refusal(steps: list[PlannedStep], place: str) -> RefusedError:
    first, *others = steps
    is_placed = bool(first.path) and first.why.startswith(f"{first.path}:")
    more = f" and {len(others)} more" if others else ""
    return RefusedError(
        first.why,
        place=place if is_placed else f"{first.path or f'module {first.module}'}{more} in {place}",
        remedy=first.remedy + "".join(f"\n{line}" for line in _lines(first)),
    )


def _lines(step: PlannedStep) -> list[str]:
    """Return the differences of a step, and the SQL that would settle them."""
    draft, found = safe_draft(step.differences), explained_findings(step.differences, LEGEND)
    title = f"{DRAFT}, {draft.note}:" if draft.note else f"{DRAFT}:"
    return [*found, *([title, *(f"  {line}" for line in draft.lines)] if draft.lines else [])]
