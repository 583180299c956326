"""Declares one database with its roles, extensions and privileges, and the modules that make its schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_postgresql as postgresql

from infra.modules.decision import Lifecycle
from infra.program.shared_objects import declare_shared_objects
from infra.resources.admin_membership import AdminMembership
from infra.resources.database_access import DatabaseAccess
from infra.resources.passwords import Passwords
from infra.resources.schema_ready import SchemaReady
from infra.resources.sql_module import SqlModule, session_of
from infra.sdk_tuning import depends_only_on
from infra.settings.model import ROLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.modules.module import Module
    from infra.program.scope import Scope
    from infra.program.server import DeclaredServer
    from infra.program.shared_objects import DeclaredObjects
    from infra.resources.base import Properties
    from infra.settings.model import DatabaseSettings, Settings


class Chain:
    """Options that order each resource after the one before it.

    Two changes of one role or database at the same moment fail in PostgreSQL with "tuple concurrently updated", so the
    resources inside a server are created one after the other. What is inside a server or a database is deleted with it,
    without a login.
    """

    def __init__(self, server: DeclaredServer, objects: DeclaredObjects, scope: Scope) -> None:
        self.server = server
        self.objects = objects
        self.scope = scope
        self.deleted_with = server.deleted_with
        self.last: list[pulumi.Resource] = [objects.resource]

    def options(
        self,
        *,
        provider: bool = True,
        protect: bool | None = None,
        name: str | None = None,
        after: pulumi.Resource | None = None,
    ) -> pulumi.ResourceOptions:
        """Return the options for the next resource, which is also ordered after `after`.

        A role or database has a `name`: it is imported where the server has it already.
        """
        options = pulumi.ResourceOptions(
            parent=self.scope.parent,
            provider=self.server.provider if provider else None,
            depends_on=[depends_only_on(resource) for resource in (*self.last, *((after,) if after else ()))],
            deleted_with=self.deleted_with,
            protect=protect,
            delete_before_replace=True,
        )
        return pulumi.ResourceOptions.merge(options, self.objects.options(name)) if name else options

    def append(self, resource: pulumi.Resource) -> None:
        """Order what comes next after this resource."""
        self.last = [resource]


@dataclass(frozen=True)
class DeclaredDatabase:
    """A declared database: the passwords of its login roles, and the resource after which its schema is complete."""

    database: DatabaseSettings
    created: postgresql.Database
    passwords: Passwords
    session: pulumi.Output[str]
    ready: SchemaReady


def declare_databases(
    settings: Settings, server: DeclaredServer, modules: Sequence[Module], *, scope: Scope
) -> list[DeclaredDatabase]:
    """Declare all databases of the settings on one server.

    Each is created after, and dropped before, the one before it: the released postgresql plugin runs CREATE and DROP
    DATABASE on a second connection while the first holds a lock, so that two at once wait for each other for ever when
    its pool has no third.
    """
    passwords = {
        database.name: Passwords(
            scope.name(f"{database.name}-passwords"),
            roles=[getattr(database, role) for role in ROLES[1:]],
            rotation=settings.password_rotation,
            opts=scope.options(),
        )
        for database in settings.databases
    }
    objects = declare_shared_objects(settings.databases, server, passwords, scope=scope)
    declared: list[DeclaredDatabase] = []
    for database in settings.databases:
        chain = Chain(server, objects, scope)
        last = declared[-1].created if declared else None
        declared.append(_declare_database(database, settings, modules, passwords[database.name], chain, after=last))
    return declared


def _declare_database(
    database: DatabaseSettings,
    settings: Settings,
    modules: Sequence[Module],
    passwords: Passwords,
    chain: Chain,
    *,
    after: pulumi.Resource | None,
) -> DeclaredDatabase:
    """Declare roles, database, privileges, extensions, modules, in this order; the database comes after `after`."""
    server, scope = chain.server, chain.scope
    address: Properties = {**server.address, "database": database.name}
    admin = {"user": server.user, "password": server.password}
    outside = {**address, **admin, "database": server.maintenance_database}
    _declare_roles(database, passwords, chain)
    if server.deleted_with is None:
        roles = [getattr(database, role) for role in ROLES]
        chain.append(
            AdminMembership(
                scope.name(f"{database.name}-admin"), target=outside, roles=roles, opts=chain.options(provider=False)
            )
        )
    protect = settings.lifecycle is Lifecycle.PERSISTENT and database.name not in settings.drop_databases
    created = postgresql.Database(
        scope.name(database.name),
        name=database.name,
        owner=database.owner,
        opts=chain.options(protect=protect or None, name=database.name, after=after),
    )
    chain.append(created)
    chain.deleted_with = created
    migrator = {"user": database.migrator, "password": passwords.password(database.migrator)}
    chain.append(
        DatabaseAccess(
            scope.name(f"{database.name}-access"),
            target={**address, **admin},
            owner=database.owner,
            app=database.app,
            readonly=database.readonly,
            opts=chain.options(provider=False),
        )
    )
    for extension in settings.extensions:
        chain.append(
            postgresql.Extension(
                scope.name(f"{database.name}-{extension}"),
                name=extension,
                database=database.name,
                opts=pulumi.ResourceOptions.merge(chain.options(), pulumi.ResourceOptions(retain_on_delete=True)),
            )
        )
    session = session_of({**address, **_limits(database, settings, scope.stack), "admin": admin, "migrator": migrator})
    statements = _declare_modules(database, settings, session, modules, chain)
    ready = SchemaReady(
        scope.name(f"{database.name}-ready"),
        target={**address, **migrator},
        stack=scope.stack,
        statements=statements,
        allowed=settings.modules.unmanaged,
        look=settings.modules.live_check,
        opts=chain.options(provider=False),
    )
    return DeclaredDatabase(database, created, passwords, session, ready)


def _limits(database: DatabaseSettings, settings: Settings, stack: str) -> Properties:
    """Return what all modules of a database are run with."""
    modules = settings.modules
    return {
        "owner": database.owner,
        "stack": stack,
        "allowed": list(modules.unmanaged),
        "roles": [database.app, database.readonly],
        "extensions": list(settings.extensions),
        "lock_timeout": modules.lock_timeout,
        "statement_timeout": modules.statement_timeout,
        "wait": modules.wait,
    }


def _declare_roles(database: DatabaseSettings, passwords: Passwords, chain: Chain) -> None:
    """Declare the owner without a login, the migrator as its member, and the two roles that use the schema."""
    chain.append(
        postgresql.Role(
            chain.scope.name(database.owner),
            name=database.owner,
            login=False,
            opts=chain.options(name=database.owner),
        )
    )
    for name, member_of in ((database.migrator, [database.owner]), (database.app, None), (database.readonly, None)):
        chain.append(
            postgresql.Role(
                chain.scope.name(name),
                name=name,
                login=True,
                password=passwords.verifier(name),
                roles=member_of,
                opts=chain.options(name=name),
            )
        )


def _declare_modules(
    database: DatabaseSettings,
    settings: Settings,
    session: pulumi.Output[str],
    modules: Sequence[Module],
    chain: Chain,
) -> list[pulumi.Output[str]]:
    """Declare the modules, each after the one before it; return the digests of their statements."""
    statements: list[pulumi.Output[str]] = []
    for module in modules:
        resource = SqlModule(
            chain.scope.name(f"{database.name}-{module.name}"),
            module,
            database=database.name,
            lifecycle=settings.lifecycle.value,
            session=session,
            look=settings.modules.live_check,
            opts=chain.options(provider=False),
        )
        statements.append(resource.statements_digest)
        chain.append(resource)
    return statements
