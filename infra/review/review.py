"""A review as a value: what `up` would do with databases of each lifecycle, what changes, and what is lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infra.catalog.changes import is_structure
from infra.catalog.difference import Difference, differences
from infra.modules.decision import Lifecycle, Step
from infra.plan.folding import fold_changes, lost_with, renamed_tables
from infra.review.old_code import ReleasedCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.catalog.catalog import Catalog, ObjectId
    from infra.check.live_facts import StackFacts
    from infra.plan.plan import Plan, PlannedRevision


@dataclass(frozen=True)
class ReviewedLifecycle:
    """What `up` would do with databases of one lifecycle; `stacks` are those of the project that have it."""

    lifecycle: Lifecycle
    plan: Plan
    stacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Review:
    """What a branch changes against the commit of a base; `lines` are the changed lines of SQL by module.

    `catalogs` are those of databases that the base's and the branch's modules made, None where the branch's do not run.
    `released` is what became of the statements of the base's code on the branch's schema; `live` is what is known of
    databases of stacks.
    """

    base: str
    commit: str
    lifecycles: tuple[ReviewedLifecycle, ...]
    lines: Mapping[str, Sequence[str]]
    catalogs: tuple[Catalog, Catalog] | None = None
    released: ReleasedCode = field(default_factory=ReleasedCode)
    live: tuple[StackFacts, ...] = ()

    @property
    def level(self) -> str:
        """`fine`, `loss` where rows or values are lost somewhere, or `refused` where every run would refuse."""
        if self._broken:
            return "refused"
        losing = any(reviewed.plan.tables_dropped() for reviewed in self.lifecycles)
        return "loss" if losing or self.lost or self.has_hazards or self.released.broken else "fine"

    @property
    def changes(self) -> list[str]:
        """What becomes different in the catalog, a line for each object with its definition's lines below it."""
        return fold_changes(self._differences)

    @property
    def lost(self) -> list[ObjectId]:
        """The tables and columns that are gone afterwards, whatever the lifecycle."""
        return lost_with(self._differences)

    @property
    def is_renamed(self) -> bool:
        """Whether a table has another name afterwards, with the same columns."""
        return bool(renamed_tables(self._differences))

    @property
    def revisions(self) -> tuple[PlannedRevision, ...]:
        """The revisions that a persistent database runs."""
        return self.of(Lifecycle.PERSISTENT).revisions

    @property
    def has_hazards(self) -> bool:
        """Whether a hazard is named that no comment allows."""
        steps = [step for reviewed in self.lifecycles for step in reviewed.plan.steps]
        return any(line.startswith("! ") for part in (*self.revisions, *steps) for line in part.hazards)

    @property
    def _differences(self) -> list[Difference]:
        if self.catalogs:
            return [found for found in differences(*self.catalogs) if is_structure(found.identity)]
        plan = self.of(Lifecycle.EPHEMERAL)
        return list(
            {difference.identity: difference for step in plan.steps for difference in step.differences}.values()
        )

    @property
    def new_modules(self) -> tuple[str, ...]:
        """The modules that no database of the base has."""
        return tuple(step.module for step in self.of(Lifecycle.EPHEMERAL).steps if step.step is Step.APPLY)

    @property
    def _broken(self) -> bool:
        """Whether even a database that may be rebuilt would refuse."""
        return bool(self.of(Lifecycle.EPHEMERAL).refusals)

    def of(self, lifecycle: Lifecycle) -> Plan:
        """Return the plan for databases of a lifecycle."""
        return next(reviewed.plan for reviewed in self.lifecycles if reviewed.lifecycle is lifecycle)
