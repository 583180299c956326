"""What a role is and is set to, beside what it may do: the stack declares logins and owners, and nothing else of them.

Any attribute (SUPERUSER, CREATEDB, VALID UNTIL, …) and any setting (ALTER ROLE … SET) that a stack's role has beyond
that is somebody else's, found and taken back as privileges are (PostgreSQL manual, CREATE ROLE and ALTER ROLE).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from infra.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.postgres.connection.pool import Connection

_ATTRIBUTES = """
SELECT r.rolname::text, a.attribute, a.declared, ''
FROM pg_catalog.pg_roles r
CROSS JOIN LATERAL (
    VALUES (r.rolsuper, 'SUPERUSER', 'NOSUPERUSER'), (r.rolcreatedb, 'CREATEDB', 'NOCREATEDB'),
        (r.rolcreaterole, 'CREATEROLE', 'NOCREATEROLE'), (r.rolreplication, 'REPLICATION', 'NOREPLICATION'),
        (r.rolbypassrls, 'BYPASSRLS', 'NOBYPASSRLS'), (NOT r.rolinherit, 'NOINHERIT', 'INHERIT'),
        (r.rolcanlogin AND r.rolname = %(owner)s, 'LOGIN', 'NOLOGIN'),
        (NOT r.rolcanlogin AND r.rolname <> %(owner)s, 'NOLOGIN', 'LOGIN'),
        (r.rolconnlimit <> -1, 'CONNECTION LIMIT ' || r.rolconnlimit, 'CONNECTION LIMIT -1'),
        (r.rolvaliduntil < 'infinity', pg_catalog.format('VALID UNTIL %%L', r.rolvaliduntil),
            'VALID UNTIL ''infinity''')
) AS a (is_other, attribute, declared)
WHERE r.rolname = ANY (%(names)s) AND a.is_other
UNION ALL
SELECT pg_catalog.pg_get_userbyid(s.setrole)::text, 'a setting of ' || pg_catalog.split_part(c.setting, '=', 1)
        || coalesce(' in database ' || d.datname, ''),
    pg_catalog.split_part(c.setting, '=', 1), coalesce(d.datname::text, '')
FROM pg_catalog.pg_db_role_setting s
CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c (setting)
LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
WHERE pg_catalog.pg_get_userbyid(s.setrole) = ANY (%(names)s)
ORDER BY 1, 2
"""
"""What is not as declared: role, attribute, what ALTER ROLE has to say instead, the database that a setting is for.

Values of settings are not read: a setting of an application's own may be a secret.
"""


class Deviation(NamedTuple):
    """An attribute or a setting that a role has and is not to have; `declared` is the attribute's opposite."""

    role: str
    what: str
    declared: str
    database: str

    def __str__(self) -> str:
        return f"{self.role} has {self.what}, and is not to have it"

    def statement(self) -> sql.Composed:
        """Return the statement that takes it back."""
        role = sql.Identifier(self.role)
        if not self.what.startswith("a setting of "):
            return sql.SQL("ALTER ROLE {} {}").format(role, sql.SQL(self.declared))  # pyright: ignore[reportArgumentType]
        place = sql.SQL(" IN DATABASE {}").format(sql.Identifier(self.database)) if self.database else sql.SQL("")
        parameter = sql.SQL(".").join(map(sql.Identifier, self.declared.split(".")))
        return sql.SQL("ALTER ROLE {}{} RESET {}").format(role, place, parameter)


def deviations(connection: Connection, owner: str, logins: Sequence[str]) -> list[Deviation]:
    """Return what the owner of a database and its logins have that is not declared; the owner has no login."""
    rows = connection.execute(_ATTRIBUTES, {"owner": owner, "names": [owner, *logins]}).fetchall()
    return [Deviation(*row) for row in rows]


def take_back(connection: Connection, found: Sequence[Deviation]) -> None:
    """Set roles to what is declared; raises RefusedError where the administrator may not, with the statement."""
    for deviation in found:
        statement = deviation.statement()
        try:
            connection.execute(statement)
        except InsufficientPrivilege:
            raise RefusedError(
                f"{deviation}; only a superuser may change that",
                place=f"role {deviation.role}",
                remedy=f"have one run: {statement.as_string(connection)}",
            ) from None
