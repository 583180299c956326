"""The identity of a ledger: the stack, server and database that it belongs to; a ledger in a copy is another's."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast
from weakref import WeakKeyDictionary, WeakSet

from psycopg import errors
from psycopg.pq import TransactionStatus

from infra.errors import LedgerError
from infra.plan.ledger_rows import LedgerIdentity, Program

if TYPE_CHECKING:
    from collections.abc import Generator

    from typing_extensions import LiteralString

    from infra.postgres.connection.pool import Connection

_FORMAT = 1
_PLACE = "sqlmodule.identity"

_IDENTITY = """
SELECT format, stack, system_identifier, database, (SELECT coalesce(max(id), 0) FROM sqlmodule.event)
FROM sqlmodule.identity
"""

CURRENT_DATABASE = """
SELECT s.system_identifier::text, d.oid FROM pg_control_system() s, pg_database d WHERE d.datname = current_database()
"""

_TO_OWNER = """
SELECT set_config('role', rolname, true) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
WHERE c.oid = 'sqlmodule.identity'::regclass
"""

_current: WeakKeyDictionary[Connection, tuple[str, int]] = WeakKeyDictionary()
_with_ledger: WeakSet[Connection] = WeakSet()


@cache
def _sql_file(name: str) -> LiteralString:
    return cast("LiteralString", Path(__file__).with_name(name).read_text())


def ledger_exists(connection: Connection) -> bool:
    """Return whether the database has a ledger; once it has one, that is remembered with the connection."""
    if connection not in _with_ledger:
        if connection.execute("SELECT to_regclass('sqlmodule.identity')").fetchone() == (None,):
            return False
        if connection.info.transaction_status == TransactionStatus.IDLE:  # else it may still be rolled back
            _with_ledger.add(connection)
    return True


def read_identity(connection: Connection) -> LedgerIdentity | None:
    """Return the ledger's identity, None where there is no ledger; raises LedgerError for an unsupported format."""
    found = read_identity_and_event(connection)
    return found[0] if found else None


def read_identity_and_event(connection: Connection) -> tuple[LedgerIdentity, int] | None:
    """Return what `read_identity` does, and the number of the ledger's last event, 0 for none."""
    if not ledger_exists(connection):
        return None
    with translated_format_errors():
        row = connection.execute(_IDENTITY).fetchone()
    if row is None:
        raise LedgerError("the ledger's identity row is missing", place=_PLACE, remedy="restore it from a backup")
    if row[0] > _FORMAT:
        raise LedgerError(
            f"the ledger has format {row[0]}, and this version of the program supports {_FORMAT}",
            place=_PLACE,
            remedy="use the newer version that wrote it",
        )
    return LedgerIdentity(row[1], row[2], row[3]), int(row[4])


@contextmanager
def translated_format_errors() -> Generator[None]:
    """Raise LedgerError for tables or columns that the ledger lacks."""
    try:
        yield
    except (errors.UndefinedColumn, errors.UndefinedTable) as error:
        raise LedgerError(
            f"its tables are not those of format {_FORMAT} ({error.diag.message_primary})",
            place="schema sqlmodule",
            remedy="use the version of the program that created it, or restore the schema from a backup",
        ) from None


def current_identity(connection: Connection, program: Program) -> LedgerIdentity:
    """Return the identity that a program's ledger has; server and database are read once a connection."""
    if connection not in _current:
        row = connection.execute(CURRENT_DATABASE).fetchone() or ("", 0)
        _current[connection] = (str(row[0]), int(row[1]))
    return LedgerIdentity(program.ledger, *_current[connection])


def follow_rename(connection: Connection, program: Program, formerly: str) -> None:
    """Write the stack's name into a ledger that has its former one, if server and database are those of the ledger."""
    if not formerly:
        return
    identity, current = read_identity(connection), current_identity(connection, program)
    if program.beside and identity == current:
        _rename_rows(connection, replace(program, stack=formerly).row(""), program.row(""))
    elif identity == replace(current, stack=formerly):
        write_identity(connection, current)


def _rename_rows(connection: Connection, before: str, now: str) -> None:
    """Replace what the names of a program's rows begin with, as the ledger's owner."""
    with connection.transaction():
        connection.execute(_TO_OWNER)
        for table in (b"sqlmodule.ledger", b"sqlmodule.resume"):
            connection.execute(
                b"UPDATE " + table + b" SET module = %(now)s || substr(module, length(%(before)s) + 1)"
                b" WHERE starts_with(module, %(before)s)",
                {"before": before, "now": now},
            )


def write_identity(connection: Connection, identity: LedgerIdentity) -> None:
    """Write another identity into a ledger, as its owner."""
    with connection.transaction():
        connection.execute(_TO_OWNER)
        connection.execute(
            "UPDATE sqlmodule.identity SET stack = %s, system_identifier = %s, database = %s",
            (identity.stack, identity.system_identifier, identity.database),
        )


def create_ledger(connection: Connection, program: Program) -> LedgerIdentity:
    """Create the ledger in the current transaction, owned by the current role, and return its identity."""
    identity = current_identity(connection, program)
    connection.execute(_sql_file("ledger.sql"))
    leave_to_owner(connection)
    connection.execute(
        "INSERT INTO sqlmodule.identity (format, stack, system_identifier, database) VALUES (%s, %s, %s, %s)",
        (_FORMAT, identity.stack, identity.system_identifier, identity.database),
    )
    return identity


def leave_to_owner(connection: Connection) -> None:
    """Revoke from other roles what the owner's default privileges give them in the ledger's schema."""
    connection.execute(_sql_file("only_owner.sql"))
