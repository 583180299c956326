"""Adds the hazards of what runs to a plan: what was measured on scratch, with the sizes of the database's tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from infra.errors import ModuleError
from infra.hazards.allowances import comments_at
from infra.hazards.destroyed import destroyed
from infra.hazards.hazard import hazards_of
from infra.hazards.measured import MeasuredStatement
from infra.hazards.wording import hazard_lines, hazard_refusals
from infra.modules.decision import Lifecycle, Step
from infra.modules.directive import runs_by_statement
from infra.modules.statements import place_of
from infra.plan.plan import PlannedBackup
from infra.plan.refused_plans import refused_for_hazards
from infra.postgres.apply.measure import Measurement
from infra.postgres.apply.module_effects import run_on_scratch
from infra.postgres.apply.revision_effects import scratch_of
from infra.postgres.introspection.table_sizes import read_sizes

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from infra.modules.module import Module
    from infra.modules.statements import Statement
    from infra.plan.plan import Plan
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session

Measured = dict[str, list[MeasuredStatement]]


def with_hazards(
    plan: Plan,
    connection: Connection,
    session: Session,
    tables: Collection[str],
    *,
    revisions: Mapping[str, Sequence[MeasuredStatement]],
    modules: Sequence[Module],
) -> Plan:
    """Return a plan with the hazards of what it runs, refused in a persistent stack where one is not allowed.

    `tables` are those that the database has; `revisions` is what was measured of the revisions that are due. Modules
    that a persistent stack runs are measured here, where a table has rows.
    """
    runs = {step.module for step in plan.steps if step.step is Step.APPLY}
    is_persistent = session.lifecycle is Lifecycle.PERSISTENT
    if not revisions and not (runs and tables and is_persistent):
        return plan
    today = datetime.now(timezone.utc).date()
    sizes = read_sizes(connection, tables) if session.sizes is None else session.sizes
    has_rows = session.sizes is not None or any(size.rows or size.bytes for size in sizes.values())
    measured = {**revisions, **(_modules_measured(session, modules, runs) if is_persistent and has_rows else {})}
    hazards = {name: hazards_of(statements, sizes, today=today) for name, statements in measured.items()}
    lines = {name: tuple(hazard_lines(measured[name], found)) for name, found in hazards.items()}
    plan = replace(
        plan,
        revisions=tuple(replace(part, hazards=lines.get(part.revision, ())) for part in plan.revisions),
        steps=tuple(replace(step, hazards=lines.get(step.module, ())) for step in plan.steps),
    )
    due = [statement for revision in plan.revisions for statement in measured.get(revision.revision, ())]
    lost = destroyed(due, sizes)
    if lost and session.backup:
        plan = replace(plan, backup=PlannedBackup(f"{session.backup.folder}/{session.target.database}/", tuple(lost)))
    refused = [hazard for found in hazards.values() for hazard in found if hazard.is_refused]
    return refused_for_hazards(plan, list(hazard_refusals(refused, today=today))) if is_persistent else plan


def _modules_measured(session: Session, modules: Sequence[Module], runs: Collection[str]) -> Measured:
    """Run modules on a scratch database, and return what those do that run; {} where one fails, which its run says."""
    measured: Measured = {}
    if not runs:
        return measured
    try:
        with scratch_of(session) as (connection, scratch):
            measurement = None
            for module in modules:
                if module.name not in runs:
                    run_on_scratch(connection, scratch, module, seconds=session.statement_timeout)
                    continue
                measurement = measurement or Measurement(connection, scratch, seconds=session.statement_timeout)
                measured[module.name] = _module_measured(measurement, module)
    except ModuleError:
        return {}
    return measured


def _module_measured(measurement: Measurement, module: Module) -> list[MeasuredStatement]:
    lines = module.text.splitlines()

    def placed(statement: Statement) -> MeasuredStatement:
        line = place_of(module.text, module.path, statement.start).line
        text = module.text[statement.start : statement.end]
        return MeasuredStatement(text, module.path, line, comments=comments_at(lines, line))

    return measurement.run_module(module, placed, outside=runs_by_statement(module.text))
