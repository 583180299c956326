"""The plan for a database, as this process has it: made once, by a look, and carried out from there.

A preview prints it; a run carries it out module by module, for as long as the ledger is as this process left it, and
makes it again where it is not. Where nothing is to be done, a look needs three queries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from infra.errors import LedgerError
from infra.lazy_module import LazyModule
from infra.modules.module import order
from infra.modules.module_file import ModuleFile
from infra.plan.planner import plan_database
from infra.postgres.apply.live_status import connect_to_look, read_status, with_time_limits
from infra.postgres.apply.plan_cache import PlanInProgress, Unreadable, cache
from infra.postgres.apply.unchanged import plan_if_unchanged, read_unchanged, record_unchanged, status_after
from infra.postgres.connection.connect import connect
from infra.postgres.connection.failure import ConnectionFailure, classify_connection_error
from infra.postgres.introspection.reader import read_catalog_version
from infra.postgres.ledger import ledger
from infra.postgres.ledger.identity import follow_rename

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.modules.module import Module
    from infra.plan.database_status import DatabaseStatus
    from infra.plan.plan import PlannedStep
    from infra.postgres.apply import making, revisions
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session
else:  # most looks find nothing to do
    making = LazyModule("infra.postgres.apply.making")
    revisions = LazyModule("infra.postgres.apply.revisions")


def look(
    session: Session, *, recorded: bool, explain: bool, files: Sequence[ModuleFile] | None = None
) -> PlanInProgress | Unreadable:
    """Return the plan for a database, made from a read-only look at it that takes a few seconds at most.

    `recorded` says that the stack's state has its modules as applied. With `explain`, for previews, changed modules are
    run on scratch to say what becomes different, also where their step is known without that. Without it a run is on:
    where nothing is to be done, that is written into the ledger, so that the next look need not read the catalog. The
    `files` are read from the session's directory unless they are given.
    """

    def make() -> PlanInProgress | Unreadable:
        try:
            with connect_to_look(session.target) as connection:
                existing = list(files or files_of(session))
                found = read_unchanged(connection, session)
                known = plan_if_unchanged(session, existing, found) if found else None
                if known and not (session.runs_revisions and revisions.due_revisions(connection, session)):
                    return known
                catalog_version = found.catalog_version if found else read_catalog_version(connection)
                planned = making.make_plan(
                    connection, session, existing, recorded=recorded, explain=explain, found=found
                )
                planned.is_read = found is None
                planned.catalog_version = catalog_version if session.one_of_many and not planned.plan.revisions else ""
                if not explain:
                    record_unchanged(connection, session, planned, catalog_version)
                return planned
        except (psycopg.Error, LedgerError) as error:
            message = (str(error).strip().splitlines() or [type(error).__name__])[0]
            return Unreadable(message, is_missing=_is_missing(error))

    return cache.plan(session.key, make)


def known_step(session: Session, module: str) -> PlannedStep | None:
    """Return the step of a module in the plan that this process has for a database; None for none."""
    known = cache.known(session.key)
    return known.plan.step_of(module) if known else None


def has_pending(session: Session) -> bool:
    """Return whether a database has revisions to run; False where it cannot be read, which `look` reports."""
    if not session.runs_revisions:
        return False
    try:
        with connect(with_time_limits(session.target), autocommit=True) as connection:
            return bool(revisions.due_revisions(connection, session))
    except psycopg.Error:
        return False


def current_plan(
    connection: Connection, session: Session, *, recorded: bool, module: Module | None = None
) -> PlanInProgress:
    """Return the plan to carry out, given a connection that holds the database's lock.

    That is the one that this process made, if the module and the ledger are still as they were then. `module` is taken
    with the text that it has here, whatever its file has now.
    """
    key = session.key
    follow_rename(connection, session.program, session.formerly)
    known = cache.known(key)
    if known and known.has(module) and known.version == ledger.read_version(connection, session.program):
        return known
    plan = making.make_plan(connection, session, files_of(session, module), recorded=recorded, explain=False)
    cache.keep(key, plan)
    return plan


def read_and_record(connection: Connection, session: Session, modules: Sequence[Module]) -> DatabaseStatus:
    """Return the status of a database after its modules ran; a next look finds nothing to do without reading it all.

    The catalog is not read where it follows from the one of this process' plan and from the ledger.
    """
    files, version = [ModuleFile(module) for module in modules], ledger.read_version(connection, session.program)
    known = cache.known(session.key)
    catalog_version = known.catalog_version if known and known.version == version else ""
    if known and version and catalog_version:
        status = status_after(connection, session, known, version)
    else:
        catalog_version = read_catalog_version(connection)
        status = read_status(connection, session.program)
    plan = plan_database(files, status, session.lifecycle, allowed=session.allowed, recorded=True)
    record_unchanged(connection, session, PlanInProgress(plan, status, files, version), catalog_version)
    return status


def record_status(
    connection: Connection, session: Session, modules: Sequence[Module], status: DatabaseStatus, catalog_version: str
) -> None:
    """Write down that a database has all modules, which nobody but this program can have changed since it was read."""
    files, version = [ModuleFile(module) for module in modules], ledger.read_version(connection, session.program)
    plan = plan_database(files, status, session.lifecycle, allowed=session.allowed, recorded=True)
    record_unchanged(connection, session, PlanInProgress(plan, status, files, version), catalog_version)


def files_of(session: Session, module: Module | None = None) -> list[ModuleFile]:
    """Return the modules of a session's directory in order; `module` is taken with the text that it has here."""
    modules = {existing.name: existing for existing in session.read_modules()}
    if module:
        modules[module.name] = module
    return [ModuleFile(modules[name]) for name in sorted(modules, key=order)]


def _is_missing(error: Exception) -> bool:
    return isinstance(error, psycopg.Error) and classify_connection_error(error) in {
        ConnectionFailure.NO_DATABASE,
        ConnectionFailure.LOGIN_REFUSED,
    }
