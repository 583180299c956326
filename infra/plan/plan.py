"""A plan as a value: what is done with each module of a database, in order, and what is dropped first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.catalog.changes import created_objects
from infra.modules.decision import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.catalog.catalog import ObjectId
    from infra.catalog.difference import Difference
    from infra.plan.commits import Commit
    from infra.plan.ledger_rows import LedgerEntry

RUN_STEPS = frozenset({Step.APPLY, Step.REBUILD})
"""Steps in which a module's statements are run."""


@dataclass(frozen=True)
class PlannedStep:
    """What is done with one module, and why.

    `path` is '' for a module without a file. `row` is the module's row in the ledger, under the name that it has there.
    `drift` is what somebody changed; `differences` is what stands against the step, or what the step changes.
    `commits` are the lines of statements after each of which the run commits, () for a module in one transaction.
    `hazards` are as for a revision.
    """

    module: str
    step: Step
    why: str
    remedy: str = ""
    path: str = ""
    row: LedgerEntry | None = None
    drift: tuple[Difference, ...] = ()
    differences: tuple[Difference, ...] = ()
    commits: tuple[int, ...] = ()
    hazards: tuple[str, ...] = ()

    @property
    def is_proved(self) -> bool:
        """Whether the step rests on a comparison of the database with what the module makes on scratch."""
        return self.step is Step.VERIFY or (self.step is Step.ADOPT and self.row is None)

    @property
    def acts(self) -> bool:
        """Whether a run does something with the module, be it to write another name into the ledger."""
        return self.step is not Step.UNCHANGED or bool(self.renamed_from)

    @property
    def renamed_from(self) -> str:
        """The name that the ledger has for the module, '' where it is the file's."""
        return self.row.module if self.row and self.row.module != self.module else ""


@dataclass(frozen=True)
class PlannedRevision:
    """A revision that is run before the modules: its id, its file, the lines of its SQL, whether each is committed.

    `hazards` are its locks and what they stop, in lines; one that is not allowed begins with `! `. Without an id it is
    what the administrator does first, for the owner role to be able to run the others.
    """

    revision: str
    path: str
    lines: tuple[str, ...]
    by_statement: bool = False
    hazards: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What is done, in a few words."""
        if not self.revision:
            return "as the administrator, change owners and privileges"
        return f"migrate to {self.revision}, by {self.path}"


@dataclass(frozen=True)
class PlannedSeed:
    """The seed that a database gets after its modules: its file, and why it does."""

    path: str
    digest: str
    why: str

    def __str__(self) -> str:
        return f"insert the rows of {self.path}: {self.why}"


@dataclass(frozen=True)
class PlannedBackup:
    """The backup that is made before the revisions: the folder that gets it, and what of the rows they destroy."""

    folder: str
    destroyed: tuple[str, ...]

    def __str__(self) -> str:
        return f"back up the database into {self.folder}, since what follows destroys {', '.join(self.destroyed)}"


@dataclass(frozen=True)
class Plan:
    """The plan for one database.

    `steps` has the modules with files, in order; `removed` those without, the last first. `teardown` are the rows of
    modules whose objects are dropped before anything runs, in the order in which they ran. Where there is a teardown,
    all modules that run (`runs`) run in its transaction, up to the `commit` that PostgreSQL may demand.
    `dropped_with_it` are objects that no module made, such as a partition, which PostgreSQL drops with the others.
    `unproved` are modules whose step is not known without running the modules on a scratch database: then the plan has
    to be made again with the effects that this finds. `revisions` are run first; the steps are then those for the
    database as the revisions leave it, and `backup` is made before them. `lost` are tables and columns with values that
    a migration drops: one of the `revisions`, or one that a refused step asks for. `seed` is inserted last.
    """

    steps: tuple[PlannedStep, ...]
    removed: tuple[PlannedStep, ...] = ()
    teardown: tuple[LedgerEntry, ...] = ()
    dropped_with_it: tuple[ObjectId, ...] = ()
    unproved: tuple[str, ...] = ()
    digest: str = ""
    revisions: tuple[PlannedRevision, ...] = ()
    commit: Commit | None = None
    lost: tuple[ObjectId, ...] = ()
    backup: PlannedBackup | None = None
    seed: PlannedSeed | None = None

    @property
    def runs(self) -> tuple[str, ...]:
        """The names of the modules whose statements are run."""
        return tuple(step.module for step in self.steps if step.step in RUN_STEPS)

    @property
    def refusals(self) -> tuple[PlannedStep, ...]:
        """The steps for which nothing at all is done."""
        return tuple(step for step in (*self.steps, *self.removed) if step.step is Step.REFUSE)

    @property
    def renames(self) -> dict[str, str]:
        """The new names of modules by those that the ledger has."""
        return {step.renamed_from: step.module for step in self.steps if step.renamed_from}

    def name_before(self, module: str) -> str:
        """Return the name that the ledger has for a module."""
        return next((old for old, new in self.renames.items() if new == module), module)

    @property
    def is_unchanged(self) -> bool:
        """Whether nothing is done and nothing has drifted."""
        is_quiet = not (self.removed or self.renames or self.revisions or self.seed)
        return is_quiet and all(step.step is Step.UNCHANGED for step in self.steps)

    @property
    def is_recorded_only(self) -> bool:
        """Whether what is done is written into the ledger, and no object is created, changed or dropped."""
        return not (self.runs or self.teardown or self.revisions)

    def step_of(self, module: str) -> PlannedStep | None:
        """Return the step of a module, with or without a file."""
        return next((step for step in (*self.steps, *self.removed) if step.module == module), None)

    def tables_dropped(self) -> list[str]:
        """Return the names of the tables that the teardown drops, in the order of their modules."""
        dropped = [identity for entry in self.teardown for identity in created_objects(entry.effect)]
        return [identity.name for identity in (*dropped, *self.dropped_with_it) if identity.kind == "table"]


def objects_dropped(teardown: Sequence[LedgerEntry]) -> dict[ObjectId, str | None]:
    """Return the objects of modules that a teardown drops, with their definitions, those of the last module first."""
    objects: dict[ObjectId, str | None] = {}
    for entry in reversed(teardown):
        objects |= created_objects(entry.effect)
    return objects
