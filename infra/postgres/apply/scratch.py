"""Scratch databases: created empty, used by a login that may do nothing outside of them, and dropped.

A module can reset its role: what it may do is what its login may do. So the login of a scratch database is no superuser
and a member of nothing but the database's owner, and no administrator enters the database once a module has run.
"""

from __future__ import annotations

import secrets
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from infra.errors import ServerError
from infra.postgres.apply.likeness import Likeness, locale_clause, read_likeness
from infra.postgres.apply.scratch_limits import scratch_limits
from infra.postgres.apply.scratch_names import ScratchNames, names_of_its_own, names_stand_for
from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect
from infra.postgres.connection.scram import verifier
from infra.postgres.connection.scratch_target import ScratchTarget
from infra.postgres.connection.target import MAINTENANCE_DATABASE

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from contextlib import AbstractContextManager

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session
    from infra.postgres.connection.target import Target

PREFIX = "platform_postgres_scratch_"
VALID_HOURS = 1
CONNECTIONS = 8
TEMPORARY_FILES = "1GB"
_SET_OPTION_SINCE = 160_000
_DATABASES_OF_INITDB = frozenset({MAINTENANCE_DATABASE, "template0", "template1"})
_PLAIN_LOCALE = {"LC_COLLATE": "C", "LC_CTYPE": "C"}

ABANDONED = rf"""
SELECT label FROM (
    SELECT pg_catalog.substring(datname, '^{PREFIX}\d+_[0-9a-f]+') FROM pg_catalog.pg_database
    UNION SELECT pg_catalog.substring(rolname, '^{PREFIX}\d+_[0-9a-f]+') FROM pg_catalog.pg_roles
) AS existing (label)
WHERE label IS NOT NULL
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE label IN (a.application_name, a.datname))
"""
_RIGHTS = """
SELECT rolsuper, rolsuper OR rolcreatedb AND rolcreaterole FROM pg_catalog.pg_roles WHERE rolname = current_user
"""
_ROLES = "SELECT rolname::text FROM pg_catalog.pg_roles WHERE pg_catalog.starts_with(rolname, %s)"
_END_SESSIONS = "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usename = %s"
_UNTIL = "SELECT pg_catalog.to_char(now() AT TIME ZONE 'UTC' + %s * interval '1 hour', 'YYYY-MM-DD HH24:MI:SS+00')"
_AVAILABLE = "SELECT version::text FROM pg_catalog.pg_available_extension_versions WHERE name = %s"


def scratch_on_server(session: Session) -> AbstractContextManager[ScratchTarget]:
    """Return a scratch database on the session's own server."""
    return scratch_database(session.admin, session_likeness(session), seconds=session.statement_timeout)


def session_likeness(session: Session) -> Likeness:
    """Read what a scratch database for a session's modules is to have in common with the session's database."""
    with pool.connection(session.target) as connection:
        return read_likeness(
            connection,
            owner=session.owner,
            login=session.target.user,
            stack_roles=session.roles,
            extensions=session.extensions,
        )


@contextmanager
def scratch_database(admin: Target, like: Likeness | None = None, *, seconds: float) -> Generator[ScratchTarget]:
    """Create an empty database on a server that others use too, yield it, and drop it with its roles.

    It and its roles have names of their own, and its login is its owner. A module may take `seconds`. Raises
    ServerError where the administrator may not create it, or where a limit was exceeded. What a killed run has left is
    dropped by the next call.
    """
    like = like or Likeness()
    label = f"{PREFIX}{int(time.time())}_{secrets.token_hex(4)}"
    names = names_of_its_own(label, like)
    outside = admin.on(MAINTENANCE_DATABASE)
    with connect(replace(outside, options={**outside.options, "application_name": label}), autocommit=True) as holding:
        _refuse_without_rights(holding, admin)
        _drop_abandoned(holding)
        with _created(holding, admin, names, like, drop_roles=True) as scratch:
            named = replace(scratch, stands_for=names_stand_for(holding, names, like))
            with scratch_limits(outside, named, seconds=seconds):
                yield named


@contextmanager
def identical_database(
    private: Target, like: Likeness, *, seconds: float, statements: Sequence[str] = ()
) -> Generator[ScratchTarget]:
    """Create an empty database with the very names of another one on a private server, yield it, and drop it.

    `private` is the administrator of a server that nobody else uses. All roles and tablespaces of the other server
    exist, without rights. `statements` are run by the administrator before the login is used.
    """
    database = f"{like.database}_scratch" if like.database in _DATABASES_OF_INITDB else like.database
    names = ScratchNames(database, like.owner, like.login, (*like.stack_roles, *like.roles))
    outside = private.on(MAINTENANCE_DATABASE)
    with connect(outside, autocommit=True) as holding:
        _create_tablespaces(holding, like.tablespaces)
        created = _created(holding, private, names, like, statements=statements)
        with created as scratch, scratch_limits(outside, scratch, seconds=seconds):
            yield scratch


@contextmanager
def _created(
    connection: Connection,
    admin: Target,
    names: ScratchNames,
    like: Likeness,
    *,
    statements: Sequence[str] = (),
    drop_roles: bool = False,
) -> Generator[ScratchTarget]:
    """Create roles and database, yield the database, and drop it, and with `drop_roles` them: only what was created."""
    password = secrets.token_urlsafe(24)
    target = replace(admin, database=names.database, user=names.login, password=password)
    with ExitStack() as stack:
        created = _create_roles(connection, names)
        stack.callback(_drop_roles, admin, created if drop_roles else [])
        _enable_login(connection, names, password)
        differences = _create_database(connection, names, like)
        stack.callback(_drop_database, admin, names.database)
        new = replace(admin.on(names.database), settings={"search_path": "public"})  # for extensions without a schema
        with connect(new, autocommit=True) as inside:
            differences += _create_extensions(inside, names.owner, like)
            inside.execute(sql.SQL("GRANT CREATE, USAGE ON SCHEMA public TO {}").format(sql.Identifier(names.owner)))
            for statement in statements:
                inside.execute(statement.encode())
        stack.callback(pool.close_idle, target)
        yield ScratchTarget(target, names.owner, differences=tuple(differences))


def _refuse_without_rights(connection: Connection, admin: Target) -> None:
    row = connection.execute(_RIGHTS.encode()).fetchone()
    if not row or not row[1]:
        raise ServerError(
            f"role {admin.user} may not create a database with a login of its own, and modules are run nowhere else to "
            "see what they make",
            place=f"server {admin.host}:{admin.port}",
            remedy=f"ALTER ROLE {admin.user} CREATEDB CREATEROLE",
        )


def _create_roles(connection: Connection, names: ScratchNames) -> list[str]:
    """Create the roles that do not exist, without rights, and return their names."""
    existing = {str(row[0]) for row in connection.execute(_ROLES, ("",))}
    roles = [role for role in dict.fromkeys([*names.others, names.owner, names.login]) if role not in existing]
    for role in roles:
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
    return roles


def _enable_login(connection: Connection, names: ScratchNames, password: str) -> None:
    """Enable the login for a while, as a member of the owner, without what an earlier use has set for it."""
    until = (connection.execute(_UNTIL, (VALID_HOURS,)).fetchone() or ("",))[0]
    login, owner = sql.Identifier(names.login), sql.Identifier(names.owner)
    options = sql.SQL("LOGIN PASSWORD {} VALID UNTIL {} CONNECTION LIMIT {}")
    enable = options.format(verifier(password), until, CONNECTIONS)
    connection.execute(sql.SQL("ALTER ROLE {} {}").format(login, enable))
    for role in (login, owner):
        connection.execute(sql.SQL("ALTER ROLE {} RESET ALL").format(role))
    is_superuser = connection.execute(_RIGHTS.encode()).fetchone() == (True, True)
    if is_superuser:  # the size of a database does not include them, and the login cannot change this
        connection.execute(sql.SQL("ALTER ROLE {} SET temp_file_limit = {}").format(login, TEMPORARY_FILES))
    if names.login != names.owner:
        connection.execute(sql.SQL("GRANT {} TO {}").format(owner, login))
    if not is_superuser:  # to create the database for the owner
        has_options = connection.info.server_version >= _SET_OPTION_SINCE
        with_options = sql.SQL(" WITH INHERIT TRUE, SET TRUE" if has_options else "")
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER{}").format(owner, with_options))


def _create_tablespaces(connection: Connection, tablespaces: Sequence[str]) -> None:
    """Create tablespaces inside of the data directory, for modules that name them (PostgreSQL manual, 19.17)."""
    existing = {row[0] for row in connection.execute("SELECT spcname::text FROM pg_catalog.pg_tablespace")}
    for name in (name for name in tablespaces if name not in existing):
        connection.execute("SET allow_in_place_tablespaces = on")
        connection.execute(sql.SQL("CREATE TABLESPACE {} LOCATION ''").format(sql.Identifier(name)))
        connection.execute(sql.SQL("GRANT CREATE ON TABLESPACE {} TO PUBLIC").format(sql.Identifier(name)))


def _create_database(connection: Connection, names: ScratchNames, like: Likeness) -> list[str]:
    """Create the database, where the server does not have its locale with another one, and return the difference."""
    create = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 {}")
    database, owner = sql.Identifier(names.database), sql.Identifier(names.owner)
    try:
        connection.execute(create.format(database, owner, locale_clause(like.locale)))
    except psycopg.Error as error:
        if not like.locale or isinstance(error, psycopg.errors.DuplicateDatabase):
            raise
        plain = {"ENCODING": like.locale["ENCODING"], **_PLAIN_LOCALE}
        connection.execute(create.format(database, owner, locale_clause(plain)))
        wanted = " ".join(f"{keyword} {value}" for keyword, value in like.locale.items() if keyword != "ENCODING")
        return [f"its locale is C, and not {wanted}"]
    return []


def _create_extensions(connection: Connection, owner: str, like: Likeness) -> list[str]:
    """Create the extensions that the server offers, and return in which the database differs."""
    differences: list[str] = []
    for extension in like.extensions:
        versions = [str(row[0]) for row in connection.execute(_AVAILABLE, (extension.name,))]
        if not versions:
            differences.append(f"it has no extension {extension.name}, which its server does not offer")
            continue
        options = sql.SQL("")
        if extension.version in versions:
            options += sql.SQL(" VERSION {}").format(extension.version)
        elif extension.version:
            differences.append(f"its extension {extension.name} is not of version {extension.version}")
        if extension.schema:
            schema = sql.Identifier(extension.schema)
            options += sql.SQL(" SCHEMA {}").format(schema)
            if extension.schema not in {"pg_catalog", "public"}:
                connection.execute(
                    sql.SQL("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}").format(schema, sql.Identifier(owner))
                )
        name = sql.Identifier(extension.name)
        try:
            connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}{} CASCADE").format(name, options))
        except psycopg.errors.InsufficientPrivilege:
            differences.append(
                f"it has no extension {extension.name}, which role {connection.info.user} may not create"
            )
    return differences


def _drop_abandoned(connection: Connection) -> None:
    """Drop the scratch databases and the roles of runs that were killed."""
    for (label,) in connection.execute(ABANDONED.encode()).fetchall():
        with suppress(psycopg.Error):  # another run drops them at the same time
            roles = [str(row[0]) for row in connection.execute(_ROLES, (f"{label}_",)).fetchall()]
            for role in roles:
                connection.execute(_END_SESSIONS, (role,))
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(label)))
            for role in roles:
                connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


def _drop_database(admin: Target, name: str) -> None:
    with connect(admin.on(MAINTENANCE_DATABASE), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _drop_roles(admin: Target, roles: Sequence[str]) -> None:
    """Drop roles, after their sessions were ended, wherever these are."""
    if roles:
        with connect(admin.on(MAINTENANCE_DATABASE), autocommit=True) as connection:
            for role in roles:
                connection.execute(_END_SESSIONS, (role,))
                connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))
