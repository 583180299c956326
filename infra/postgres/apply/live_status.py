"""The status of a live database: ledger and catalog of one moment, read with limits of time, and the drift in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
from psycopg.errors import LockNotAvailable

from infra.catalog.catalog import Catalog
from infra.errors import LedgerError
from infra.modules.decision import ModuleState
from infra.plan.database_status import DatabaseStatus
from infra.plan.ledger_rows import own_rows
from infra.postgres.apply.plan_cache import cache
from infra.postgres.connection.connect import connect
from infra.postgres.connection.error_messages import translate_error
from infra.postgres.connection.failure import ConnectionFailure, classify_connection_error
from infra.postgres.connection.watches import exclusive_holders
from infra.postgres.introspection.reader import is_empty, read_catalog
from infra.postgres.ledger import ledger
from infra.postgres.ledger.identity import current_identity, read_identity

if TYPE_CHECKING:
    from infra.plan.ledger_rows import Program
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session
    from infra.postgres.connection.target import Target

_CONNECT_SECONDS = 2
_STATEMENT_SECONDS = 10
"""The time limits of a look: to connect, and for any statement."""
_LOCK_SECONDS = 5.0
"""How long reading a catalog waits for who has a table exclusively: PostgreSQL opens it to show its indexes."""


def detect_drift(session: Session, module: str) -> str | None:
    """Return an applied module's drift as changed lines, '' for none, None where its row or the database is missing.

    The database is read once for all its modules. Raises ServerError when it cannot be read, LedgerError when its
    ledger is another stack's.
    """

    def read() -> DatabaseStatus | None:
        try:
            with connect(session.target, autocommit=True) as connection:
                return read_status(connection, session.program)
        except psycopg.OperationalError as error:
            if classify_connection_error(error) is not ConnectionFailure.NO_DATABASE:
                raise translate_error(error, session.place) from None
            return None

    database = cache.status(session.key, read)
    if database is None or module not in database.entries:
        return None
    if database.is_foreign():
        raise LedgerError(f"the database {ModuleState.FOREIGN.value}", place=session.place)
    return "\n".join(map(str, database.drift(module)))


def read_status(connection: Connection, program: Program, formerly: str = "") -> DatabaseStatus:
    """Read ledger and catalog in one transaction, so that both are of one moment; raises LedgerError.

    A ledger that differs in the stack's name alone, and has a former one of this stack, is this stack's; so are rows.
    Raises LockNotAvailable, which names the session, where somebody has a table exclusively for long.
    """
    try:
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return _read_status(connection, program, formerly)
    except LockNotAvailable:
        holders = ", ".join(map(str, exclusive_holders(connection)))
        raise LockNotAvailable(f"a table is locked by {holders or 'a session that has ended'}") from None


def _read_status(connection: Connection, program: Program, formerly: str) -> DatabaseStatus:
    current = current_identity(connection, program)
    identity = read_identity(connection)
    if formerly and identity == replace(current, stack=formerly):
        identity = current
    rows = {entry.module: entry for entry in ledger.read_entries(connection)} if identity else {}
    unfinished = ledger.read_unfinished(connection) if identity else {}
    programs = (program, replace(program, stack=formerly)) if formerly else (program,)
    has_nothing = identity is None and is_empty(connection)
    limit = f"{_LOCK_SECONDS * 1000:.0f}ms"
    return DatabaseStatus(
        identity,
        current,
        own_rows(rows, *programs),
        Catalog() if has_nothing else read_catalog(connection, lock_timeout=limit),
        own_rows(unfinished, *programs),
        connection.info.server_version,
        {name: entry for name, entry in {**unfinished, **rows}.items() if not own_rows({name: entry}, *programs)},
    )


def connect_to_look(target: Target) -> Connection:
    """Return a connection that only reads, with the time limits of a look.

    Only the session is made so after the login: with `target_session_attrs` libpq refuses one that begins as read-only.
    """
    connection = connect(with_time_limits(target), autocommit=True)
    connection.execute("SET default_transaction_read_only = on")
    return connection


def with_time_limits(target: Target) -> Target:
    """Return a target whose sessions give up soon."""
    return replace(
        target,
        options={**target.options, "connect_timeout": str(_CONNECT_SECONDS)},
        settings={"statement_timeout": f"{_STATEMENT_SECONDS}s"},
    )
