"""Memberships of roles: the administrator's in the roles that it created, and those that nobody declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from infra.errors import RefusedError
from infra.postgres.connection.connect import connect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target

SET_OPTION_VERSION = 160_000
"""The first server version whose GRANT of a membership has the options INHERIT and SET."""

_GRANTORS = """
SELECT pg_catalog.pg_get_userbyid(grantor)::text FROM pg_catalog.pg_auth_members
WHERE pg_catalog.pg_get_userbyid(roleid) = %s AND pg_catalog.pg_get_userbyid(member) = %s
"""

_SUPERUSER_IN = """
SELECT r.rolname::text FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r ON r.oid = m.member
WHERE pg_catalog.pg_get_userbyid(m.roleid) = %s AND r.rolname = current_user AND r.rolsuper
"""


def grant_to_admin(target: Target, roles: Sequence[str]) -> None:
    """Grant the administrator a membership in roles that it created, with SET ROLE; a superuser needs none.

    From PostgreSQL 16 on, its membership in a role that it created has only ADMIN OPTION (manual, CREATE ROLE).
    """
    with connect(target) as connection:
        for statement in admin_grants(connection, roles):
            connection.execute(statement)


def admin_grants(connection: Connection, roles: Sequence[str]) -> list[sql.Composed]:
    """Return the statements that grant these memberships to the connection's user, none for a superuser."""
    if connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (True,):
        return []
    has_options = connection.info.server_version >= SET_OPTION_VERSION
    options = sql.SQL(" WITH INHERIT TRUE, SET TRUE" if has_options else "")
    return [sql.SQL("GRANT {} TO CURRENT_USER{}").format(sql.Identifier(role), options) for role in roles]


def leave_owner(connection: Connection, owner: str) -> None:
    """Revoke the membership of an administrator who is a superuser in the owner of a database.

    The postgresql plugin joins the owner while it creates the database, and stays a member where it is killed then.
    """
    member = connection.execute(_SUPERUSER_IN, (owner,)).fetchone()
    if member:
        revoke_membership(connection, owner, member[0])


def revoke_membership(connection: Connection, role: str, member: str) -> None:
    """Revoke a membership, whoever granted it: from PostgreSQL 16 on there may be several (manual, REVOKE).

    Raises RefusedError where an administrator may not: only a superuser may revoke whatever another role granted.
    """
    of_each = connection.info.server_version >= SET_OPTION_VERSION
    for (grantor,) in connection.execute(_GRANTORS, (role, member)).fetchall() if of_each else [("",)]:
        by = sql.SQL(" GRANTED BY {}").format(sql.Identifier(grantor)) if grantor else sql.SQL("")
        revoke = sql.SQL("REVOKE {} FROM {}{} CASCADE").format(sql.Identifier(role), sql.Identifier(member), by)
        try:
            connection.execute(revoke)
        except InsufficientPrivilege:
            raise RefusedError(
                f"{grantor or 'another role'} made {member} a member; only a role with its privileges may undo that",
                place=f"role {role}",
                remedy=f"have it run: {revoke.as_string(connection)}",
            ) from None
