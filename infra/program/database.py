"""Declares one database with its roles, extensions and privileges, and the modules that make its schema."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_postgresql as postgresql

from infra.migrations.history import read_history
from infra.modules.decision import Lifecycle
from infra.postgres.database_roles import DatabaseRoles
from infra.program.shared_objects import declare_shared_objects
from infra.resources.admin_membership import AdminMembership
from infra.resources.database_access import DatabaseAccess
from infra.resources.database_extension import DatabaseExtension
from infra.resources.migrations import Migrations
from infra.resources.passwords import Passwords
from infra.resources.schema_plan import SchemaPlan
from infra.resources.schema_ready import SchemaReady
from infra.resources.sql_module import SqlModule, session_of
from infra.sdk_tuning import depends_only_on, without_dependencies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.modules.module import Module
    from infra.program.scope import Scope
    from infra.program.server import DeclaredServer
    from infra.program.shared_objects import DeclaredObjects
    from infra.resources.base import Properties
    from infra.settings.databases import DatabaseSettings
    from infra.settings.model import Settings


class Chain:
    """Options that order each resource after the one before it.

    Two changes of one role or database at the same moment fail in PostgreSQL with "tuple concurrently updated", so the
    resources inside a server are created one after the other. What is inside a server or a database is deleted with it,
    without a login.
    """

    def __init__(
        self, scope: Scope, server: DeclaredServer | None = None, objects: DeclaredObjects | None = None
    ) -> None:
        self.server = server
        self.objects = objects
        self.scope = scope
        self.deleted_with = server.deleted_with if server else None
        self.last: list[pulumi.Resource] = [objects.resource] if objects else []

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
            provider=self.server.provider if self.server and provider else None,
            depends_on=[depends_only_on(resource) for resource in (*self.last, *((after,) if after else ()))],
            deleted_with=self.deleted_with,
            protect=protect,
            delete_before_replace=True,
        )
        return pulumi.ResourceOptions.merge(options, self.objects.options(name)) if self.objects and name else options

    def recreated(self, labels: Sequence[str]) -> pulumi.Input[Mapping[str, int]]:
        """Return how often each of some roles and databases was created again because it had gone."""
        return self.objects.recreated(labels) if self.objects else dict[str, int]()

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
    settings: Settings,
    server: DeclaredServer,
    modules: Sequence[Module],
    *,
    scope: Scope,
    after: DeclaredDatabase | None = None,
) -> list[DeclaredDatabase]:
    """Declare all databases of the settings on one server, but for those of groups; the first comes after `after`.

    Each is created after, and dropped before, the one before it: the released postgresql plugin runs CREATE and DROP
    DATABASE on a second connection while the first holds a lock, so that two at once wait for each other for ever when
    its pool has no third.
    """
    passwords = {
        database.name: Passwords(
            scope.part(database.name, "passwords"),
            roles=list(settings.roles_of(database).values())[1:],
            rotation=settings.password_rotation,
            opts=scope.options(),
        )
        for database in settings.single_databases
    }
    if not passwords:
        return []
    ask = settings.lifecycle is Lifecycle.EPHEMERAL and not settings.modules.allow_loss
    objects = declare_shared_objects(settings, server, passwords, scope=scope, ask=ask)
    declared: list[DeclaredDatabase] = []
    for database in settings.single_databases:
        last = declared[-1] if declared else after
        declared.append(
            _declare_database(
                database,
                settings,
                server,
                modules,
                passwords=passwords[database.name],
                chain=Chain(scope, server, objects),
                after=last.created if last else None,
            )
        )
    return declared


def _declare_database(
    database: DatabaseSettings,
    settings: Settings,
    server: DeclaredServer,
    modules: Sequence[Module],
    *,
    passwords: Passwords,
    chain: Chain,
    after: pulumi.Resource | None,
) -> DeclaredDatabase:
    """Declare roles, database, privileges, extensions, modules, in this order; the database comes after `after`."""
    scope = chain.scope
    labels = DatabaseRoles(**database.names).objects
    recreated, times = chain.recreated(labels), chain.recreated(labels[-1:])
    address: Properties = {**server.address, "database": database.name}
    admin = {"user": server.user, "password": server.password}
    outside = {**address, **admin, "database": server.maintenance_database}
    roles = settings.roles_of(database)
    _declare_roles(roles, settings.inherited, passwords, chain)
    if server.deleted_with is None:
        chain.append(
            AdminMembership(
                scope.part(database.name, "admin"),
                target=outside,
                roles=list(roles.values()),
                opts=chain.options(provider=False),
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
            scope.part(database.name, "access"),
            target={**address, **admin},
            recreated=recreated,
            lifecycle=settings.lifecycle,
            roles=roles,
            further={roles[role]: roles[inherited] for role, inherited in settings.inherited.items()},
            private_schemas=settings.modules.private_schemas,
            verifiers=passwords.verifiers,
            opts=chain.options(provider=False),
        )
    )
    for extension in settings.extensions:
        chain.append(
            DatabaseExtension(
                scope.part(database.name, extension),
                target={**address, **admin, "recreated": times},
                extension=extension,
                opts=chain.options(provider=False),
            )
        )
    access = SchemaAccess(
        address=address,
        owner=database.owner,
        roles=[name for role, name in roles.items() if role not in {"owner", "migrator"}],
        migrator=migrator,
        admin=admin,
        scratch=server.scratch,
        recreated=times,
    )
    session, ready = declare_schema(access, settings, modules, chain, database=database.name, adopt=database.adopt)
    return DeclaredDatabase(database, created, passwords, session, ready)


@dataclass(frozen=True)
class SchemaAccess:
    """Who runs the modules of a database, and where: its address with its name, and logins with user and password.

    `roles` are those that exist for it besides the owner and the migrator. `scratch` is that of its DeclaredServer.
    `recreated` counts how often it was created again, after which its modules are applied again.
    """

    address: Properties
    owner: pulumi.Input[str]
    roles: Sequence[str]
    migrator: Properties = field(repr=False)
    admin: Properties = field(repr=False)
    scratch: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, "pulumi.Input[str]"])
    recreated: pulumi.Input[Mapping[str, int]] = field(default_factory=dict[str, int])


def session_of_access(
    access: SchemaAccess, settings: Settings, stack: str, **further: pulumi.Input[Any]
) -> pulumi.Output[str]:
    """Return the session of a database's modules, with further values where its readers need them."""
    modules = settings.modules
    return session_of(
        {
            **access.address,
            "owner": access.owner,
            "roles": list(access.roles),
            "admin": access.admin,
            "migrator": access.migrator,
            "extensions": list(settings.extensions),
            "stack": stack,
            "allowed": list(modules.unmanaged),
            **({"private_schemas": list(modules.private_schemas)} if modules.private_schemas else {}),
            "lock_timeout": modules.lock_timeout,
            "statement_timeout": modules.statement_timeout,
            "wait": modules.wait,
            "allow_loss": modules.allow_loss,
            "recreated": access.recreated,
            **({"scratch": access.scratch} if access.scratch else {}),
            **further,
        }
    )


def declare_schema(
    access: SchemaAccess,
    settings: Settings,
    modules: Sequence[Module],
    chain: Chain,
    *,
    database: str,
    adopt: bool = False,
) -> tuple[pulumi.Output[str], SchemaReady]:
    """Declare a database's revisions and its modules, each after the one before; return session and what comes last."""
    scope, look = chain.scope, settings.modules.live_check
    history = read_history(settings.modules.migrations)
    further: Properties = {"migrations": history.directory} if history else {}
    session = session_of_access(access, settings, scope.stack, **further, **({"adopt": True} if adopt else {}))
    if chain.server:
        session = without_dependencies(session)  # the chain begins with the server, after which all of it is known
    if history:
        chain.append(
            Migrations(
                scope.part(database, "migrations"),
                database=access.address["database"],
                lifecycle=settings.lifecycle.value,
                session=session,
                modules=settings.modules.directory,
                directory=history.directory,
                head=history.head,
                look=look,
                opts=chain.options(provider=False),
            )
        )
    statements: list[pulumi.Output[str]] = []
    for module in modules:
        resource = SqlModule(
            scope.part(database, module.name),
            module,
            database=access.address["database"],
            lifecycle=settings.lifecycle.value,
            session=session,
            look=look,
            opts=chain.options(provider=False),
        )
        statements.append(resource.statements_digest)
        chain.append(resource)
    ready = SchemaReady(
        scope.part(database, "ready"),
        target={**access.address, **access.migrator},
        stack=scope.stack,
        statements=statements,
        allowed=settings.modules.unmanaged,
        owner=access.owner,
        head=history.head if history else "",
        look=look,
        recreated=access.recreated,
        opts=chain.options(provider=False),
    )
    return session, ready


def declare_plan(
    settings: Settings,
    modules: Sequence[Module],
    sessions: Mapping[str, pulumi.Output[str]],
    after: Sequence[pulumi.Resource],
    *,
    scope: Scope,
    protect: bool | None = None,
) -> None:
    """Declare what prints the plan for databases with the same modules: `sessions` by their names.

    It comes after everything else, so that a removal begins with it: with `protect`, one ends before it has removed
    anything.
    """
    adopt = settings.server.adopt
    SchemaPlan(
        scope.name("schema-plan"),
        stack=scope.stack,
        lifecycle=settings.lifecycle.value,
        modules=modules,
        sessions=sessions,
        look=settings.modules.live_check,
        strict=settings.modules.strict,
        adopted=() if isinstance(adopt, bool) else adopt,
        opts=scope.options(depends_on=after, protect=protect),
    )


def _declare_roles(roles: Mapping[str, str], inherited: Mapping[str, str], passwords: Passwords, chain: Chain) -> None:
    """Declare the owner without a login, and the logins, each as a member of the role that it inherits from."""
    inherits = {"migrator": "owner", **inherited}
    for role, name in roles.items():
        chain.append(
            postgresql.Role(
                chain.scope.name(name),
                name=name,
                login=role != "owner",
                password=None if role == "owner" else passwords.verifier(name),
                roles=[roles[inherits[role]]] if role in inherits else None,
                opts=chain.options(name=name),
            )
        )
