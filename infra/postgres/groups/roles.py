"""The roles of a group's databases, created in one transaction and marked as the group's by a comment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from infra.postgres.connection.connect import connect
from infra.postgres.connection.scram import verifier
from infra.postgres.connection.simple_query import simple_query
from infra.postgres.groups.group import LOGINS
from infra.postgres.privileges import admin_grants

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from infra.postgres.connection.pool import Connection
    from infra.postgres.groups.group import GroupSpec

_ROLES = ("owner", *LOGINS)

EXISTING_ROLES = """
SELECT rolname::text, pg_catalog.shobj_description(oid, 'pg_authid') FROM pg_catalog.pg_roles
WHERE rolname = ANY (%s)
"""


def roles_of(group: GroupSpec, databases: Iterable[str]) -> list[str]:
    """Return the names of all roles of databases, each once: in a shared group they have the same."""
    return list(dict.fromkeys(group.role(database, role) for database in databases for role in _ROLES))


def foreign_roles(connection: Connection, group: GroupSpec, databases: Sequence[str]) -> dict[str, list[str]]:
    """Return, by database, the roles of its names that exist and are not this group's."""
    rows = connection.execute(EXISTING_ROLES, (roles_of(group, databases),)).fetchall()
    foreign = {name for name, comment in rows if comment != group.mark}
    found = {database: [name for name in roles_of(group, [database]) if name in foreign] for database in databases}
    return {database: names for database, names in found.items() if names}


def ensure_roles(group: GroupSpec, databases: Sequence[str]) -> None:
    """Create the roles of databases that do not exist, mark them, and set the password of each login, all or nothing.

    The migrator becomes a member of the owner, and an administrator who is no superuser one of all. Passwords are sent
    as SCRAM verifiers.
    """
    names = roles_of(group, databases)
    if not names:
        return
    with connect(group.admin) as connection:
        existing = {row[0] for row in connection.execute(EXISTING_ROLES, (names,))}
        statements = [
            statement
            for database in (databases[:1] if group.shared else databases)
            for role in _ROLES
            for statement in _role_statements(group, database, role, exists=group.role(database, role) in existing)
        ]
        statements += admin_grants(connection, names)
        statements += [
            sql.SQL("GRANT {} TO {}").format(
                sql.Identifier(group.role(database, "owner")), sql.Identifier(group.role(database, "migrator"))
            )
            for database in (databases[:1] if group.shared else databases)
        ]
        simple_query(connection, "; ".join(statement.as_string(connection) for statement in statements))


def _role_statements(group: GroupSpec, database: str, role: str, *, exists: bool) -> list[sql.Composed]:
    name = group.role(database, role)
    verb = "ALTER" if exists else "CREATE"
    attributes = sql.SQL("NOLOGIN")
    if role in LOGINS:
        attributes = sql.SQL("LOGIN PASSWORD {}").format(sql.Literal(verifier(group.password(name))))
    return [
        sql.SQL("{} ROLE {} {}").format(sql.SQL(verb), sql.Identifier(name), attributes),
        sql.SQL("COMMENT ON ROLE {} IS {}").format(sql.Identifier(name), sql.Literal(group.mark)),
    ]


def drop_roles(group: GroupSpec, databases: Sequence[str]) -> None:
    """Drop the roles of databases that are dropped already, where they are this group's."""
    with connect(group.admin) as connection:
        rows = connection.execute(EXISTING_ROLES, (roles_of(group, databases),)).fetchall()
        for name in (name for name, comment in rows if comment == group.mark):
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))
