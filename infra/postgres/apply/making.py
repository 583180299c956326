"""Makes the plan for a database: reads ledger and catalog, and runs the modules on scratch where a step needs proof."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from infra.catalog.changes import CatalogChange
from infra.catalog.difference import differences
from infra.catalog.structure import makers
from infra.errors import ModuleError
from infra.modules.decision import Step
from infra.plan.folding import lost_with
from infra.plan.plan import PlannedRevision, PlannedStep, objects_dropped
from infra.plan.planner import plan_database
from infra.plan.refused_plans import blocked, refused_by_revision, refused_for, refused_for_rows
from infra.postgres.apply.adoption import likenesses
from infra.postgres.apply.drop import REMEDY, drop_list, reason_against
from infra.postgres.apply.hazards import with_hazards
from infra.postgres.apply.live_status import read_status
from infra.postgres.apply.module_effects import effects_of_modules
from infra.postgres.apply.plan_cache import PlanInProgress
from infra.postgres.apply.revision_effects import RevisionEffects, changed_catalog, effects_of_revisions
from infra.postgres.apply.revisions import due_revisions, history_of
from infra.postgres.apply.row_rules import broken_rules
from infra.postgres.apply.unchanged import unchanged_status
from infra.postgres.ledger import ledger

if TYPE_CHECKING:
    from infra.catalog.catalog import Catalog, ObjectId
    from infra.migrations.revision_sql import RevisionSql
    from infra.modules.module_file import ModuleFile
    from infra.plan.database_status import DatabaseStatus
    from infra.plan.plan import Plan
    from infra.postgres.apply.revisions import Due
    from infra.postgres.apply.unchanged import Unchanged
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session

_OF_THE_SERVER = ("0A000", "42501", "42704", "53", "54", "57", "58")
"""SQLSTATEs that a scratch server may give where the database's own server does not: unsupported features, privileges,
unknown roles and other objects, resources, limits, interventions, system errors (manual, appendix A)."""


def make_plan(
    connection: Connection,
    session: Session,
    files: list[ModuleFile],
    *,
    recorded: bool,
    explain: bool,
    found: Unchanged | None = None,
) -> PlanInProgress:
    """Return the plan for a database with these files; `found` is what was written down of one that nobody changed."""
    version = found.version if found else ledger.read_version(connection, session.program)
    status = (
        unchanged_status(connection, session, found)
        if found
        else read_status(connection, session.program, session.formerly)
    )
    due = due_revisions(connection, session)
    options = {"lifecycle": session.lifecycle, "allowed": session.allowed, "recorded": recorded or bool(due)}
    decide = partial(plan_database, files, **options, revisions=planned_revisions(due), seed=session.read_seed())
    if due.adoption and not due.done:
        broken = broken_rules(session, due.adoption.known)
        if broken:
            return PlanInProgress(
                refused_for_rows(decide(status), due.adoption.known.name, broken), status, files, version
            )
    try:
        done = _effects_of(session, due)
    except ModuleError as error:
        return PlanInProgress(refused_by_revision(decide(status), error), status, files, version)
    explained = set(done.change.objects)
    live, status = status.catalog, replace(status, catalog=changed_catalog(status.catalog, done.change))
    plan = _with_dependants(connection, decide(status), status)
    if plan.unproved or (explain and any(_is_changed(step.step) for step in plan.steps)):
        try:
            effects = effects_of_modules(session).by_module
        except ModuleError as error:
            refused = plan.unproved or not error.sqlstate.startswith(_OF_THE_SERVER)
            return PlanInProgress(refused_for(plan, error) if refused else plan, status, files, version)
        plan = _with_dependants(connection, decide(status, effects=effects), status)
        adopted = [step.module for step in plan.steps if step.step is Step.ADOPT and step.row is None]
        explained.update(identity for module in adopted for identity in effects[module].objects)
    if plan.refusals and status.identity is None and not due:
        plan = _with_nearest(plan, session, status.catalog)
    lost = _lost(plan, live, status.catalog)
    if not plan.refusals:
        tables = [identity.name for identity in live.of("table").objects]
        texts = [file.module for file in files]
        plan = with_hazards(plan, connection, session, tables, revisions=done.measured, modules=texts)
    return PlanInProgress(replace(plan, lost=lost), status, files, version, explained=frozenset(explained))


def _lost(plan: Plan, before: Catalog, after: Catalog) -> tuple[ObjectId, ...]:
    """Return the tables and columns that a migration drops: revisions of the plan, or one that a refusal asks for."""
    by_revisions = differences(before, after) if plan.revisions else []
    asked_for = [difference.reversed() for step in plan.refusals for difference in step.differences]
    return tuple(lost_with([*by_revisions, *asked_for]))


def planned_revisions(due: Due) -> list[PlannedRevision]:
    """Return what is due as a plan has it, with the lines of the SQL."""
    lines = tuple(f"{statement};" for statements in due.access for statement in statements)
    access = [PlannedRevision("", "", lines)] if lines else []
    return [*access, *map(_planned_revision, due.revisions)]


def _planned_revision(revision: RevisionSql) -> PlannedRevision:
    lines = [line for statement in revision.statements for line in statement.sql.splitlines()]
    return PlannedRevision(revision.revision, revision.path, tuple(lines), revision.outside)


def _with_nearest(plan: Plan, session: Session, live: Catalog) -> Plan:
    """Return the plan of a database without a ledger that is refused, with what it may be instead."""
    history = history_of(session)
    found = likenesses(session, history, live) if history else []
    if not history or not found or not found[0].has:
        return plan
    place = found[0].known.place
    if found[0].lacking:
        why, remedy = f"the database is of no known kind; the nearest is {found[0]}", "bring it there by hand"
    else:
        why = f"the database was made elsewhere, and is of the kind {found[0]}"
        remedy = "to bring it over, set `adopt: true` for it in `databases`, and look at a preview"
    refusal = PlannedStep(place, Step.REFUSE, why, remedy, place)
    return replace(plan, steps=(refusal,) if not found[0].lacking else (refusal, *plan.steps))


def _effects_of(session: Session, due: Due) -> RevisionEffects:
    """Return what the revisions that are due do to a database; raises ModuleError where they cannot be run."""
    history = history_of(session)
    if not due or history is None:
        return RevisionEffects(CatalogChange(), {})
    if due.adoption:
        return RevisionEffects(due.adoption.change_after(due.done), due.adoption.measured)
    return effects_of_revisions(session, history, due.revisions)


def _with_dependants(connection: Connection, plan: Plan, status: DatabaseStatus) -> Plan:
    """Return a plan with what else its teardown drops, or refused where something stands against that."""
    if not plan.teardown:
        return plan
    dropped = {name for entry in plan.teardown for name in (entry.module, plan.name_before(entry.module))}
    stay = [(plan.renames.get(name, name), row.effect) for name, row in status.entries.items() if name not in dropped]
    stay += [(name, row.effect) for name, row in status.others.items()]
    listed = drop_list(connection, objects_dropped(plan.teardown))
    reason = reason_against(listed, makers(stay))
    if reason:
        return blocked(plan, reason, REMEDY)
    return replace(plan, dropped_with_it=tuple(dependant.identity for dependant in listed.dependants))


def _is_changed(step: Step) -> bool:
    return step in {Step.REBUILD, Step.VERIFY}
