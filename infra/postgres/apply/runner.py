"""The only way in which modules reach a database: lock, classify, decide, act, and try again where that is safe."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from infra.errors import ModuleError, RefusedError
from infra.modules.decision import Decision, Digests, Lifecycle, ModuleState, Step, change_between, decide
from infra.postgres.apply.compare import compare_module
from infra.postgres.apply.execution import Applied, run_module
from infra.postgres.apply.module_effects import effects_of_modules
from infra.postgres.apply.module_text import reset_session
from infra.postgres.apply.rebuild import finish_rebuild, rebuild
from infra.postgres.apply.retire import drop_orphans, retire_module
from infra.postgres.apply.status import ModuleStatus, classify, read_status
from infra.postgres.connection import pool
from infra.postgres.connection.advisory_lock import advisory_lock
from infra.postgres.connection.error_messages import translated_errors
from infra.postgres.connection.retry import retry
from infra.postgres.connection.watches import failover_watch
from infra.postgres.introspection.effects import wait_for_observer
from infra.postgres.ledger import ledger
from infra.postgres.ledger.identity import create_ledger, current_identity, read_identity

if TYPE_CHECKING:
    from collections.abc import Generator

    from infra.catalog.changes import CatalogChange
    from infra.catalog.difference import Difference
    from infra.modules.module import Module
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session


def apply(session: Session, module: Module, digests: Digests, *, check_drift: bool = False) -> Applied:
    """Apply a module to its database: do what `decide` says of its status, and return the step.

    With `check_drift` the objects of a module that has a row are compared with the catalog first. Raises ModuleError
    where PostgreSQL refuses a statement, RefusedError where a step could lose data or hide a difference, BusyError
    where another run holds the lock, LedgerError where the ledger cannot be used; nothing is changed then. After a lost
    connection it starts again: the ledger says whether the lost transaction was committed.
    """

    def attempt() -> Applied:
        with _locked_connection(session) as connection:
            try:
                return _apply_dropping_orphans(connection, session, module, digests, check_drift=check_drift)
            except ModuleError as error:
                _record_failure(connection, session, module, digests, error)
                raise

    with translated_errors(session.place):
        return retry(attempt, seconds=session.wait, tell=session.tell)


def retire(session: Session, module: str) -> str:
    """Retire a module whose file is gone: its objects stay or are dropped, as the lifecycle says.

    Return what was done as part of a sentence. Raises RefusedError where something else depends on the objects, and
    what `apply` raises for the lock and the ledger.
    """

    def attempt() -> str:
        with _locked_connection(session) as connection:
            return retire_module(connection, session, module)

    with translated_errors(session.place):
        return retry(attempt, seconds=session.wait, tell=session.tell)


@contextmanager
def _locked_connection(session: Session) -> Generator[Connection]:
    """Yield a connection that holds the database's advisory lock and is cut when its server stops answering."""
    with (
        pool.connection(session.target) as connection,
        failover_watch(connection, session),
        advisory_lock(connection, seconds=session.wait),
    ):
        try:
            yield connection
        except Exception:
            wait_for_observer(session.target)
            raise


def _apply_dropping_orphans(
    connection: Connection, session: Session, module: Module, digests: Digests, *, check_drift: bool
) -> Applied:
    """Apply a module, a second time if the first failed for objects of modules without a file, which are dropped."""
    try:
        return _apply_once(connection, session, module, digests, check_drift=check_drift)
    except ModuleError as error:
        if connection.broken or not drop_orphans(connection, session, error):
            raise
    reset_session(connection)
    return _apply_once(connection, session, module, digests, check_drift=check_drift)


def _apply_once(
    connection: Connection, session: Session, module: Module, digests: Digests, *, check_drift: bool
) -> Applied:
    """Classify a module, decide, and act."""
    status = classify(connection, session, module, digests, check_drift=check_drift)
    change = change_between(digests, status.entry.digests if status.entry else None)
    decision = decide(status.state, change, session.lifecycle)
    if decision.step is Step.UNCHANGED:
        if session.lifecycle is Lifecycle.EPHEMERAL:
            finish_rebuild(connection, session)
        return Applied(decision.step)
    if decision.step is Step.REFUSE:
        raise _refusal(session, module, decision, _refusal_differences(session, module, status))
    if decision.step is Step.REBUILD:
        return rebuild(connection, session, module)
    if decision.step is Step.APPLY:
        return run_module(connection, session, module, digests, Step.APPLY)
    effect = _proved_effect(connection, session, module, status, decision)  # reads in a transaction of its own
    with session.transaction(connection):
        if not read_identity(connection):
            create_ledger(connection, session.stack)
        ledger.record(
            connection, module.name, digests, step=decision.step, stack=session.stack, milliseconds=0, effect=effect
        )
        return Applied(decision.step)


def _refusal_differences(session: Session, module: Module, status: ModuleStatus) -> list[Difference]:
    """Return the differences that a refusal rests on."""
    if status.database is None:
        return []
    if status.entry:
        return status.database.drift(module.name)
    return compare_module(status.database, effects_of_modules(session), module.name, None)


def _refusal(session: Session, module: Module, decision: Decision, differences: list[Difference]) -> RefusedError:
    """Return the error for a refused step: where, why, what to do instead, and each difference with definitions."""
    return RefusedError(
        decision.why,
        place=f"{module.path} in {session.place}",
        remedy=decision.remedy + "".join(f"\n{difference}" for difference in differences),
    )


def _proved_effect(
    connection: Connection, session: Session, module: Module, status: ModuleStatus, decision: Decision
) -> CatalogChange | None:
    """Return the effect to record for a module that is not run, or None where its row keeps the one it has.

    Raises RefusedError where the database is not as the module would make it.
    """
    if decision.step is Step.REFORMATTED or (status.state is ModuleState.ORPHANED and decision.step is Step.ADOPT):
        return None
    database = status.database or read_status(connection, session.stack)
    effects = effects_of_modules(session)
    differences = compare_module(database, effects, module.name, status.entry.effect if status.entry else None)
    if differences:
        refusal = Decision(
            Step.REFUSE, f"{decision.why}, but the database does not match", f"{decision.remedy}; these differ:"
        )
        raise _refusal(session, module, refusal, differences)
    return database.effect_to_record(effects.by_module[module.name])


def _record_failure(
    connection: Connection, session: Session, module: Module, digests: Digests, error: ModuleError
) -> None:
    """Write the failure as an event if there is a ledger; an error in doing so is ignored, since `error` counts."""
    if connection.broken or not error.sqlstate:
        return
    try:
        with session.transaction(connection):
            if read_identity(connection) == current_identity(connection, session.stack):
                ledger.record_failure(
                    connection, module.name, digests, step=Step.APPLY, stack=session.stack, sqlstate=error.sqlstate
                )
    except psycopg.Error:
        return
