"""What is asked of, and changed in, a running server through a connection.

The driver is imported where it is used: a run that finds the server as it should be opens no connection.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import ServerError
from infra.postgres.connection.scram import verifier
from infra.postgres.connection.target import connect

if TYPE_CHECKING:
    import psycopg

    from infra.postgres.connection.target import Target

RELOAD_SECONDS = 10.0
_POLL_SECONDS = 0.005

IDENTITY = """
SELECT current_setting('data_directory'), current_setting('server_version'), system_identifier::text
FROM pg_control_system()
"""
# Statements that carry a verifier are kept out of the server's log, whatever its settings say.
UNLOGGED = """
SET log_statement = 'none'; SET log_min_duration_statement = -1; SET log_min_duration_sample = -1;
SET log_transaction_sample_rate = 0; SET log_min_error_statement = 'panic'; SET default_transaction_read_only = off;
"""


class WrongPasswordError(ServerError):
    """The server does not take the admin's password."""


@dataclass(frozen=True)
class ServerIdentity:
    """Which server answered; `version` is e.g. "17.10"."""

    version: str
    system_identifier: str


def identify(target: Target, data: Path) -> ServerIdentity:
    """Connect and see that the server at `target` is the one of this data directory (about 0.01 s).

    WrongPasswordError, or ServerError: no answer, or a stranger's.
    """
    from psycopg import OperationalError  # noqa: PLC0415 (see the module's docstring)

    try:
        with connect(target, autocommit=True) as connection:
            row = connection.execute(IDENTITY).fetchone()
    except OperationalError as error:
        raise _refusal(target, error) from None
    if row is None or Path(row[0]).resolve() != data:
        raise ServerError(
            f"port {target.port} is answered by another server, whose data directory is {row[0] if row else 'unknown'}",
            place=str(data),
            remedy="set another port, or stop that server",
        )
    return ServerIdentity(row[1].split()[0], row[2])


def reload(target: Target) -> tuple[str, ...]:
    """Have the configuration files read again; give the parameters that wait for a restart to change."""
    with connect(target, autocommit=True) as connection:
        before = connection.execute("SELECT pg_conf_load_time()").fetchone()
        connection.execute("SELECT pg_reload_conf()")
        deadline = time.monotonic() + RELOAD_SECONDS
        while connection.execute("SELECT pg_conf_load_time()").fetchone() == before:
            if time.monotonic() > deadline:
                raise ServerError(f"did not read its configuration within {RELOAD_SECONDS:g} s", place=str(target))
            time.sleep(_POLL_SECONDS)
        return tuple(row[0] for row in connection.execute("SELECT name FROM pg_settings WHERE pending_restart"))


def set_role_password(target: Target, role: str, password: str) -> None:
    """Give a role a new password; what travels is its verifier, and the log does not get even that."""
    from psycopg import sql  # noqa: PLC0415 (see the module's docstring)

    statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier(password)))
    with connect(target, autocommit=True) as connection:
        connection.execute(UNLOGGED)
        connection.execute(statement)


def _refusal(target: Target, error: psycopg.OperationalError) -> ServerError:
    """Turn libpq's words into one sentence; they hold no password."""
    words = " ".join(str(error).split())
    said = words.rpartition("FATAL: ")[2].strip() if "FATAL: " in words else words
    if "password authentication failed" in words:
        return WrongPasswordError(
            f"the server does not take the password of {target.user}, so it was changed outside this program",
            place=str(target),
            remedy="set it back with ALTER ROLE ... PASSWORD, or adopt the server, which sets it",
        )
    return ServerError(f"the server does not let {target.user} in: {said}", place=str(target))
