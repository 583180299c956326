"""What roles and a database are and are set to, beside what is granted: the stack declares little of that.

Its roles are logins or owners; its databases have an owner, no limit of connections, and are no templates. Any other
attribute (SUPERUSER, CONNECTION LIMIT, …) is somebody else's, found and taken back as privileges are. So is a setting
of its roles, or in its database, that no module made (PostgreSQL manual, ALTER ROLE … SET and ALTER DATABASE … SET).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from infra.catalog.catalog import SETTING
from infra.catalog.changes import CatalogChange, database_settings
from infra.errors import RefusedError
from infra.modules.module import order
from infra.postgres.introspection.copied_rows import copied_rows

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from infra.postgres.connection.pool import Connection

_ATTRIBUTES = """
SELECT 'role', r.rolname::text, a.attribute, a.declared
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
SELECT 'database', d.datname::text, a.attribute, a.declared
FROM pg_catalog.pg_database d
CROSS JOIN LATERAL (
    VALUES (NOT d.datallowconn, 'ALLOW_CONNECTIONS false', 'ALLOW_CONNECTIONS true'),
        (d.datconnlimit <> -1, 'CONNECTION LIMIT ' || d.datconnlimit, 'CONNECTION LIMIT -1'),
        (d.datistemplate, 'IS_TEMPLATE true', 'IS_TEMPLATE false'),
        (pg_catalog.pg_get_userbyid(d.datdba) <> %(owner)s,
            'OWNER ' || pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(d.datdba)),
            'OWNER TO ' || pg_catalog.quote_ident(%(owner)s))
) AS a (is_other, attribute, declared)
WHERE d.datname = %(database)s AND a.is_other
ORDER BY 1, 2, 3
"""
"""What is not as declared: of which role or database, the attribute, what ALTER has to say instead."""

_CLOSING = ("ALLOW_CONNECTIONS", "CONNECTION LIMIT")
_WITH_VALUES = (*_CLOSING, "VALID UNTIL", "OWNER", "IS_TEMPLATE")
_HALF_DROPPED = """
SELECT d.datname::text FROM pg_catalog.pg_database d WHERE d.datname = ANY (%s) AND d.datconnlimit = -2 ORDER BY 1
"""
"""What DROP DATABASE writes first; where it was interrupted, what is left can only be dropped."""

_SETTINGS = """
SELECT r.rolname::text, d.datname::text, c.parameter,
    pg_catalog.substr(s.setting, pg_catalog.strpos(s.setting, '=') + 1)
FROM (SELECT setdatabase, setrole, pg_catalog.unnest(setconfig) AS setting FROM pg_catalog.pg_db_role_setting) AS s
CROSS JOIN LATERAL pg_catalog.split_part(s.setting, '=', 1) AS c (parameter)
LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
WHERE (d.datname = %(database)s OR r.rolname = ANY (%(names)s))
  AND (s.setrole <> 0 OR c.parameter <> 'default_transaction_read_only')
ORDER BY 1, 2, 3
"""
"""The settings of roles, and of all sessions in the database.

Values are compared and never shown: that of an application's own parameter may be a secret. Left out is what an
operator sets for a database to keep changes out: this program's runs are kept out too, and say so.
"""


class DatabaseSetting(NamedTuple):
    """A parameter that a database sets for its sessions, or for those of one role."""

    role: str | None
    parameter: str
    value: str


IS_NOT_TO_HAVE = "is not to have it"


@dataclass(frozen=True)
class Deviation:
    """An attribute or a setting that a role or a database has and is not to have, or the other way about.

    `subject` is `role a` or `database b`, `pattern` the name by which `modules.unmanaged` expects it. The statement
    takes it back; a setting that it takes over from the session is `restored` before.
    """

    subject: str
    what: str
    pattern: str
    statement: sql.Composed
    expected: str = IS_NOT_TO_HAVE
    restored: DatabaseSetting | None = None

    def __str__(self) -> str:
        return f"{self.subject.removeprefix('role ')} has {self.what}, and {self.expected}"


def deviations(connection: Connection, database: str, owner: str, logins: Sequence[str]) -> list[Deviation]:
    """Return what the owner of a database, its logins, and the database itself have that is not declared.

    The owner has no login. What modules set is known through a connection to the database itself alone.
    """
    values = {"database": database, "owner": owner, "names": [owner, *logins]}
    attributes = connection.execute(_ATTRIBUTES, values).fetchall()
    settings = connection.execute(_SETTINGS, values).fetchall()
    made = _made_by_modules(connection) if connection.info.dbname == database else {}
    return [
        *(_attribute(*row) for row in attributes),
        *_settings(database, settings, made),
    ]


def closing_deviations(connection: Connection, database: str, owner: str) -> list[Deviation]:
    """Return what keeps sessions out of a database, read from another one of its server; raises RefusedError.

    That is for a database that nothing lets anybody enter again.
    """
    refuse_half_dropped(connection, [database])
    rows = connection.execute(_ATTRIBUTES, {"database": database, "owner": owner, "names": list[str]()}).fetchall()
    return [_attribute(*row) for row in rows if row[2].startswith(_CLOSING)]


def refuse_half_dropped(connection: Connection, databases: Sequence[str]) -> None:
    """Raise RefusedError for one of these databases of which an interrupted DROP DATABASE left something."""
    row = connection.execute(_HALF_DROPPED, (list(databases),)).fetchone()
    if row:
        statement = sql.SQL("DROP DATABASE {}").format(sql.Identifier(row[0])).as_string(connection)
        raise RefusedError(
            "is what an interrupted DROP DATABASE left, which nobody can enter again",
            place=f"database {row[0]}",
            remedy=f"have its owner run {statement} in another database, then run `pulumi up`",
        )


def take_back(connection: Connection, found: Sequence[Deviation], owner: str) -> None:
    """Set roles and the database to what is declared; raises RefusedError where nobody but a superuser may."""
    for deviation in found:
        try:
            if deviation.restored:
                _restore(connection, deviation.statement, deviation.restored, owner)
            else:
                connection.execute(deviation.statement)
        except InsufficientPrivilege:
            statement = deviation.statement.as_string(connection)
            remedy = (
                f"name {deviation.pattern!r} in modules.unmanaged"
                if deviation.restored
                else f"have one run: {statement}"
            )
            raise RefusedError(
                f"{deviation}; only a superuser may change that", place=deviation.subject, remedy=remedy
            ) from None


def _restore(connection: Connection, statement: sql.Composed, setting: DatabaseSetting, owner: str) -> None:
    """Set a parameter again with the rights of the database's owner, who wrote in the ledger what it was.

    The administrator's next statements find role and parameter as they were: with another search_path they would run
    operators of the owner's.
    """
    query = "SELECT pg_catalog.current_setting('role'), pg_catalog.current_setting(%s, true)"
    role, before = connection.execute(query, (setting.parameter,)).fetchone() or ("none", "")
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(owner)))
    set_in_session(connection, setting)
    connection.execute(statement)
    set_in_session(connection, setting._replace(value=before or ""))
    set_in_session(connection, DatabaseSetting(None, "role", role))


def set_in_session(connection: Connection, setting: DatabaseSetting) -> None:
    """Set a parameter in the current transaction, for a statement that says FROM CURRENT.

    The value of a list such as search_path is no literal, but set_config() takes it as it is stored.
    """
    connection.execute("SELECT pg_catalog.set_config(%s, %s, true)", (setting.parameter, setting.value))


def parameter_name(parameter: str) -> sql.Identifier:
    """Return the name of a parameter as SQL: an application's own has two parts."""
    return sql.Identifier(*parameter.split("."))


def _attribute(kind: str, name: str, attribute: str, declared: str) -> Deviation:
    subject = f"{kind} {name}"
    statement = sql.SQL("ALTER {} {} {}").format(sql.SQL(kind.upper()), sql.Identifier(name), sql.SQL(declared))  # pyright: ignore[reportArgumentType] (constants)
    without_value = next((word for word in _WITH_VALUES if attribute.startswith(word)), attribute)
    expected = f"is to have {declared.replace(' TO', '')}" if declared.startswith("OWNER") else IS_NOT_TO_HAVE
    return Deviation(subject, attribute, f"{without_value} of {subject}", statement, expected)


def _settings(
    database: str, found: Sequence[tuple[Any, ...]], made: Mapping[str, tuple[str, str]]
) -> Generator[Deviation]:
    """Yield the settings that are not as modules made them; `made` has the value and the module by parameter."""
    of_database = {parameter: value for role, _, parameter, value in found if role is None}
    for role, where, parameter, value in found:
        if role is not None:
            yield _setting(f"role {role}", parameter, where)
        elif parameter not in made:
            yield _setting(f"database {database}", parameter)
        elif value != made[parameter][0]:
            yield _changed(database, parameter, "another setting", *made[parameter])
    for parameter in sorted(made.keys() - of_database.keys()):
        yield _changed(database, parameter, "no setting", *made[parameter])


def _setting(subject: str, parameter: str, where: str | None = None) -> Deviation:
    kind, _, name = subject.partition(" ")
    place = sql.SQL(" IN DATABASE {}").format(sql.Identifier(where)) if where else sql.SQL("")
    statement = sql.SQL("ALTER {} {}{} RESET {}").format(
        sql.SQL(kind.upper()),  # pyright: ignore[reportArgumentType] (constants)
        sql.Identifier(name),
        place,
        parameter_name(parameter),
    )
    suffix = f" in database {where}" if where else ""
    pattern = f"setting {parameter} of {subject}{suffix}"
    return Deviation(subject, f"a setting of {parameter}{suffix}", pattern, statement)


def _changed(database: str, parameter: str, what: str, value: str, module: str) -> Deviation:
    """Return a setting that a module made and somebody changed."""
    names = sql.Identifier(database), parameter_name(parameter)
    return Deviation(
        f"database {database}",
        f"{what} of {parameter}",
        f"setting {parameter} of database {database}",
        sql.SQL("ALTER DATABASE {} SET {} FROM CURRENT").format(*names),
        f"is to have the one that module {module} made",
        DatabaseSetting(None, parameter, value),
    )


def _made_by_modules(connection: Connection) -> dict[str, tuple[str, str]]:
    """Return what modules set in the connected database: the value, and the last module, by parameter.

    A ledger says nothing that is missing, or not as this program made it: it is the owner's.
    """
    try:
        rows = copied_rows(connection, "sqlmodule.ledger", ["module", "objects"])
        effects = {name: json.loads(objects) for name, objects in rows if f'["{SETTING}"' in objects}
        return database_settings((name, CatalogChange.of_json(effects[name])) for name in sorted(effects, key=order))
    except (psycopg.ProgrammingError, ValueError, TypeError):
        return {}
