"""The sessions of a database that is to be dropped: ended where its rows may be lost, named where not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from infra.errors import RefusedError
from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect_near
from infra.postgres.connection.target import MAINTENANCE_DATABASE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target

_END_SECONDS = 10
_SESSIONS = """
SELECT pid, application_name, usename::text FROM pg_catalog.pg_stat_activity
WHERE datname = %s AND pid <> pg_catalog.pg_backend_pid() AND usesysid IS NOT NULL
ORDER BY pid
"""
_ROLES = "SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname = ANY (%s)"


def close_database(target: Target, roles: Sequence[str], outside: str = MAINTENANCE_DATABASE, *, force: bool) -> None:
    """End all sessions of a database, and let none of its roles open another one; `target` is the administrator's.

    Without `force` nothing is ended, and sessions that there are raise RefusedError; so do those that the administrator
    may not end. A database that does not exist has none.
    """
    pool.close_all(target.database)
    connection = connect_near(target, outside)
    if connection is None:
        return
    with connection:
        if not force:
            _refuse(connection, target.database, "end them, and run this again")
            return
        existing = [sql.Identifier(row[0]) for row in connection.execute(_ROLES, (list(roles),))]
        grantees = sql.SQL(", ").join([sql.SQL("PUBLIC"), *existing])
        statement = sql.SQL("REVOKE ALL ON DATABASE {} FROM {}")
        connection.execute(statement.format(sql.Identifier(target.database), grantees))
        try:
            for pid, _, _ in connection.execute(_SESSIONS, (target.database,)).fetchall():
                connection.execute("SELECT pg_catalog.pg_terminate_backend(%s, %s)", (pid, _END_SECONDS * 1000))
        except InsufficientPrivilege:
            remedy = f"have them ended by somebody who may, since {target.user} may not; run this again"
            _refuse(connection, target.database, remedy)


def _refuse(connection: Connection, database: str, remedy: str) -> None:
    sessions = [
        f"pid {pid} ({application or 'no application name'}, role {user})"
        for pid, application, user in connection.execute(_SESSIONS, (database,))
    ]
    if sessions:
        raise RefusedError(f"is in use by {', '.join(sessions)}", place=f"database {database}", remedy=remedy)
