"""Proves a dump: restored on a private server, it has the catalog and the rows of the moment at which it was made.

It is restored by a login that is no superuser: a database may have functions of people who must not act as this
machine's administrator, and a restore calls them, for a check or an index.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from psycopg import sql

from infra.backup.contents import read_contents
from infra.backup.entries import EXTENSIONS, list_without
from infra.backup.programs import client_programs, run_client
from infra.errors import ServerError
from infra.postgres.connection.connect import connect
from infra.postgres.connection.scram import verifier

if TYPE_CHECKING:
    from pathlib import Path

    from infra.backup.contents import Dumped
    from infra.postgres.connection.target import Target
    from infra.server.scratch.private_server import PrivateServer

ROLE_NAMES = "SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_'"
_LOGIN = "platform_postgres_restore"


def prove(dump: Dumped, server: PrivateServer, bin_dir: Path | None) -> str:
    """Restore a dump, and return why that proves nothing here, '' where the database is as it was.

    Raises ServerError where pg_restore fails, or the database has something else afterwards.
    """
    if server.distribution.major != dump.major:
        return f"a private server of PostgreSQL {dump.major} is not installed here (name one by --bin-dir)"
    programs = client_programs(dump.major, bin_dir)
    target = _empty_database(dump, server.admin)
    with list_without(EXTENSIONS, dump.file, programs) as chosen:
        run_client(programs / "pg_restore", target, ["--exit-on-error", chosen, str(dump.file)])
    with connect(target, autocommit=True) as connection, connection.transaction():
        found = dump.contents.differences_from(read_contents(connection))
    if found:
        raise ServerError(
            f"the dump does not bring back what it is of: {'; '.join(found)}", place=f"database {dump.database}"
        )
    return ""


def _empty_database(dump: Dumped, admin: Target) -> Target:
    """Create a database with the dump's extensions and roles, and return it for a login that belongs to its owner."""
    password = secrets.token_urlsafe(24)
    database, login = sql.Identifier(dump.database), sql.Identifier(_LOGIN)
    with connect(admin, autocommit=True) as connection:
        present = {row[0] for row in connection.execute(ROLE_NAMES)}
        for role in dump.roles:
            if role not in present:
                connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        if _LOGIN not in present:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(login))
        statements = [
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(login, sql.Literal(verifier(password))),
            sql.SQL("ALTER ROLE {} SET temp_file_limit = -1").format(login),
            sql.SQL("GRANT {} TO {}").format(sql.SQL(", ").join(map(sql.Identifier, dump.roles)), login),
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING {}").format(
                database, sql.Identifier(dump.owner), sql.Literal(dump.encoding)
            ),
        ]
        for statement in statements:
            connection.execute(statement)
    with connect(admin.on(dump.database), autocommit=True) as connection:
        for name, schema, version in dump.extensions:
            connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
            create = "CREATE EXTENSION IF NOT EXISTS {} WITH SCHEMA {} VERSION {}"
            parts = sql.Identifier(name), sql.Identifier(schema), sql.Literal(version)
            connection.execute(sql.SQL(create).format(*parts))
    return admin.on(dump.database).login(_LOGIN, password)
