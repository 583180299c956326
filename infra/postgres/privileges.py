"""Who may enter a database and its schema public; PUBLIC is every role there is (PostgreSQL manual, 5.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from infra.postgres.connection.target import Target, connect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EXPLICIT_SET = 160_000

OPEN = """
SELECT coalesce(string_agg(privilege, ', ' ORDER BY privilege), '')
FROM (
    SELECT x.privilege_type || ' on database' AS privilege
    FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x
    WHERE d.datname = current_database() AND x.grantee = 0
    UNION ALL
    SELECT x.privilege_type || ' on schema public'
    FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) x
    WHERE n.nspname = 'public' AND x.grantee = 0
) AS found
"""


def restrict(target: Target, *, owner: str, readers: Sequence[str]) -> None:
    """Take every privilege on the database and on schema public from PUBLIC; the owner creates, readers use."""
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


def set_verifiers(target: Target, verifiers: Mapping[str, str]) -> None:
    """Give roles their passwords as SCRAM verifiers; a role that is not there is left alone."""
    with connect(target) as connection:
        there = {row[0] for row in connection.execute("SELECT rolname::text FROM pg_roles")}
        for role in sorted(there & verifiers.keys()):
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifiers[role]))
            )


def let_admin_become(target: Target, roles: Sequence[str]) -> None:
    """Make the administrator a member of roles that it has made, who may become them; a superuser may already.

    From PostgreSQL 16 on its membership in a role that it has made is administrative only (manual, CREATE ROLE).
    """
    with connect(target) as connection:
        if connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (True,):
            return
        options = sql.SQL(" WITH INHERIT TRUE, SET TRUE" if connection.info.server_version >= EXPLICIT_SET else "")
        for role in roles:
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER{}").format(sql.Identifier(role), options))


def open_to_public(target: Target) -> str | None:
    """Name what PUBLIC may still do, '' for nothing, or give None where there is no such database."""
    try:
        with connect(target) as connection:
            (found,) = connection.execute(OPEN).fetchone() or ("",)
            return str(found)
    except psycopg.OperationalError as error:
        if f'database "{target.database}" does not exist' in str(error):
            return None
        raise
