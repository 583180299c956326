"""The template of the tests' databases: made as `check` makes a scratch database, with a stack's privileges."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from infra.errors import ServerError
from infra.postgres.apply.likeness import Likeness, ScratchExtension
from infra.postgres.apply.module_effects import run_on_scratch
from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect
from infra.postgres.connection.scram import verifier
from infra.postgres.privileges import Access, grant_by, grants_on_database
from infra.server.scratch.scratch_server import MODULE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target
    from infra.server.scratch.private_server import PrivateServer
    from infra.testing.tested_schema import TestedSchema

CLONED_DATABASE = "platform_postgres_template"

_STRATEGY_SINCE = 150_000  # before, a clone was always a copy of the files
_SETTINGS = """
SELECT r.rolname::text, pg_catalog.split_part(setting, '=', 1), pg_catalog.substr(setting, strpos(setting, '=') + 1)
FROM pg_catalog.pg_db_role_setting s
JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase AND d.datname = %s
LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
CROSS JOIN pg_catalog.unnest(s.setconfig) AS setting
"""


@dataclass(frozen=True)
class CloneTemplate:
    """A database that is cloned, with what CREATE DATABASE does not copy: privileges on the database, and settings."""

    access: Access
    logins: Mapping[str, Target]
    settings: tuple[tuple[str | None, str, str], ...]

    def clone(self, connection: Connection, name: str) -> None:
        """Create a database like the template, through an administrator's autocommit connection."""
        strategy = " STRATEGY file_copy" if connection.info.server_version >= _STRATEGY_SINCE else ""
        create = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}" + strategy)  # pyright: ignore[reportArgumentType]
        database, owner = sql.Identifier(name), sql.Identifier(self.access.owner)
        connection.execute(create.format(database, owner, sql.Identifier(CLONED_DATABASE)))
        for statement in grants_on_database(name, self.access):
            connection.execute(statement)
        for role, parameter, value in self.settings:
            self._set(connection, database, role, parameter, value)

    def _set(
        self, connection: Connection, database: sql.Identifier, role: str | None, parameter: str, value: str
    ) -> None:
        """Set a parameter of a clone, for all sessions or for those of a role.

        The value of a list such as search_path is no literal, but set_config() takes it as it is stored.
        """
        subject = sql.SQL("DATABASE {}").format(database)
        if role:
            subject = sql.SQL("ROLE {} IN {}").format(sql.Identifier(role), subject)
        name = sql.Identifier(*parameter.split("."))
        with connection.transaction():
            connection.execute("SELECT pg_catalog.set_config(%s, %s, true)", (parameter, value))
            connection.execute(sql.SQL("ALTER {} SET {} FROM CURRENT").format(subject, name))


def create_template(server: PrivateServer, schema: TestedSchema) -> CloneTemplate:
    """Create the template on a private server, with the roles that log in; raises ModuleError, ServerError."""
    roles = schema.roles
    access = Access(roles.owner, roles.app, roles.readonly, roles.migrator)
    extensions = tuple(map(ScratchExtension, schema.extensions))
    like = Likeness(roles.name, roles.owner, roles.migrator, roles.logins, extensions=extensions)
    with connect(server.admin, autocommit=True) as connection:
        with server.database(like, seconds=MODULE_SECONDS) as scratch:
            if scratch.differences and schema.extensions:
                raise ServerError("; ".join(scratch.differences), place="the tests' database")
            with connect(server.admin.on(scratch.target.database)) as inside:
                grant_by(inside, access)
            with pool.connection(scratch.target) as as_migrator:
                for module in schema.modules:
                    run_on_scratch(as_migrator, scratch, module, seconds=MODULE_SECONDS)
            pool.close_idle(scratch.target)
            copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(copy.format(sql.Identifier(CLONED_DATABASE), sql.Identifier(scratch.target.database)))
            settings = connection.execute(_SETTINGS, (scratch.target.database,)).fetchall()
        logins = {
            role: _enable_login(connection, server.admin, name)
            for role, name in (("app", roles.app), ("readonly", roles.readonly), ("owner", roles.owner))
        }
    return CloneTemplate(access, logins, tuple(settings))


def _enable_login(connection: Connection, admin: Target, role: str) -> Target:
    password = secrets.token_urlsafe(24)
    connection.execute(
        sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier(password)))
    )
    return admin.login(role, password)
