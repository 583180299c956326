"""A running server through its admin's connection: its identity, a reload, a new password.

The driver is imported in the functions that use it: a preview without changes opens no connection.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import ServerError
from infra.postgres.connection.connect import connect

if TYPE_CHECKING:
    import psycopg

    from infra.postgres.connection.target import Target

RELOAD_SECONDS = 10.0
_POLL_SECONDS = 0.005

_IDENTITY_QUERY = """
SELECT current_setting('data_directory'), current_setting('server_version'), system_identifier::text
FROM pg_control_system()
"""
# Keeps the statement with the SCRAM verifier out of the server's log, whatever the settings of the stack are.
_UNLOGGED = """
SET log_statement = 'none'; SET log_min_duration_statement = -1; SET log_min_duration_sample = -1;
SET log_transaction_sample_rate = 0; SET log_min_error_statement = 'panic'; SET default_transaction_read_only = off;
"""


class WrongPasswordError(ServerError):
    """The server does not accept the admin's password."""


@dataclass(frozen=True)
class ServerIdentity:
    """The version of a server, e.g. "17.10", and the identifier that initdb gave its data directory."""

    version: str
    system_identifier: str


def identify(target: Target, data: Path) -> ServerIdentity:
    """Return the identity of the server at `target` after a check that it runs on this data directory (0.01 s).

    Raises WrongPasswordError, and ServerError when no server answers, or one of another data directory.
    """
    from psycopg import OperationalError  # noqa: PLC0415 (see the module's docstring)

    try:
        with connect(target, autocommit=True) as connection:
            row = connection.execute(_IDENTITY_QUERY).fetchone()
    except OperationalError as error:
        raise _connection_error(target, error) from None
    if row is None or Path(row[0]).resolve() != data:
        raise ServerError(
            f"port {target.port} is answered by another server, whose data directory is {row[0] if row else 'unknown'}",
            place=str(data),
            remedy="set another port, or stop that server",
        )
    return ServerIdentity(row[1].split()[0], row[2])


def reload(target: Target) -> tuple[str, ...]:
    """Reload the configuration files; return the names of the parameters that need a restart to change."""
    with connect(target, autocommit=True) as connection:
        previous = connection.execute("SELECT pg_conf_load_time()").fetchone()
        connection.execute("SELECT pg_reload_conf()")
        deadline = time.monotonic() + RELOAD_SECONDS
        while connection.execute("SELECT pg_conf_load_time()").fetchone() == previous:
            if time.monotonic() > deadline:
                raise ServerError(f"did not read its configuration within {RELOAD_SECONDS:g} s", place=str(target))
            time.sleep(_POLL_SECONDS)
        return tuple(row[0] for row in connection.execute("SELECT name FROM pg_settings WHERE pending_restart"))


def set_role_password(target: Target, role: str, password: str) -> None:
    """Set the password of a role; only its SCRAM verifier is sent, and the server does not log that either."""
    from psycopg import sql  # noqa: PLC0415 (see the module's docstring)

    from infra.postgres.connection.scram import verifier  # noqa: PLC0415

    statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier(password)))
    with connect(target, autocommit=True) as connection:
        connection.execute(_UNLOGGED)
        connection.execute(statement)


def _connection_error(target: Target, error: psycopg.OperationalError) -> ServerError:
    """Return the error of a failed connection, in one sentence and without the password."""
    from infra.postgres.connection.failure import INVALID_PASSWORD, server_message  # noqa: PLC0415 (see the module's docstring)

    if error.sqlstate == INVALID_PASSWORD:
        return WrongPasswordError(
            f"the server does not accept the password of {target.user}, which was changed outside this program",
            place=str(target),
            remedy="set it back with ALTER ROLE ... PASSWORD, or adopt the server, which resets it",
        )
    return ServerError(f"the connection of {target.user} failed: {server_message(error)}", place=str(target))
