"""Grants and revokes: privileges of a database and of its schemas, default privileges (PostgreSQL manual, 5.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from infra.postgres.access_drift import attributes_of, closing_attributes, privileges_of
from infra.postgres.connection.connect import connect
from infra.postgres.declared_attributes import take_back
from infra.postgres.memberships import leave_owner, revoke_membership
from infra.postgres.private_schemas import change_private_schemas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.postgres.access import Access
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target

PUBLIC = "PUBLIC"
READ, WRITE, SEQUENCE_USE = "SELECT", "SELECT, INSERT, UPDATE, DELETE", "USAGE, SELECT"

_REVOKE_ON_DATABASE = "REVOKE ALL ON DATABASE {database} FROM PUBLIC, {readers}"
_GRANTS_ON_DATABASE = (
    "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {app}",
    "GRANT CONNECT ON DATABASE {database} TO {readonly}",
)

SCHEMAS = """
SELECT nspname FROM pg_catalog.pg_namespace
WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'sqlmodule', 'public')
  AND pg_catalog.pg_has_role(%s, nspowner, 'USAGE')
"""
"""The schemas of the owner, beside public: whoever reads the tables in them has to be allowed to use them."""


def restrict(target: Target, *, owner: str, readers: Sequence[str]) -> None:
    """Revoke every privilege on the database and on schema public from PUBLIC, which is every role there is.

    In the schema the owner is granted CREATE and USAGE, the readers are granted USAGE.
    """
    with connect(target) as connection:
        _restrict(connection, owner, readers)


def _restrict(connection: Connection, owner: str, readers: Sequence[str]) -> None:
    statements = (
        _REVOKE_ON_DATABASE,
        "REVOKE ALL ON SCHEMA public FROM PUBLIC, {readers}",
        "GRANT CREATE, USAGE ON SCHEMA public TO {owner}",
        "GRANT USAGE ON SCHEMA public TO {readers}",
    )
    names = {
        "database": sql.Identifier(connection.info.dbname),
        "owner": sql.Identifier(owner),
        "readers": sql.SQL(", ").join(map(sql.Identifier, readers)),
    }
    for statement in statements:
        connection.execute(sql.SQL(statement).format(**names))


def grant_access(target: Target, access: Access, former: Access | None = None, *, revoke_others: bool = False) -> None:
    """Grant a database's roles what they are to have, and PUBLIC nothing, in one transaction.

    With `former` what exists already is granted too, to each role that has another name than it had: default privileges
    concern only what is created later. With `revoke_others` all that `access_drift` reports is revoked first.
    """
    with connect(target) as connection:
        grant_by(connection, access, former, revoke_others=revoke_others)


def grant_by(
    connection: Connection, access: Access, former: Access | None = None, *, revoke_others: bool = False
) -> None:
    """Grant what `grant_access` does, in the current transaction of an administrator's connection."""
    future = "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT"
    statements = (
        *_GRANTS_ON_DATABASE,
        f"{future} {WRITE} ON TABLES TO {{app}}",
        f"{future} {SEQUENCE_USE} ON SEQUENCES TO {{app}}",
        f"{future} {READ} ON TABLES TO {{readonly}}",
        f"{future} USAGE ON SCHEMAS TO {{app}}, {{readonly}}",
    )
    names = {
        "database": sql.Identifier(connection.info.dbname),
        "owner": sql.Identifier(access.owner),
        "app": sql.Identifier(access.app),
        "readonly": sql.Identifier(access.readonly),
    }
    if revoke_others:
        take_back(connection, attributes_of(connection, connection.info.dbname, access), access.owner)
        _revoke_others(connection, access)
        for member, role in access.memberships.items():
            connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(member)))
    leave_owner(connection, access.owner)
    _restrict(connection, access.owner, [access.app, access.readonly])
    for statement in statements:
        connection.execute(sql.SQL(statement).format(**names))  # pyright: ignore[reportArgumentType] (constants)
    if former:
        _grant_existing(connection, access, former)
    change_private_schemas(
        connection,
        [access.app, access.readonly],
        private=access.private_schemas,
        former=former.private_schemas if former else (),
    )


def drop_owned(target: Target, roles: Sequence[str]) -> None:
    """Revoke what roles that are to be dropped may do in a database, and drop what they own in it."""
    with connect(target) as connection:
        existing = "SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname = ANY (%s)"
        for (name,) in connection.execute(existing, (list(roles),)).fetchall():
            connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))


def grants_on_database(database: str, access: Access) -> list[sql.Composed]:
    """Return the statements about the database alone, which CREATE DATABASE does not copy from a template."""
    names = {
        "database": sql.Identifier(database),
        "app": sql.Identifier(access.app),
        "readonly": sql.Identifier(access.readonly),
        "readers": sql.SQL(", ").join(map(sql.Identifier, (access.app, access.readonly))),
    }
    return [sql.SQL(statement).format(**names) for statement in (_REVOKE_ON_DATABASE, *_GRANTS_ON_DATABASE)]


def _revoke_others(connection: Connection, access: Access) -> None:
    """Revoke what is not as it is to be; default privileges of an access's own roles are granted again afterwards."""
    expected = access.privileges()
    for place, grantee, privileges in privileges_of(connection, connection.info.dbname, access):
        if expected.get((place, grantee)) == privileges:
            continue
        kind, _, name = place.partition(" ")
        role = sql.SQL("PUBLIC") if grantee == PUBLIC else sql.Identifier(grantee)
        if kind == "role":
            revoke_membership(connection, name, grantee)
        elif kind == "future":
            creator = sql.Identifier(access.owner)
            statement = sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} REVOKE ALL ON {} FROM {}")
            connection.execute(statement.format(creator, sql.SQL(name.upper()), role))
        else:
            what = sql.SQL(kind.upper()), sql.Identifier(name or connection.info.dbname)
            connection.execute(sql.SQL("REVOKE ALL ON {} {} FROM {} CASCADE").format(*what, role))


def _grant_existing(connection: Connection, access: Access, former: Access) -> None:
    """Grant new roles what their predecessors had on tables, sequences and schemas that exist."""
    schemas = ["public", *(row[0] for row in connection.execute(SCHEMAS, (access.owner,)))]
    schemas = [schema for schema in schemas if schema not in access.private_schemas]
    grants = {
        access.app: ((WRITE, "ALL TABLES IN SCHEMA"), (SEQUENCE_USE, "ALL SEQUENCES IN SCHEMA"), ("USAGE", "SCHEMA")),
        access.readonly: ((READ, "ALL TABLES IN SCHEMA"), ("USAGE", "SCHEMA")),
    }
    for role in {access.app, access.readonly} - {former.app, former.readonly}:
        for schema in schemas:
            for privileges, objects in grants[role]:
                statement = sql.SQL(f"GRANT {privileges} ON {objects} {{}} TO {{}}")  # pyright: ignore[reportArgumentType]
                connection.execute(statement.format(sql.Identifier(schema), sql.Identifier(role)))


def open_database(target: Target, access: Access, outside: Target) -> None:
    """Reset what keeps sessions out of a database, through `outside`, another one of its server."""
    with connect(outside) as connection:
        take_back(connection, closing_attributes(connection, target.database, access), access.owner)
