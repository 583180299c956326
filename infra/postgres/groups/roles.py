"""The roles of a group's databases, created in one transaction and marked as the group's by a comment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from infra.postgres.connection.connect import connect
from infra.postgres.connection.scram import verifier
from infra.postgres.connection.simple_query import simple_query
from infra.postgres.memberships import admin_grants
from infra.postgres.privileges import drop_owned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from infra.postgres.connection.pool import Connection
    from infra.postgres.groups.group import GroupSpec

EXISTING_ROLES = """
SELECT rolname::text, pg_catalog.shobj_description(oid, 'pg_authid') FROM pg_catalog.pg_roles
WHERE rolname = ANY (%s)
"""


def _roles(group: GroupSpec) -> tuple[str, ...]:
    return ("owner", *group.logins)


def roles_of(group: GroupSpec, databases: Iterable[str]) -> list[str]:
    """Return the names of all roles of databases, each once: in a shared group they have the same."""
    return list(dict.fromkeys(group.role(database, role) for database in databases for role in _roles(group)))


def foreign_roles(connection: Connection, group: GroupSpec, databases: Sequence[str]) -> dict[str, list[str]]:
    """Return, by database, the roles of its names that exist and are not this group's."""
    rows = connection.execute(EXISTING_ROLES, (roles_of(group, databases),)).fetchall()
    foreign = {name for name, comment in rows if comment != group.mark}
    found = {database: [name for name in roles_of(group, [database]) if name in foreign] for database in databases}
    return {database: names for database, names in found.items() if names}


def ensure_roles(group: GroupSpec, databases: Sequence[str]) -> None:
    """Create the roles of databases that do not exist, mark them, and set the password of each login, all or nothing.

    The migrator becomes a member of the owner, a further role one of the role from which it inherits, and an
    administrator who is no superuser one of all. Passwords are sent as SCRAM verifiers.
    """
    names = roles_of(group, databases)
    if not names:
        return
    with connect(group.admin) as connection:
        existing = {row[0] for row in connection.execute(EXISTING_ROLES, (names,))}
        statements = [
            statement
            for database in (databases[:1] if group.shared else databases)
            for role in _roles(group)
            for statement in _role_statements(group, database, role, exists=group.role(database, role) in existing)
        ]
        statements += admin_grants(connection, names)
        statements += [
            sql.SQL(statement).format(  # pyright: ignore[reportArgumentType] (constants)
                sql.Identifier(group.role(database, other)), sql.Identifier(group.role(database, role))
            )
            for database in (databases[:1] if group.shared else databases)
            for role, inherited in group.logins.items()
            for other, statement in _memberships(inherited, is_further=role in group.further)
        ]
        simple_query(connection, "; ".join(statement.as_string(connection) for statement in statements))


def _memberships(inherited: str, *, is_further: bool) -> Iterator[tuple[str, str]]:
    """Yield the statements for the memberships of a login role, by the role that it is or is not a member of."""
    if inherited:
        yield inherited, "GRANT {} TO {}"
    if is_further:
        yield from ((other, "REVOKE {} FROM {}") for other in ("app", "readonly") if other != inherited)


def _role_statements(group: GroupSpec, database: str, role: str, *, exists: bool) -> list[sql.Composed]:
    name = group.role(database, role)
    verb = "ALTER" if exists else "CREATE"
    attributes = sql.SQL("NOLOGIN")
    if role in group.logins:
        attributes = sql.SQL("LOGIN PASSWORD {}").format(sql.Literal(verifier(group.password(name))))
    return [
        sql.SQL("{} ROLE {} {}").format(sql.SQL(verb), sql.Identifier(name), attributes),
        sql.SQL("COMMENT ON ROLE {} IS {}").format(sql.Identifier(name), sql.Literal(group.mark)),
    ]


def drop_roles(group: GroupSpec, databases: Sequence[str]) -> None:
    """Drop the roles of databases that are dropped already, where they are this group's."""
    _drop(group, roles_of(group, databases))


def drop_former_roles(group: GroupSpec, further: Iterable[str], databases: Sequence[str]) -> None:
    """Drop those of some further roles of databases that the group has no longer; what they may do is revoked first."""
    former = [role for role in further if role not in group.further]
    names = list(dict.fromkeys(group.role(database, role) for database in databases for role in former))
    if names:
        for database in databases:
            drop_owned(group.admin.on(database), names)
        _drop(group, names)


def _drop(group: GroupSpec, names: Sequence[str]) -> None:
    with connect(group.admin) as connection:
        rows = connection.execute(EXISTING_ROLES, (list(names),)).fetchall()
        for name in (name for name, comment in rows if comment == group.mark):
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))
