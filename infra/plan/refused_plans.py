"""Plans that are refused after they were made: a module or revision fails on scratch, hazards, rows, a teardown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from infra.modules.decision import Step
from infra.plan.plan import Plan, PlannedStep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.errors import ModuleError


def refused_for(plan: Plan, error: ModuleError) -> Plan:
    """Return a plan with the refusals that follow from a module's failure on scratch.

    The module is refused if its statements are to run; so are all whose step rests on what the modules make there.
    """
    path = error.place.partition(":")[0]
    runs = set(plan.runs)

    def refused(step: PlannedStep) -> PlannedStep:
        own = step.path == path
        if step.module not in plan.unproved and not (own and step.module in runs):
            return step
        why = str(error) if own else f"it cannot be compared with the database, because a module fails: {error}"
        return replace(step, step=Step.REFUSE, why=why, remedy="", differences=())

    steps = [refused(step) for step in plan.steps]
    return replace(plan, steps=tuple(steps), unproved=())


def blocked(plan: Plan, why: str, remedy: str) -> Plan:
    """Return a plan that is refused because its teardown is, at a module that it tears down."""
    first = next(iter((*plan.removed, *(step for step in plan.steps if step.step is Step.REBUILD)))).module

    def refused(steps: tuple[PlannedStep, ...]) -> tuple[PlannedStep, ...]:
        return tuple(
            replace(step, step=Step.REFUSE, why=why, remedy=remedy, differences=()) if step.module == first else step
            for step in steps
        )

    return replace(plan, steps=refused(plan.steps), removed=refused(plan.removed))


def refused_by_revision(plan: Plan, error: ModuleError) -> Plan:
    """Return a plan that is refused because a revision failed on scratch."""
    path = error.place.partition(":")[0]
    refusal = PlannedStep(path, Step.REFUSE, f"failed in a scratch database\n{error}", path=path)
    return replace(plan, steps=(refusal,), removed=(), unproved=())


def refused_for_hazards(plan: Plan, refusals: Sequence[tuple[str, str, str]]) -> Plan:
    """Return a plan that is refused for hazards, given their places, what they are, and what to do instead."""
    steps = tuple(PlannedStep(place, Step.REFUSE, why, remedy, place) for place, why, remedy in refusals)
    return replace(plan, steps=(*steps, *plan.steps)) if steps else plan


def refused_for_rows(plan: Plan, known: str, broken: Sequence[str]) -> Plan:
    """Return a plan that is refused because rows break rules that they get by an adoption; `broken` are lines."""
    why = "\n  ".join([f"the database is of the kind {known}, and rows of it break the rules that it gets", *broken])
    remedy = "change these rows, or delete them, and run again"
    return replace(plan, steps=(PlannedStep(known, Step.REFUSE, why, remedy, "rows"),), removed=(), unproved=())
