"""Declares one database with its roles, extensions and privileges; schema.py declares what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_postgresql as postgresql
from pulumi.output import Unknown

from infra.modules.decision import Lifecycle
from infra.postgres.database_roles import DatabaseRoles
from infra.program.chain import Chain
from infra.program.schema import SchemaAccess, declare_schema
from infra.program.shared_objects import declare_shared_objects
from infra.program.template import template_of
from infra.resources.admin_membership import AdminMembership
from infra.resources.database_access import DatabaseAccess
from infra.resources.database_extensions import DatabaseExtensions
from infra.resources.passwords import Passwords
from infra.sdk_tuning import without_dependencies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.modules.module import Module
    from infra.program.scope import Scope
    from infra.program.server import DeclaredServer
    from infra.resources.base import Properties
    from infra.resources.schema_ready import SchemaReady
    from infra.settings.databases import DatabaseSettings
    from infra.settings.model import Settings


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
    template = template_of(settings, modules, project=pulumi.get_project())
    objects = declare_shared_objects(settings, server, passwords, scope=scope, ask=ask, template=template)
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
    address: Properties = {**_independent(server.address), "database": database.name}
    admin = _independent({"user": server.user, "password": server.password})
    outside = {**address, **admin, "database": server.maintenance_database}
    roles = settings.roles_of(database)
    further = _declare_roles(roles, settings.inherited, passwords, chain)
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
    migrator = _independent({"user": database.migrator, "password": passwords.password(database.migrator)})
    chain.append(
        DatabaseAccess(
            scope.part(database.name, "access"),
            target={**address, **admin},
            maintenance_database=server.maintenance_database,
            recreated=recreated,
            lifecycle=settings.lifecycle,
            roles=roles,
            further={roles[role]: roles[inherited] for role, inherited in settings.inherited.items()},
            private_schemas=settings.modules.private_schemas,
            verifiers=without_dependencies(passwords.verifiers),
            unmanaged=settings.modules.unmanaged,
            attributes=pulumi.Output.all(**further, **{labels[-1]: _further_attributes(created, _OF_DATABASES)}),
            stack=scope.stack,
            look=settings.modules.live_check,
            opts=pulumi.ResourceOptions.merge(chain.options(provider=False), chain.retained(database.name)),
        )
    )
    chain.deleted_with = created
    if settings.extensions:
        chain.append(
            DatabaseExtensions(
                scope.part(database.name, "extensions"),
                target={**address, **admin, "recreated": times},
                extensions=settings.extensions,
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
        all_roles=roles,
    )
    session, ready = declare_schema(
        access, settings, modules, chain, database=database.name, adopt=database.adopt, seed=database.seed or ""
    )
    return DeclaredDatabase(database, created, passwords, session, ready)


def _independent(values: Properties) -> Properties:
    """Return properties without what they depend on: the chain begins with it, after which all of it is known."""
    return {
        name: without_dependencies(value) if isinstance(value, pulumi.Output) else value  # pyright: ignore[reportUnknownArgumentType]
        for name, value in values.items()
    }


_OF_ROLES = {
    "superuser": "SUPERUSER",
    "create_database": "CREATEDB",
    "create_role": "CREATEROLE",
    "replication": "REPLICATION",
    "bypass_row_level_security": "BYPASSRLS",
    "connection_limit": "CONNECTION LIMIT",
    "valid_until": "VALID UNTIL",
    "search_paths": "a setting of search_path",
    "statement_timeout": "a setting of statement_timeout",
    "idle_in_transaction_session_timeout": "a setting of idle_in_transaction_session_timeout",
    "assume_role": "a setting of role",
}
_OF_DATABASES = {"connection_limit": "CONNECTION LIMIT"}
"""What a program of one's own may declare of a role or a database by a transform, as `Deviation` calls it."""

_DEFAULTS: tuple[object, ...] = (None, False, -1, [], "", "infinity")


def _declare_roles(
    roles: Mapping[str, str], inherited: Mapping[str, str], passwords: Passwords, chain: Chain
) -> dict[str, pulumi.Output[list[str]]]:
    """Declare the owner without a login, and the logins, each as a member of the role that it inherits from.

    Returns the attributes that a program declares beside those, by role.
    """
    inherits = {"migrator": "owner", **inherited}
    further: dict[str, pulumi.Output[list[str]]] = {}
    for role, name in roles.items():
        declared = postgresql.Role(
            chain.scope.name(name),
            name=name,
            login=role != "owner",
            password=None if role == "owner" else passwords.verifier(name),
            roles=[roles[inherits[role]]] if role in inherits else None,
            opts=chain.options(name=name),
        )
        chain.append(declared)
        further[name] = _further_attributes(declared, _OF_ROLES)
    return further


def _further_attributes(declared: pulumi.Resource, names: Mapping[str, str]) -> pulumi.Output[list[str]]:
    def named(values: Mapping[str, object]) -> list[str]:
        return [text for name, text in names.items() if values[name] not in _DEFAULTS]

    attributes = {name: getattr(declared, name).apply(_or_none, run_with_unknowns=True) for name in names}
    return pulumi.Output.all(**attributes).apply(named)


def _or_none(value: object) -> object:
    """Return a value, None for an unknown one: previews know those attributes alone that the program or the state has.

    Else all of them would be unknown in a preview, which then could not compare.
    """
    return None if isinstance(value, Unknown) else value
