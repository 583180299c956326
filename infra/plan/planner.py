"""Makes the plan for a database of the modules' files, the ledger and the live catalog alone.

So a preview and the run that follows it come to the same plan. The preview prints it, the run carries it out; there is
no other way to a decision.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from infra.catalog.changes import fold, is_structure
from infra.modules.decision import Change, Decision, Lifecycle, ModuleState, Step, decide
from infra.modules.module import order
from infra.plan.commits import commit_within, lines_of_statements
from infra.plan.comparison import compare_module, missing_privileges
from infra.plan.following_steps import (
    SEED_CHANGED,
    SEED_FOLLOWS,
    following_step,
    reasons_of_teardown,
    seed_due,
)
from infra.plan.ledger_rows import ORPHANED, SEED_ROW
from infra.plan.plan import RUN_STEPS, Plan, PlannedStep
from infra.plan.row_selection import assign_rows, current_rows, rows_to_tear_down

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.catalog.changes import CatalogChange
    from infra.catalog.difference import Difference
    from infra.modules.module import Module
    from infra.modules.module_file import ModuleFile
    from infra.modules.seed import SeedFile
    from infra.plan.database_status import DatabaseStatus
    from infra.plan.ledger_rows import LedgerEntry
    from infra.plan.plan import PlannedRevision, PlannedSeed

_LOST = Decision(
    Step.REFUSE,
    "the stack's state says that it was applied, but the database has no ledger",
    "restore the database; to begin again with an empty one, run `make refresh`, then `make up`",
)
_LOST_AND_EMPTY = Decision(Step.APPLY, "it was applied before, and the database is empty now")
_UNFINISHED = Decision(Step.APPLY, "an earlier run stopped in it")


def plan_database(
    files: Sequence[ModuleFile],
    status: DatabaseStatus,
    lifecycle: Lifecycle,
    *,
    allowed: Sequence[str] = (),
    effects: Mapping[str, CatalogChange] | None = None,
    recorded: bool = False,
    revisions: Sequence[PlannedRevision] = (),
    seed: SeedFile | None = None,
) -> Plan:
    """Return the plan for a database.

    `allowed` are patterns of objects that no module made and may be there. `effects` is what each module does on a
    scratch database. `recorded` says that the stack's state has the modules as applied. `revisions` are run before the
    modules, and `status` is the database's after that. `seed` is that of a database of an ephemeral stack.
    """
    if status.is_foreign():
        foreign = decide(ModuleState.FOREIGN, Change.NEW, lifecycle)
        plan = Plan(tuple(_planned(file, foreign) for file in files))
    else:
        rows = assign_rows(files, status.entries)
        assigned = {row.module for row in rows.values()} | {file.name for file in files}
        entries = (*status.entries.values(), *status.unfinished.values())
        left = [entry for entry in entries if entry.module not in assigned]
        planner = _Planner(status, lifecycle, allowed, effects, recorded=recorded, has_orphans=bool(left))
        plan = _plan_of_rows(planner, files, rows, left, seed)
        texts = {file.name: file.module for file in files}
        steps = _with_commits(plan.steps, texts)
        if revisions:  # what a proved step finds otherwise than its row, they did
            steps = tuple(replace(step, drift=()) if step.step is Step.VERIFY else step for step in steps)
        plan = replace(plan, steps=steps, revisions=tuple(revisions))
        if plan.teardown:
            plan = replace(plan, commit=commit_within([texts[name] for name in plan.runs], status.server_version))
    return replace(plan, digest=_digest(files, None if plan.is_unchanged else status, revisions, plan.seed))


def _plan_of_rows(
    planner: _Planner,
    files: Sequence[ModuleFile],
    rows: Mapping[str, LedgerEntry],
    left: Sequence[LedgerEntry],
    seed: SeedFile | None,
) -> Plan:
    """Return the plan for a database, given the rows of the files in its ledger, and those without a file."""
    steps = [planner.step(file, rows.get(file.name)) for file in files]
    without_file = [entry for entry in left if entry.outcome != ORPHANED]
    without_file.sort(key=lambda entry: order(entry.module), reverse=True)
    unproved = tuple(planner.unproved)
    if planner.lifecycle is Lifecycle.PERSISTENT:
        removed = [_retained(entry, planner.status) for entry in without_file]
        return Plan(tuple(steps), tuple(removed), unproved=unproved)
    current = current_rows(planner.status, rows)
    rebuilt = [step.module for step in steps if step.step is Step.REBUILD]
    teardown = rows_to_tear_down(current, rebuilt, without_file)
    reasons = reasons_of_teardown(teardown, rebuilt, [entry.module for entry in without_file])
    planned_seed = seed_due(seed, planner.status.others.get(SEED_ROW), is_torn_down=bool(teardown))
    if planned_seed and SEED_ROW in planner.status.others:  # its rows are in any table, and only fit an empty database
        why = SEED_FOLLOWS if teardown else SEED_CHANGED
        teardown = [entry for entry in current if entry.outcome != ORPHANED or entry in teardown]
        reasons = {entry.module: why for entry in teardown} | reasons
    steps = [following_step(step, reasons) for step in steps]
    removed = [PlannedStep(entry.module, Step.DROP, "its file was removed", row=entry) for entry in without_file]
    return Plan(tuple(steps), tuple(removed), tuple(teardown), unproved=unproved, seed=planned_seed)


def unchanged_plan(files: Sequence[ModuleFile]) -> Plan:
    """Return the plan for a database in which nothing is to be done."""
    unchanged = decide(ModuleState.APPLIED, Change.SAME, Lifecycle.EPHEMERAL)  # in a persistent one too
    return Plan(tuple(_planned(file, unchanged) for file in files), digest=_digest(files, None, (), None))


class _Planner:
    """Decides for one module after the other, and notes for which of them a proof is missing."""

    def __init__(
        self,
        status: DatabaseStatus,
        lifecycle: Lifecycle,
        allowed: Sequence[str],
        effects: Mapping[str, CatalogChange] | None,
        *,
        recorded: bool,
        has_orphans: bool,
    ) -> None:
        self.status = status
        self.lifecycle = lifecycle
        self.effects = effects
        self.definitions = fold(effects.items()).definitions if effects else {}
        self.unmanaged = any(map(is_structure, status.unmanaged(allowed)))
        self.lost = recorded and status.identity is None and not self.unmanaged
        self.orphans = lifecycle is Lifecycle.PERSISTENT and has_orphans
        self.unproved: list[str] = []

    def step(self, file: ModuleFile, row: LedgerEntry | None) -> PlannedStep:
        """Return the step of a module with a file, as if it were the only one."""
        if self.lost:
            return _planned(file, _LOST_AND_EMPTY if self.lifecycle is Lifecycle.EPHEMERAL else _LOST)
        if row is None:
            return self._step_without_row(file)
        state = self.status.state(row.module)
        decision = decide(state, file.change_since(row.digests), self.lifecycle)
        drift = tuple(self.status.drift(row.module))
        step = _planned(file, decision, row=row, drift=drift, differences=self.change_in(file, row))
        if decision.step is Step.VERIFY:
            return self._proved(file, step, row.effect)
        if decision.step is Step.REFUSE:
            explained = self._explained(file, row, drift) if state is ModuleState.DRIFTED else None
            return explained or replace(step, differences=drift)
        return step

    def _explained(self, file: ModuleFile, row: LedgerEntry, drift: Sequence[Difference]) -> PlannedStep | None:
        """Return the step of a module whose objects are as all modules leave them now, since another one changed them.

        A revision brought them there; the row of the module that changed them has them afterwards.
        """
        if self.lifecycle is not Lifecycle.PERSISTENT:
            return None
        if self.effects is None:
            self.unproved.append(file.name)
            return None
        if any(difference.found != self.definitions.get(difference.identity) for difference in drift):
            return None
        return _planned(file, decide(ModuleState.APPLIED, file.change_since(row.digests), self.lifecycle), row=row)

    def change_in(self, file: ModuleFile, row: LedgerEntry) -> tuple[Difference, ...]:
        """Return the objects that a changed module makes otherwise than its row says; () where that is not known."""
        if self.effects is None or file.name not in self.effects or file.text_digest == row.digests.text:
            return ()
        new, old = self.effects[file.name], row.effect
        return compare_module(self.status.expected.definitions, self.definitions, new, old)

    def _step_without_row(self, file: ModuleFile) -> PlannedStep:
        if file.name in self.status.unfinished:
            return _planned(file, _UNFINISHED)
        if not self.unmanaged and not self.orphans:  # else it may make what is there
            return _planned(file, decide(ModuleState.FRESH, Change.NEW, self.lifecycle))
        if self.effects is None:
            self.unproved.append(file.name)
            return _planned(file, decide(ModuleState.CONFLICTING, Change.NEW, self.lifecycle))
        effect = self.effects[file.name]
        state = self.status.state_without_row(effect, self.definitions)
        against = () if state is ModuleState.FRESH else self._against(effect, None)
        if against:  # such as a privilege that it grants
            state = ModuleState.CONFLICTING
        return _planned(file, decide(state, Change.NEW, self.lifecycle), differences=against)

    def _proved(self, file: ModuleFile, step: PlannedStep, previous: CatalogChange) -> PlannedStep:
        """Return the step, or its refusal where the database is not as the module would make it."""
        if self.effects is None:
            self.unproved.append(file.name)
            return step
        against = self._against(self.effects[file.name], previous)
        if not against:
            return step
        return replace(
            step,
            step=Step.REFUSE,
            why=f"{step.why}, but the database does not match",
            remedy=f"{step.remedy}; these differ:",
            differences=against,
        )

    def _against(self, effect: CatalogChange, previous: CatalogChange | None) -> tuple[Difference, ...]:
        actual = self.status.catalog.objects
        return compare_module(self.definitions, actual, effect, previous) + missing_privileges(effect, actual)


def _planned(
    file: ModuleFile,
    decision: Decision,
    *,
    row: LedgerEntry | None = None,
    drift: tuple[Difference, ...] = (),
    differences: tuple[Difference, ...] = (),
) -> PlannedStep:
    return PlannedStep(
        file.name, decision.step, decision.why, decision.remedy, file.module.path, row, drift, differences
    )


def _with_commits(steps: Sequence[PlannedStep], modules: Mapping[str, Module]) -> tuple[PlannedStep, ...]:
    """Return steps with the lines after which they commit, where their modules run by statement."""
    return tuple(
        replace(step, commits=lines_of_statements(modules[step.module])) if step.step in RUN_STEPS else step
        for step in steps
    )


def _retained(entry: LedgerEntry, status: DatabaseStatus) -> PlannedStep:
    why = "its file was removed; its objects stay, and the ledger marks it as orphaned"
    return PlannedStep(entry.module, Step.RETAIN, why, row=entry, drift=tuple(status.drift(entry.module)))


def _digest(
    files: Sequence[ModuleFile],
    status: DatabaseStatus | None,
    revisions: Sequence[PlannedRevision],
    seed: PlannedSeed | None,
) -> str:
    """Return the digest of what a plan is made of: files, revisions, ledger, live catalog.

    The last two are left out where nothing is to be done: that stays so whatever becomes different without a step.
    """
    digest = hashlib.sha256()
    parts = [(file.name, file.text_digest) for file in files]
    parts += [(revision.revision, "\n".join(revision.lines)) for revision in revisions]
    if seed:
        parts.append((SEED_ROW, seed.digest))
    if status:
        parts += [
            (entry.module, f"{entry.digests.text} {entry.outcome}")
            for entry in (*status.entries.values(), *status.unfinished.values())
        ]
        parts += [(str(identity), definition) for identity, definition in status.catalog.objects.items()]
    for name, text in sorted(parts):
        digest.update(f"{len(name)} {name} {len(text)} {text}\n".encode())
    return "plan1:" + digest.hexdigest()
