"""Roles and a database that an adopted server may have already: what is missing is created, then all are imported.

Pulumi imports a resource by its name and fails where it does not exist. The attributes are those with which the
postgresql provider creates roles and databases, so that the import finds nothing to change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from infra.postgres.connection.connect import connect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target


def ensure_importable(
    target: Target, *, database: str, owner: str, migrator: str, verifiers: Mapping[str, str]
) -> None:
    """Create the roles and the database that do not exist, and give every login role its SCRAM verifier.

    `verifiers` maps login roles to verifiers; the migrator, one of them, becomes a member of the owner.
    """
    with connect(target, autocommit=True) as connection:
        _ensure_role(connection, owner, "NOLOGIN")
        for role in verifiers:
            _ensure_role(connection, role, "LOGIN")
            _execute(connection, "ALTER ROLE {} PASSWORD {}", sql.Identifier(role), sql.Literal(verifiers[role]))
        _execute(connection, "GRANT {} TO {}", sql.Identifier(owner), sql.Identifier(migrator))
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone() is None:
            _execute(
                connection,
                "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'",
                sql.Identifier(database),
                sql.Identifier(owner),
            )


def _ensure_role(connection: Connection, name: str, attributes: str) -> None:
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone() is None:
        _execute(connection, f"CREATE ROLE {{}} {attributes}", sql.Identifier(name))


def _execute(connection: Connection, statement: str, *parts: sql.Composable) -> None:
    connection.execute(sql.SQL(statement).format(*parts))  # pyright: ignore[reportArgumentType] (no user's text)
