"""The one door through which modules reach a database: decided, run in one transaction under a lock, and remembered."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from infra.errors import ModuleError, RefusedError
from infra.modules.decision import Decision, Digests, Lifecycle, ModuleState, Step, change_between, decide
from infra.postgres.apply.compare import differences_of, effects_of_modules, modules_of
from infra.postgres.apply.execution import Applied
from infra.postgres.apply.rebuild import finish, rebuild, run_whole
from infra.postgres.apply.retire import retire_module
from infra.postgres.apply.status import DatabaseStatus, read_status
from infra.postgres.apply.succession import drop_orphans
from infra.postgres.connection import pool
from infra.postgres.connection.advisory_lock import advisory_lock
from infra.postgres.connection.error_messages import retry_and_translate
from infra.postgres.connection.failover_watch import failover_watch
from infra.postgres.introspection.effects import prepare_meanwhile, settle
from infra.postgres.introspection.reader import is_empty
from infra.postgres.ledger import ledger

if TYPE_CHECKING:
    from collections.abc import Generator

    from infra.catalog.changes import CatalogChange
    from infra.catalog.difference import Difference
    from infra.modules.module import Module
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session
    from infra.postgres.ledger.ledger import LedgerEntry

_empty: set[str] = set()
"""Databases that were seen, by this process, to hold nothing but what modules made."""


@dataclass(frozen=True)
class ModuleStatus:
    """What a decision rests on: the module's state, its row, and the whole database where that had to be read."""

    state: ModuleState
    entry: LedgerEntry | None
    live: DatabaseStatus | None = None


def apply(session: Session, module: Module, digests: Digests, *, looking: bool = False) -> Applied:
    """Bring one module to its database as `decide` says; with `looking` an applied module's objects are compared first.

    Raises ModuleError where PostgreSQL refuses a statement, RefusedError where a step could lose data or hide a
    difference, BusyError where somebody else holds the lock, LedgerError where the ledger is another's. Nothing is
    changed then. A lost connection is tried again: the ledger says what the lost answer would have been.
    """

    def once() -> Applied:
        with reserve_connection(session) as connection:
            try:
                return _with_way_made(connection, session, module, digests, looking=looking)
            except ModuleError as error:
                _record_failure(connection, session, module, digests, error)
                raise

    return retry_and_translate(once, session)


def _with_way_made(
    connection: Connection, session: Session, module: Module, digests: Digests, *, looking: bool
) -> Applied:
    try:
        return _bring(connection, session, module, digests, looking=looking)
    except ModuleError as error:
        if connection.broken or not drop_orphans(connection, session, error):
            raise
    return _bring(connection, session, module, digests, looking=looking)


@contextmanager
def reserve_connection(session: Session) -> Generator[Connection]:
    """Lend a connection under the database's lock, which is cut when its server has stopped answering."""
    with (
        pool.connection(session.target) as connection,
        failover_watch(connection, session),
        advisory_lock(connection, seconds=session.wait),
    ):
        try:
            yield connection
        except Exception:
            settle(session.target)
            raise


def retire(session: Session, module: str) -> str:
    """Take leave of a module whose file is gone: its objects stay in a persistent stack, and go in an ephemeral one.

    Give what was done, in a sentence. Raises RefusedError where something else depends on its objects.
    """

    def once() -> str:
        with reserve_connection(session) as connection:
            return retire_module(connection, session, module)

    return retry_and_translate(once, session)


def forget_empty_databases() -> None:
    """Forget which databases were seen to be empty: for whoever makes a new one with the name of an old one."""
    _empty.clear()


def _bring(connection: Connection, session: Session, module: Module, digests: Digests, *, looking: bool) -> Applied:
    seen = classify(connection, session, module, digests, looking=looking)
    change = change_between(digests, seen.entry.digests if seen.entry else None)
    decision = decide(seen.state, change, session.lifecycle)
    if decision.step is Step.UNCHANGED:
        if session.lifecycle is Lifecycle.EPHEMERAL:
            finish(connection, session, module)
        return Applied(decision.step)
    if decision.step is Step.REFUSE:
        raise refused_error(session, module, decision, refusal_differences(session, module, seen))
    if decision.step is Step.REBUILD:
        return _and_forget(connection, rebuild(connection, session, module))
    if decision.step is Step.APPLY:
        return _and_forget(connection, run_whole(connection, session, module, digests, Step.APPLY))
    with session.transaction(connection):
        effect = _proved(connection, session, module, seen, decision)
        if not ledger.identity(connection):
            ledger.create(connection, session.stack)
        ledger.record(
            connection, module.name, digests, step=decision.step, stack=session.stack, milliseconds=0, effect=effect
        )
        return Applied(decision.step)


def _and_forget(connection: Connection, applied: Applied) -> Applied:
    """Let nothing outlive a module in its session; close the session where that cannot be had otherwise."""
    if not pool.reset_session(connection):
        connection.close()
    return applied


def classify(
    connection: Connection, session: Session, module: Module, digests: Digests, *, looking: bool
) -> ModuleStatus:
    """Find out how a module stands in its database, reading no more than the answer needs."""
    identity = ledger.identity(connection)
    if identity and identity != ledger.here(connection, session.stack):
        return ModuleStatus(ModuleState.FOREIGN, None)
    entry = _entry(connection, session, module, digests) if identity else None
    if entry and not looking and entry.outcome != ledger.RETAINED:
        return ModuleStatus(ModuleState.APPLIED, entry)
    if entry is None:
        prepare_meanwhile(session.target)
    if identity is None and is_empty(connection):
        _empty.add(str(session.target))
    if entry is None and str(session.target) in _empty:
        return ModuleStatus(ModuleState.FRESH, None)
    live = read_status(connection, session.stack)
    if entry:
        return ModuleStatus(live.state(module.name), entry, live)
    if not live.unmanaged(session.allowed):
        _empty.add(str(session.target))
    if module.name in live.begun or str(session.target) in _empty:
        return ModuleStatus(ModuleState.FRESH, None, live)
    made = effects_of_modules(session)
    return ModuleStatus(live.state_of_new(made.effects[module.name], made.last), None, live)


def _entry(connection: Connection, session: Session, module: Module, digests: Digests) -> LedgerEntry | None:
    """Find a module's row, or that of one whose file is gone, of its statements or number: it is this one, renamed."""
    entry, same = ledger.entry_and_likes(connection, module.name, digests.statements)
    if entry or not same:
        return entry
    files = {one.name for one in modules_of(session)}
    for name in same:
        if name not in files:
            with session.transaction(connection):
                ledger.rename(connection, name, module.name)
            return ledger.entry(connection, module.name)
    return None


def refusal_differences(session: Session, module: Module, seen: ModuleStatus) -> list[Difference]:
    """Give the differences that a refusal rests on."""
    if seen.live is None:
        return []
    if seen.entry:
        return seen.live.drift(module.name)
    return differences_of(seen.live, effects_of_modules(session), module.name, None)


def refused_error(session: Session, module: Module, decision: Decision, found: list[Difference]) -> RefusedError:
    """Say no: where, why, what to do instead, and every difference with both definitions."""
    return RefusedError(
        decision.why,
        place=f"{module.path} in {session.place}",
        remedy=decision.remedy + "".join(f"\n{one}" for one in found),
    )


def _proved(
    connection: Connection, session: Session, module: Module, seen: ModuleStatus, decision: Decision
) -> CatalogChange | None:
    """Give the effect to record for a module that is not run; raises RefusedError when the proof fails."""
    if decision.step is Step.REFORMATTED or (seen.state is ModuleState.RETAINED and decision.step is Step.ADOPT):
        return None
    live = seen.live or read_status(connection, session.stack)
    made = effects_of_modules(session)
    found = differences_of(live, made, module.name, seen.entry.effect if seen.entry else None)
    if found:
        remedy = f"{decision.remedy}; these differ:"
        what = Decision(Step.REFUSE, f"{decision.why}, and the database has not followed", remedy)
        raise refused_error(session, module, what, found)
    return live.as_found(made.effects[module.name])


def _record_failure(
    connection: Connection, session: Session, module: Module, digests: Digests, error: ModuleError
) -> None:
    """Note the failure as an event, where there is a ledger to note it in; the error itself is what counts."""
    if connection.broken or not error.sqlstate:
        return
    try:
        with session.transaction(connection):
            if ledger.identity(connection) == ledger.here(connection, session.stack):
                ledger.record_failure(
                    connection, module.name, digests, step=Step.APPLY, stack=session.stack, sqlstate=error.sqlstate
                )
    except psycopg.Error:
        return
