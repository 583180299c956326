"""Privileges of a database and its schema public, and the administrator's memberships (PostgreSQL manual, 5.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from infra.postgres.connection.connect import connect
from infra.postgres.connection.failure import ConnectionFailure, classify_connection_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.postgres.connection.target import Target

SET_OPTION_VERSION = 160_000
"""The first server version whose GRANT of a membership has the options INHERIT and SET."""

PUBLIC_PRIVILEGES = """
SELECT coalesce(string_agg(privilege, ', ' ORDER BY privilege), '')
FROM (
    SELECT x.privilege_type || ' on database' AS privilege
    FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x
    WHERE d.datname = current_database() AND x.grantee = 0
    UNION ALL
    SELECT x.privilege_type || ' on schema public'
    FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) x
    WHERE n.nspname = 'public' AND x.grantee = 0
) AS granted
"""


def restrict(target: Target, *, owner: str, readers: Sequence[str]) -> None:
    """Revoke every privilege on the database and on schema public from PUBLIC, which is every role there is.

    In the schema the owner is granted CREATE and USAGE, the readers are granted USAGE.
    """
    statements = (
        "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "GRANT CREATE, USAGE ON SCHEMA public TO {owner}",
        "GRANT USAGE ON SCHEMA public TO {readers}",
    )
    names = {
        "database": sql.Identifier(target.database),
        "owner": sql.Identifier(owner),
        "readers": sql.SQL(", ").join(map(sql.Identifier, readers)),
    }
    with connect(target) as connection:
        for statement in statements:
            connection.execute(sql.SQL(statement).format(**names))


def grant_to_admin(target: Target, roles: Sequence[str]) -> None:
    """Grant the administrator a membership in roles that it created, with SET ROLE; a superuser needs none.

    From PostgreSQL 16 on, its membership in a role that it created has only ADMIN OPTION (manual, CREATE ROLE).
    """
    with connect(target) as connection:
        if connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (True,):
            return
        has_options = connection.info.server_version >= SET_OPTION_VERSION
        options = sql.SQL(" WITH INHERIT TRUE, SET TRUE" if has_options else "")
        for role in roles:
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER{}").format(sql.Identifier(role), options))


def public_privileges(target: Target) -> str | None:
    """Return the privileges that PUBLIC has, as text and '' for none, or None where the database does not exist."""
    try:
        with connect(target) as connection:
            (privileges,) = connection.execute(PUBLIC_PRIVILEGES).fetchone() or ("",)
            return str(privileges)
    except psycopg.OperationalError as error:
        if classify_connection_error(error) is ConnectionFailure.NO_DATABASE:
            return None
        raise
