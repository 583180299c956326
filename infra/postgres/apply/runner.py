"""The one door through which modules reach a database: decided, run in one transaction under a lock, and remembered."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from infra.errors import ModuleError, RefusedError
from infra.modules.decision import Decision, Digests, Lifecycle, State, Step, change_between, decide
from infra.postgres.apply.compare import differences_of, made_by_modules, modules_of
from infra.postgres.apply.execution import Applied
from infra.postgres.apply.rebuild import finish, rebuild, run_whole
from infra.postgres.apply.retire import leave
from infra.postgres.apply.status import Live, look
from infra.postgres.apply.succession import make_way
from infra.postgres.connection import pool
from infra.postgres.connection.advisory_lock import locked
from infra.postgres.connection.error_messages import through
from infra.postgres.connection.failover_watch import lifeline
from infra.postgres.introspection.effects import prepare_meanwhile, settle
from infra.postgres.introspection.reader import is_virgin
from infra.postgres.ledger import ledger

if TYPE_CHECKING:
    from collections.abc import Generator

    from infra.catalog.changes import Effect
    from infra.catalog.difference import Difference
    from infra.modules.module import Module
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session
    from infra.postgres.ledger.ledger import Entry

_empty: set[str] = set()
"""Databases that were seen, by this process, to hold nothing but what modules made."""


@dataclass(frozen=True)
class Seen:
    """What a decision rests on: the module's state, its row, and the whole database where that had to be read."""

    state: State
    entry: Entry | None
    live: Live | None = None


def apply(session: Session, module: Module, digests: Digests, *, looking: bool = False) -> Applied:
    """Bring one module to its database as `decide` says; with `looking` an applied module's objects are compared first.

    Raises ModuleError where PostgreSQL refuses a statement, RefusedError where a step could lose data or hide a
    difference, BusyError where somebody else holds the lock, LedgerError where the ledger is another's. Nothing is
    changed then. A lost connection is tried again: the ledger says what the lost answer would have been.
    """

    def once() -> Applied:
        with reserved(session) as connection:
            try:
                return _with_way_made(connection, session, module, digests, looking=looking)
            except ModuleError as error:
                _record_failure(connection, session, module, digests, error)
                raise

    return through(once, session)


def _with_way_made(
    connection: Connection, session: Session, module: Module, digests: Digests, *, looking: bool
) -> Applied:
    try:
        return _bring(connection, session, module, digests, looking=looking)
    except ModuleError as error:
        if connection.broken or not make_way(connection, session, error):
            raise
    return _bring(connection, session, module, digests, looking=looking)


@contextmanager
def reserved(session: Session) -> Generator[Connection]:
    """Lend a connection under the database's lock, which is cut when its server has stopped answering."""
    with (
        pool.connection(session.target) as connection,
        lifeline(connection, session),
        locked(connection, seconds=session.wait),
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
        with reserved(session) as connection:
            return leave(connection, session, module)

    return through(once, session)


def forget() -> None:
    """Forget which databases were seen to be empty: for whoever makes a new one with the name of an old one."""
    _empty.clear()


def _bring(connection: Connection, session: Session, module: Module, digests: Digests, *, looking: bool) -> Applied:
    seen = see(connection, session, module, digests, looking=looking)
    change = change_between(digests, seen.entry.digests if seen.entry else None)
    decision = decide(seen.state, change, session.lifecycle)
    if decision.step is Step.UNCHANGED:
        if session.lifecycle is Lifecycle.EPHEMERAL:
            finish(connection, session, module)
        return Applied(decision.step)
    if decision.step is Step.REFUSE:
        raise refusal(session, module, decision, problems(session, module, seen))
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
    if not pool.forget_session(connection):
        connection.close()
    return applied


def see(connection: Connection, session: Session, module: Module, digests: Digests, *, looking: bool) -> Seen:
    """Find out how a module stands in its database, reading no more than the answer needs."""
    identity = ledger.identity(connection)
    if identity and identity != ledger.here(connection, session.stack):
        return Seen(State.FOREIGN, None)
    entry = _entry(connection, session, module, digests) if identity else None
    if entry and not looking and entry.outcome != ledger.RETAINED:
        return Seen(State.APPLIED, entry)
    if entry is None:
        prepare_meanwhile(session.target)
    if identity is None and is_virgin(connection):
        _empty.add(str(session.target))
    if entry is None and str(session.target) in _empty:
        return Seen(State.FRESH, None)
    live = look(connection, session.stack)
    if entry:
        return Seen(live.state(module.name), entry, live)
    if not live.unmanaged(session.allowed):
        _empty.add(str(session.target))
    if module.name in live.begun or str(session.target) in _empty:
        return Seen(State.FRESH, None, live)
    made = made_by_modules(session)
    return Seen(live.state_of_new(made.effects[module.name], made.last), None, live)


def _entry(connection: Connection, session: Session, module: Module, digests: Digests) -> Entry | None:
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


def problems(session: Session, module: Module, seen: Seen) -> list[Difference]:
    """Give the differences that a refusal rests on."""
    if seen.live is None:
        return []
    if seen.entry:
        return seen.live.drift(module.name)
    return differences_of(seen.live, made_by_modules(session), module.name, None)


def refusal(session: Session, module: Module, decision: Decision, found: list[Difference]) -> RefusedError:
    """Say no: where, why, what to do instead, and every difference with both definitions."""
    return RefusedError(
        decision.why,
        place=f"{module.path} in {session.place}",
        remedy=decision.remedy + "".join(f"\n{one}" for one in found),
    )


def _proved(connection: Connection, session: Session, module: Module, seen: Seen, decision: Decision) -> Effect | None:
    """Give the effect to record for a module that is not run; raises RefusedError when the proof fails."""
    if decision.step is Step.REFORMATTED or (seen.state is State.RETAINED and decision.step is Step.ADOPT):
        return None
    live = seen.live or look(connection, session.stack)
    made = made_by_modules(session)
    found = differences_of(live, made, module.name, seen.entry.effect if seen.entry else None)
    if found:
        remedy = f"{decision.remedy}; these differ:"
        what = Decision(Step.REFUSE, f"{decision.why}, and the database has not followed", remedy)
        raise refusal(session, module, what, found)
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
