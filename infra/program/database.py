"""Declares one database with its roles, extensions and privileges, and the modules that make its schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_postgresql as postgresql

from infra.resources.admin_membership import AdminMembership
from infra.resources.adopted_roles import AdoptedRoles
from infra.resources.base import depends_only_on
from infra.resources.database_access import DatabaseAccess
from infra.resources.passwords import Passwords
from infra.resources.schema_ready import SchemaReady
from infra.resources.sql_module import SqlModule, session_of
from infra.resources.stack_policy import PERSISTENT
from infra.settings.model import ROLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.modules.module import Module
    from infra.program.server import DeclaredServer
    from infra.resources.base import Properties
    from infra.settings.model import DatabaseSettings, Settings

WRITES = ["SELECT", "INSERT", "UPDATE", "DELETE"]
READS = ["SELECT"]
DRAWS = ["USAGE", "SELECT"]


class Chain:
    """Options that put each resource after the one before it.

    Two changes of one role or database at the same moment fail in PostgreSQL with "tuple concurrently updated", so what
    is done inside a server is done one after the other. What is inside a server or a database goes with it, without a
    login.
    """

    def __init__(self, server: DeclaredServer) -> None:
        self.server = server
        self.inside = server.goes_with_it
        self.last: list[pulumi.Resource] = [server.resource]

    def options(
        self, *, provider: bool = True, protect: bool | None = None, name: str | None = None
    ) -> pulumi.ResourceOptions:
        """Give the options for the next resource; what has a `name` is on an adopted server already."""
        return pulumi.ResourceOptions(
            import_=name if self.server.adopted else None,
            provider=self.server.provider if provider else None,
            depends_on=[depends_only_on(one) for one in self.last],
            deleted_with=self.inside,
            protect=protect,
        )

    def then(self, resource: pulumi.Resource) -> None:
        """Let what comes next wait for this resource."""
        self.last = [resource]


@dataclass(frozen=True)
class Declared:
    """A declared database: the passwords of its login roles, and the point at which its schema is complete."""

    database: DatabaseSettings
    passwords: Passwords
    ready: SchemaReady


def declare_database(
    database: DatabaseSettings, settings: Settings, server: DeclaredServer, modules: Sequence[Module], *, stack: str
) -> Declared:
    """Declare roles, database, privileges, extensions, modules, in this order."""
    chain = Chain(server)
    logins = [database.migrator, database.app, database.readonly]
    passwords = Passwords(f"{database.name}-passwords", roles=logins, rotation=settings.password_rotation)
    address: Properties = {**server.address, "database": database.name}
    admin = {"user": server.user, "password": server.password}
    outside = {**address, **admin, "database": server.maintenance_database}
    if server.adopted:
        verifiers = {role: passwords.verifier(role) for role in logins}
        chain.then(
            AdoptedRoles(
                f"{database.name}-adopted", target=outside, verifiers=verifiers, opts=chain.options(provider=False)
            )
        )
    _declare_roles(database, passwords, chain)
    if server.goes_with_it is None:
        roles = [getattr(database, role) for role in ROLES]
        chain.then(
            AdminMembership(f"{database.name}-admin", target=outside, roles=roles, opts=chain.options(provider=False))
        )
    protect = settings.lifecycle == PERSISTENT and database.name not in settings.drop_databases
    made = postgresql.Database(
        database.name,
        name=database.name,
        owner=database.owner,
        opts=chain.options(protect=protect or None, name=database.name),
    )
    chain.then(made)
    chain.inside = made
    migrator = {"user": database.migrator, "password": passwords.password(database.migrator)}
    _declare_privileges(database, {**address, **admin}, chain)
    for extension in settings.extensions:
        chain.then(
            postgresql.Extension(
                f"{database.name}-{extension}",
                name=extension,
                database=database.name,
                opts=pulumi.ResourceOptions.merge(chain.options(), pulumi.ResourceOptions(retain_on_delete=True)),
            )
        )
    session = session_of({**address, **_limits(database, settings, stack), "admin": admin, "migrator": migrator})
    statements = _declare_modules(database, settings, session, modules, chain)
    ready = SchemaReady(
        f"{database.name}-ready",
        target={**address, **migrator},
        stack=stack,
        statements=statements,
        allowed=settings.modules.unmanaged,
        look=settings.modules.live_check,
        opts=chain.options(provider=False),
    )
    return Declared(database, passwords, ready)


def _limits(database: DatabaseSettings, settings: Settings, stack: str) -> Properties:
    """Give what all modules of a database are run with."""
    modules = settings.modules
    return {
        "owner": database.owner,
        "stack": stack,
        "directory": modules.directory,
        "allowed": list(modules.unmanaged),
        "lock_timeout": modules.lock_timeout,
        "statement_timeout": modules.statement_timeout,
        "wait": modules.wait,
    }


def _declare_roles(database: DatabaseSettings, passwords: Passwords, chain: Chain) -> None:
    """Declare the owner, who cannot log in, the migrator, who may become the owner, and the two who use the schema."""
    chain.then(
        postgresql.Role(database.owner, name=database.owner, login=False, opts=chain.options(name=database.owner))
    )
    for name, member_of in ((database.migrator, [database.owner]), (database.app, None), (database.readonly, None)):
        chain.then(
            postgresql.Role(
                name,
                name=name,
                login=True,
                password=passwords.verifier(name),
                roles=member_of,
                opts=chain.options(name=name),
            )
        )


def _declare_privileges(database: DatabaseSettings, admin: Properties, chain: Chain) -> None:
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
    database: DatabaseSettings,
    settings: Settings,
    session: pulumi.Output[str],
    modules: Sequence[Module],
    chain: Chain,
) -> list[pulumi.Output[str]]:
    """Declare the modules, each after the one before it; give the digests of their statements."""
    statements: list[pulumi.Output[str]] = []
    for module in modules:
        one = SqlModule(
            f"{database.name}-{module.name}",
            module,
            database=database.name,
            lifecycle=settings.lifecycle,
            session=session,
            look=settings.modules.live_check,
            opts=chain.options(provider=False),
        )
        statements.append(one.statements_digest)
        chain.then(one)
    return statements
