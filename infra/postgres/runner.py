"""The one door through which modules reach a database: one transaction each, under a lock, with the ledger's row."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import generators, sql
from psycopg.pq import ExecStatus

from infra.errors import BusyError, LedgerError, ModuleError, RefusedError
from infra.modules.decide import Decision, Digests, Step, decide
from infra.postgres import ledger
from infra.postgres.locate import module_error
from infra.postgres.target import Target, connect

if TYPE_CHECKING:
    from collections.abc import Generator

    from infra.modules.module import Module

    Connection = psycopg.Connection[tuple[Any, ...]]

LOCK = (0x53514C4D, 1)
"""The advisory lock that one runner holds in a database: 'SQLM' in ASCII, and 1."""

HOLDER = """
SELECT a.pid, a.application_name, to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS TZ')
FROM pg_locks l JOIN pg_stat_activity a USING (pid) JOIN pg_database d ON d.oid = l.database
WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()
  AND l.classid = %s::bigint::oid AND l.objid = %s::bigint::oid
"""


@dataclass(frozen=True)
class Session:
    """How modules are run: where, as which role, for which stack, and how long anything may wait (seconds)."""

    target: Target
    owner: str
    stack: str
    lock_timeout: float = 10
    statement_timeout: float = 600
    wait: float = 60


@dataclass(frozen=True)
class Applied:
    """What was done with a module: the step taken, and how long its statements ran (milliseconds)."""

    step: Step
    milliseconds: float


def apply(session: Session, module: Module, digests: Digests) -> Applied:
    """Bring one module to its database, or find that the ledger has it already.

    Raises ModuleError where PostgreSQL refuses a statement, RefusedError where applying would be a guess, BusyError
    where somebody else holds the lock, LedgerError where the ledger is another stack's; nothing is changed then.
    """
    with connect(session.target, autocommit=True) as connection, locked(connection, session):
        try:
            with connection.transaction():
                return _apply(connection, session, module, digests)
        except ModuleError as error:
            _record_failure(connection, session, module, digests, error)
            raise


def _apply(connection: Connection, session: Session, module: Module, digests: Digests) -> Applied:
    _become(connection, session)
    known = ledger.read(connection) or ledger.create(connection, session.stack)
    if known.stack != session.stack:
        raise LedgerError(
            f"belongs to the stack {known.stack}, not to {session.stack}",
            place=f"the ledger of database {session.target.database}",
            remedy="use that stack, or another database",
        )
    entry = known.entries.get(module.name)
    decision = decide(digests, entry.digests if entry else None)
    if decision.step is Step.UNCHANGED:
        return Applied(decision.step, 0)
    milliseconds = _take(connection, session, module, decision)
    ledger.record(connection, module.name, digests, step=decision.step, stack=session.stack, milliseconds=milliseconds)
    return Applied(decision.step, milliseconds)


def _take(connection: Connection, session: Session, module: Module, decision: Decision) -> float:
    if decision.step is Step.REFUSE:
        raise RefusedError(
            decision.why,
            place=f"{module.path} in database {session.target.database}",
            remedy="take the change back, or write it as a migration",
        )
    if decision.step is not Step.APPLY:
        return 0
    started = time.perf_counter()
    execute(connection, module)
    milliseconds = (time.perf_counter() - started) * 1000
    _become(connection, session)
    return milliseconds


def execute(connection: Connection, module: Module) -> None:
    """Send a module whole and without parameters, so that `%` and `:name` are its own; raises ModuleError."""
    pgconn = connection.pgconn
    pgconn.send_query(module.text.encode())
    results = connection.wait(generators.execute(pgconn))
    if results and results[-1].status == ExecStatus.FATAL_ERROR:
        raise module_error(module, results[-1], len(results) - 1)


def _become(connection: Connection, session: Session) -> None:
    """Take the owner's role and this program's settings, for this transaction only."""
    connection.execute(
        sql.SQL(
            "RESET ALL; SET LOCAL ROLE {owner}; SET LOCAL search_path = public;"
            " SET LOCAL lock_timeout = {lock}; SET LOCAL statement_timeout = {statement}"
        ).format(
            owner=sql.Identifier(session.owner),
            lock=int(session.lock_timeout * 1000),
            statement=int(session.statement_timeout * 1000),
        )
    )


@contextmanager
def locked(connection: Connection, session: Session) -> Generator[None]:
    """Hold this database's lock; raises BusyError naming the session that holds it, after `session.wait` seconds."""
    deadline = time.monotonic() + session.wait
    pause = 0.05
    while connection.execute("SELECT pg_try_advisory_lock(%s, %s)", LOCK).fetchone() != (True,):
        if time.monotonic() > deadline:
            raise BusyError(
                f"another run holds the lock for over {session.wait:g} s{_holder(connection)}",
                place=f"database {session.target.database}",
                remedy="wait for it, or end it",
            )
        time.sleep(pause)
        pause = min(pause * 2, 1)
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute("SELECT pg_advisory_unlock(%s, %s)", LOCK)


def _holder(connection: Connection) -> str:
    row = connection.execute(HOLDER, LOCK).fetchone()
    return f" (pid {row[0]}, application {row[1]!r}, connected since {row[2]})" if row else ""


def _record_failure(
    connection: Connection, session: Session, module: Module, digests: Digests, error: ModuleError
) -> None:
    """Note the failure as an event, where there is a ledger to note it in; the error itself is what counts."""
    if connection.broken:
        return
    try:
        with connection.transaction():
            _become(connection, session)
            known = ledger.read(connection)
            if known and known.stack == session.stack:
                ledger.event(
                    connection,
                    module.name,
                    digests,
                    step=Step.APPLY,
                    stack=session.stack,
                    milliseconds=0,
                    failure=error.sqlstate,
                )
    except psycopg.Error:
        return
