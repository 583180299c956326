"""The template of the tests' databases: made as `check` makes a scratch database, with a stack's privileges."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from infra.errors import ServerError
from infra.postgres.access import Access
from infra.postgres.apply.likeness import Likeness, ScratchExtension
from infra.postgres.apply.module_effects import run_on_scratch
from infra.postgres.clones import clone_database, settings_of_database
from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect
from infra.postgres.connection.scram import verifier
from infra.postgres.privileges import grant_by
from infra.server.scratch.scratch_server import MODULE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target
    from infra.postgres.declared_attributes import DatabaseSetting
    from infra.server.scratch.private_server import PrivateServer
    from infra.testing.tested_schema import TestedSchema

CLONED_DATABASE = "platform_postgres_template"


@dataclass(frozen=True)
class CloneTemplate:
    """A database that is cloned, with what CREATE DATABASE does not copy: privileges on the database, and settings."""

    access: Access
    logins: Mapping[str, Target]
    settings: list[DatabaseSetting]

    def clone(self, connection: Connection, name: str) -> None:
        """Create a database like the template, through an administrator's autocommit connection."""
        clone_database(connection, name, CLONED_DATABASE, self.access, self.settings, copies_files=True)


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
            settings = settings_of_database(connection, scratch.target.database)
        logins = {
            role: _enable_login(connection, server.admin, name)
            for role, name in (("app", roles.app), ("readonly", roles.readonly), ("owner", roles.owner))
        }
    return CloneTemplate(access, logins, settings)


def _enable_login(connection: Connection, admin: Target, role: str) -> Target:
    password = secrets.token_urlsafe(24)
    connection.execute(
        sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier(password)))
    )
    return admin.login(role, password)
