"""The only way in which modules reach a database: lock, plan, carry out the module's step, retry where it is safe."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import psycopg

from infra.errors import ModuleError, RefusedError
from infra.modules.decision import Lifecycle, Step
from infra.plan.refusal import refusal_of
from infra.postgres.apply.adoption import take_over
from infra.postgres.apply.execution import Applied, run_module
from infra.postgres.apply.live_status import read_status
from infra.postgres.apply.losses import refuse_losses
from infra.postgres.apply.module_effects import effects_of_modules
from infra.postgres.apply.plan_cache import cache
from infra.postgres.apply.planning import current_plan
from infra.postgres.apply.rebuild import finish_rebuild, rebuild
from infra.postgres.apply.retire import retire_module
from infra.postgres.apply.revisions import due_revisions, revision_has_begun, run_pending
from infra.postgres.apply.seeding import run_seed
from infra.postgres.connection import pool
from infra.postgres.connection.advisory_lock import advisory_lock
from infra.postgres.connection.error_messages import translated_errors
from infra.postgres.connection.retry import retry
from infra.postgres.connection.watches import failover_watch
from infra.postgres.introspection.effects import prepare_observer, wait_for_observer
from infra.postgres.ledger import ledger
from infra.postgres.ledger.identity import create_ledger, current_identity, read_identity

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from infra.modules.decision import Digests
    from infra.modules.module import Module
    from infra.plan.plan import Plan, PlannedStep
    from infra.postgres.apply.plan_cache import PlanInProgress
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session

_Result = TypeVar("_Result")

_WRITTEN_STEPS = frozenset({Step.REFORMATTED, Step.ADOPT, Step.VERIFY})


def apply(session: Session, module: Module, *, recorded: bool = False) -> Applied:
    """Do with a module what the plan for its database says, and return the step.

    `recorded` says that the stack's state has the module as applied. Raises ModuleError where PostgreSQL refuses a
    statement, RefusedError where the plan has a refusal, BusyError where another run holds the lock, LedgerError where
    the ledger cannot be used; nothing is changed then. After a lost connection it starts again: the ledger says whether
    the lost transaction was committed.
    """

    def attempt(connection: Connection) -> Applied:
        if not session.one_of_many:
            prepare_observer(session.target)
        planned = current_plan(connection, session, recorded=recorded, module=module)
        try:
            return _carry_out(connection, session, planned, module)
        except ModuleError as error:
            _record_failure(connection, session, module, planned.file_of(module.name).digests, error)
            raise

    return with_lock(session, attempt)


def migrate(session: Session) -> list[str]:
    """Run the revisions that a database is due, before its modules; return their ids, [] where there was nothing to do.

    Raises RefusedError where the plan has a refusal, or a backup cannot be made: then nothing is run. Raises
    ModuleError where PostgreSQL refuses a statement: the revisions before it stay, each with its record, and the next
    run continues with the failed one.
    """
    done: list[str] = []

    def attempt(connection: Connection) -> list[str]:
        due = due_revisions(connection, session)
        if not due:
            return done
        plan = current_plan(connection, session, recorded=True).plan
        refuse(plan, session)
        if due.access:
            take_over(session, due.access)
            session.tell(
                f"{len(due.access)} objects in {session.place} have the owner and the privileges of new ones now"
            )
        if plan.backup and session.backup:
            is_resumed = bool(done) or revision_has_begun(connection, session, due.revisions[0])
            for line in session.backup.make(session, is_resumed):
                session.tell(line)
        for revision in due.revisions:
            run_pending(connection, session, revision)
            done.append(revision.revision)
        return done

    return with_lock(session, attempt)


def insert_seed(session: Session) -> bool:
    """Insert the rows of the session's seed after its modules, if the database is due them; return whether it was.

    Raises what `apply` does. Where the seed has changed, the database is built anew before.
    """

    def attempt(connection: Connection) -> bool:
        planned, seed = current_plan(connection, session, recorded=True), session.read_seed()
        refuse(planned.plan, session)
        if not planned.plan.seed or not seed:
            return False
        if planned.plan.teardown:
            _tear_down(connection, session, planned)
        run_seed(connection, session, seed)
        _done(connection, session, planned, {})
        return True

    return with_lock(session, attempt)


def retire(session: Session, module: str) -> str:
    """Retire a module whose file is gone: its objects stay or are dropped, as the lifecycle says.

    Return what was done as part of a sentence, '' where nothing was. Raises RefusedError where something else depends
    on the objects, and what `apply` raises for the lock and the ledger.
    """

    def attempt(connection: Connection) -> str:
        if cache.known(session.key):  # else the stack is destroyed, or the live check is off
            planned = current_plan(connection, session, recorded=True)
            refuse(planned.plan, session)
            renamed = planned.plan.renames.get(module)
            if renamed:
                _rename(connection, session, planned)
                return f"it is {renamed} now"
            if any(step.module == module and step.step is Step.DROP for step in planned.plan.removed):
                _tear_down(connection, session, planned)
                return f"its objects are dropped from {session.place}"
        done = retire_module(connection, session, module)
        cache.forget(session.key)
        return done

    return with_lock(session, attempt)


def with_lock(session: Session, act: Callable[[Connection], _Result]) -> _Result:
    """Return what `act` returns, given a connection that holds the lock; it is repeated where that is safe."""

    def attempt() -> _Result:
        with _locked_connection(session) as connection:
            return act(connection)

    with translated_errors(session.place):
        return retry(attempt, seconds=session.wait, tell=session.tell)


def _carry_out(connection: Connection, session: Session, planned: PlanInProgress, module: Module) -> Applied:
    """Do what the plan says of one module, and what has to be done before it."""
    if module.name in planned.done:
        return planned.done[module.name]
    plan = planned.plan
    step = plan.step_of(module.name)
    refuse(plan, session)
    if step is None:
        raise RefusedError("is not among the modules of its directory", place=f"{module.path} in {session.place}")
    _rename(connection, session, planned)
    if plan.teardown and step.step in {Step.APPLY, Step.REBUILD}:
        _tear_down(connection, session, planned)
        if module.name in planned.done:
            return planned.done[module.name]
    if step.step is Step.APPLY:
        digests, version = planned.file_of(module.name).digests, planned.catalog_version
        applied = run_module(connection, session, module, digests, Step.APPLY, catalog_version=version)
        planned.catalog_version = applied.catalog_version
    elif step.step in _WRITTEN_STEPS:
        applied = _write_row(connection, session, planned, step)
    else:
        finished = finish_rebuild(connection, session) if session.lifecycle is Lifecycle.EPHEMERAL else {}
        planned.done |= finished
        planned.catalog_version = "" if finished else planned.catalog_version
        applied = planned.done.get(module.name, Applied(step.step))
    return _done(connection, session, planned, {module.name: applied})[module.name]


def refuse(plan: Plan, session: Session) -> None:
    """Raise RefusedError with all refusals of a plan; nothing of such a plan is carried out."""
    if plan.refusals:
        raise refusal_of(plan, session.place)


def _rename(connection: Connection, session: Session, planned: PlanInProgress) -> None:
    """Write the new names of renamed files into their rows, once."""
    renames = {} if planned.is_renamed else planned.plan.renames
    if renames:
        with session.transaction(connection):
            ledger.rename_entries(connection, renames, session.program)
        _done(connection, session, planned, {})
    planned.is_renamed = True


def _tear_down(connection: Connection, session: Session, planned: PlanInProgress) -> None:
    """Drop what the plan drops and run the modules that run, once; refuse it where the database changed meanwhile."""
    if planned.is_torn_down:
        return
    if read_status(connection, session.program).catalog != planned.status.catalog:
        cache.forget(session.key)
        raise RefusedError(
            "was changed by somebody else since its plan was made; nothing was dropped",
            place=session.place,
            remedy="look at a new preview, and run again",
        )
    refuse_losses(session, planned)
    planned.catalog_version = ""
    modules = [planned.file_of(name).module for name in planned.plan.runs]
    applied = rebuild(connection, session, planned.plan, modules)
    planned.is_torn_down = True
    _done(connection, session, planned, applied)


def _write_row(connection: Connection, session: Session, planned: PlanInProgress, step: PlannedStep) -> Applied:
    """Write the row of a module that is not run, with its objects as they are where those were proved."""
    digests = planned.file_of(step.module).digests
    effect = None
    if step.is_proved:
        effects = effects_of_modules(session)
        effect = planned.status.effect_to_record(effects.by_module[step.module])
    with session.transaction(connection):
        if not read_identity(connection):
            create_ledger(connection, session.program)
        ledger.record(
            connection, step.module, digests, step=step.step, program=session.program, milliseconds=0, effect=effect
        )
    return Applied(step.step)


def _done(
    connection: Connection, session: Session, planned: PlanInProgress, applied: dict[str, Applied]
) -> dict[str, Applied]:
    """Note what is done of a plan, and the ledger's version after it: it is read, unless each step tells its event."""
    planned.done |= applied
    events = [step.event for step in applied.values()]
    if events and all(events):
        current = current_identity(connection, session.program)
        planned.version = ledger.LedgerVersion(current, current, max(events))
    else:
        planned.version = ledger.read_version(connection, session.program)
    return planned.done


@contextmanager
def _locked_connection(session: Session) -> Generator[Connection]:
    """Yield a connection that holds the database's advisory lock and is cut when its server stops answering."""
    with (
        pool.connection(session.target) as connection,
        failover_watch(connection, session),
        advisory_lock(connection, seconds=session.wait, admin=session.admin),
    ):
        try:
            yield connection
        except Exception:
            cache.forget(session.key)
            wait_for_observer(session.target)
            raise


def _record_failure(
    connection: Connection, session: Session, module: Module, digests: Digests, error: ModuleError
) -> None:
    """Write the failure as an event if there is a ledger; an error in doing so is ignored, since `error` counts."""
    if connection.broken or not error.sqlstate:
        return
    try:
        with session.transaction(connection):
            if read_identity(connection) == current_identity(connection, session.program):
                ledger.record_failure(
                    connection, module.name, digests, step=Step.APPLY, program=session.program, sqlstate=error.sqlstate
                )
    except psycopg.Error:
        return
