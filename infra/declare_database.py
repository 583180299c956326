"""Declares one database with its roles, extensions and privileges, and the modules that make its schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_postgresql as postgresql

from infra.resources.database_access import DatabaseAccess
from infra.resources.passwords import Passwords
from infra.resources.schema_ready import SchemaReady
from infra.resources.sql_module import SqlModule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.declare_server import Server
    from infra.modules.module import Module
    from infra.settings import Database, Settings

WRITES = ["SELECT", "INSERT", "UPDATE", "DELETE"]
READS = ["SELECT"]
DRAWS = ["USAGE", "SELECT"]


class Chain:
    """Options that put each resource after the one before it.

    Two changes of one role or database at the same moment fail in PostgreSQL with "tuple concurrently updated", so what
    is done inside a server is done one after the other. Everything goes when the server goes, without a login.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self.last: list[pulumi.Resource] = [server.resource]

    def options(self, *, provider: bool = True) -> pulumi.ResourceOptions:
        """Give the options for the next resource."""
        return pulumi.ResourceOptions(
            provider=self.server.provider if provider else None,
            depends_on=self.last,
            deleted_with=self.server.resource,
        )

    def then(self, resource: pulumi.Resource) -> None:
        """Let what comes next wait for this resource."""
        self.last = [resource]


@dataclass(frozen=True)
class Declared:
    """A declared database: the passwords of its login roles, and the point at which its schema is complete."""

    database: Database
    passwords: Passwords
    ready: SchemaReady


def declare_database(
    database: Database, settings: Settings, server: Server, modules: Sequence[Module], *, stack: str
) -> Declared:
    """Declare roles, database, privileges, extensions, modules, in this order."""
    chain = Chain(server)
    logins = [database.migrator, database.app, database.readonly]
    passwords = Passwords(f"{database.name}-passwords", roles=logins, rotation=settings.password_rotation)
    _declare_roles(database, passwords, chain)
    made = postgresql.Database(database.name, name=database.name, owner=database.owner, opts=chain.options())
    chain.then(made)
    admin: dict[str, pulumi.Input[str | int]] = {
        "host": server.host,
        "port": server.port,
        "database": database.name,
        "user": server.user,
        "password": server.password,
    }
    _declare_privileges(database, admin, chain)
    for extension in settings.extensions:
        chain.then(
            postgresql.Extension(
                f"{database.name}-{extension.name}",
                name=extension.name,
                database=database.name,
                opts=pulumi.ResourceOptions.merge(chain.options(), pulumi.ResourceOptions(retain_on_delete=True)),
            )
        )
    target = {**admin, "user": database.migrator, "password": passwords.password(database.migrator)}
    session: dict[str, pulumi.Input[str | int | float]] = {
        **target,
        "owner": database.owner,
        "stack": stack,
        "lock_timeout": settings.modules.lock_timeout,
        "statement_timeout": settings.modules.statement_timeout,
        "wait": settings.modules.wait,
    }
    statements = _declare_modules(database, session, modules, chain)
    ready = SchemaReady(
        f"{database.name}-ready", target=target, statements=statements, opts=chain.options(provider=False)
    )
    return Declared(database, passwords, ready)


def _declare_roles(database: Database, passwords: Passwords, chain: Chain) -> None:
    """Declare the owner, who cannot log in, the migrator, who may become the owner, and the two who use the schema."""
    chain.then(postgresql.Role(database.owner, name=database.owner, login=False, opts=chain.options()))
    for name, member_of in ((database.migrator, [database.owner]), (database.app, None), (database.readonly, None)):
        chain.then(
            postgresql.Role(
                name, name=name, login=True, password=passwords.verifier(name), roles=member_of, opts=chain.options()
            )
        )


def _declare_privileges(database: Database, admin: dict[str, pulumi.Input[str | int]], chain: Chain) -> None:
    """Declare who may enter, and what the owner's future tables and sequences give to whom."""
    chain.then(
        DatabaseAccess(
            f"{database.name}-access",
            target=admin,
            owner=database.owner,
            readers=[database.app, database.readonly],
            opts=chain.options(provider=False),
        )
    )
    for role, privileges in ((database.app, ["CONNECT", "TEMPORARY"]), (database.readonly, ["CONNECT"])):
        chain.then(
            postgresql.Grant(
                f"{role}-enters",
                database=database.name,
                role=role,
                object_type="database",
                privileges=privileges,
                opts=chain.options(),
            )
        )
    for role, kind, privileges in (
        (database.app, "table", WRITES),
        (database.app, "sequence", DRAWS),
        (database.readonly, "table", READS),
    ):
        chain.then(
            postgresql.DefaultPrivileges(
                f"{role}-{kind}s",
                database=database.name,
                owner=database.owner,
                role=role,
                schema="public",
                object_type=kind,
                privileges=privileges,
                opts=chain.options(),
            )
        )


def _declare_modules(
    database: Database,
    session: dict[str, pulumi.Input[str | int | float]],
    modules: Sequence[Module],
    chain: Chain,
) -> list[pulumi.Output[str]]:
    """Declare the modules, each after the one before it; give the digests of their statements."""
    statements: list[pulumi.Output[str]] = []
    for module in modules:
        one = SqlModule(f"{database.name}-{module.name}", module, session=session, opts=chain.options(provider=False))
        statements.append(one.statements_digest)
        chain.then(one)
    return statements
