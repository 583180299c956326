"""Declares a group of databases: its passwords, the databases, a resource for each module, and their completeness."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pulumi

from infra.migrations.history import read_history
from infra.modules.decision import Lifecycle
from infra.modules.digests import text_digest
from infra.program.exit_status import end_program
from infra.program.schema import SchemaAccess, session_of_access
from infra.resources.database_group import DatabaseGroup
from infra.resources.group_inputs import GroupInputs
from infra.resources.group_key import GroupKey
from infra.resources.group_migrations import GroupMigrations
from infra.resources.group_module import GroupModule
from infra.resources.group_ready import GroupReady
from infra.resources.group_seed import GroupSeed
from infra.resources.group_state import version_of_modules
from infra.sdk_tuning import depends_only_on, without_dependencies
from infra.settings.databases import ROLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.modules.module import Module
    from infra.program.scope import Scope
    from infra.program.server import DeclaredServer
    from infra.resources.base import Properties
    from infra.settings.databases import GroupSettings
    from infra.settings.model import Settings


COMPLETENESS = "completeness"
"""The last step, after creation and the modules."""


@dataclass(frozen=True)
class DeclaredGroup:
    """A declared group: the key of its passwords, and its resources."""

    settings: GroupSettings
    logins: tuple[str, ...]
    key: GroupKey
    databases: DatabaseGroup
    migrations: GroupMigrations | None
    modules: dict[str, GroupModule]
    seed: GroupSeed | None
    ready: GroupReady
    sessions: dict[str, pulumi.Output[str]]

    def passwords(self) -> pulumi.Output[dict[str, str]]:
        """Return the passwords of the login roles, by their names."""
        group = self.settings
        return self.key.passwords({group.role(name, role) for name in group.databases for role in self.logins})

    def failed(self) -> pulumi.Output[dict[str, dict[str, str]]]:
        """Return what is not complete: by database, then by the module or the act that failed, the error."""
        steps = {
            "creation": self.databases.failed,
            **({"migrations": self.migrations.failed} if self.migrations else {}),
            **{name: module.failed for name, module in self.modules.items()},
            **({"seed": self.seed.failed} if self.seed else {}),
            COMPLETENESS: self.ready.failed,
        }
        return pulumi.Output.all(**steps).apply(_by_database)

    def summary(self) -> dict[str, Any]:
        """Return what the stack puts out of the group: the state of its databases, by module, in a few lines."""
        group = self.settings
        paused = f", paused: {', '.join(group.paused)}" if group.paused else ""
        return {
            "databases": f"{len(group.databases)}{paused}",
            "roles": f"{'<database>' if group.roles == 'own' else group.group}_{{{','.join(('owner', *self.logins))}}}",
            **({"migrations": self.migrations.outcome} if self.migrations else {}),
            "modules": {name: module.outcome for name, module in self.modules.items()},
            **({"seed": self.seed.outcome} if self.seed else {}),
            "failed": self.failed(),
            "fingerprint": self.ready.fingerprints.apply(_fingerprint),
        }


def end_if_incomplete(group: GroupSettings, failed: Mapping[str, Mapping[str, str]]) -> None:
    """End the program with an error that names every database which is not complete; the rest is done then."""
    if not failed or pulumi.runtime.is_dry_run():
        return
    number = f"{len(failed)} of {len(group.databases)} databases"
    lines = [f"group {group.group}: {number} are not complete, all others are; correct this and run again"]
    for database, steps in failed.items():
        step, text = next(iter(steps.items()))  # the later ones wait for it
        lines.append(f"  {database}: {step}: {text}")
    end_program("\n".join(lines))


def _fingerprint(databases: Mapping[str, Sequence[str]]) -> str:
    """Return the fingerprint of all databases; where they differ, each with the number of its databases."""
    if len(databases) == 1:
        return next(iter(databases))
    return ", ".join(f"{fingerprint} (databases: {len(names)})" for fingerprint, names in databases.items())


def _by_database(steps: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    failed: dict[str, dict[str, str]] = {}
    for step, errors in steps.items():
        for database, text in errors.items():
            if step != COMPLETENESS or database not in failed:  # it follows from the others
                failed.setdefault(database, {})[step] = text
    return failed


def declare_groups(
    settings: Settings,
    server: DeclaredServer,
    modules: Sequence[Module],
    *,
    scope: Scope,
    after: Sequence[pulumi.Resource],
) -> list[DeclaredGroup]:
    """Declare the groups of the settings, after the last of some resources.

    How many resources a group is does not depend on its databases.
    """
    return [
        _declare_group(group, settings, server, modules, scope=scope, after=after[-1:]) for group in settings.groups
    ]


def _declare_group(
    group: GroupSettings,
    settings: Settings,
    server: DeclaredServer,
    modules: Sequence[Module],
    *,
    scope: Scope,
    after: Sequence[pulumi.Resource],
) -> DeclaredGroup:
    key = GroupKey(
        scope.name(f"{group.group}-key"),
        rotation=settings.password_rotation,
        opts=scope.options(depends_on=[server.resource], deleted_with=server.deleted_with),
    )
    history = read_history(settings.modules.migrations)
    inputs = GroupInputs(
        group.group,
        group.databases,
        group.paused,
        group.roles == "shared",
        settings.lifecycle,
        _session(group, settings, server, key, scope.program),
    )
    look = settings.modules.live_check
    kept = set(group.databases) - set(settings.drop_databases)
    databases = DatabaseGroup(
        scope.name(group.group),
        inputs,
        extensions=settings.extensions,
        drop_databases=settings.drop_databases,
        rotation=settings.password_rotation,
        adopt=server.adopt,
        directory=settings.modules.directory,
        clone=False if settings.expires else group.clone,  # what has lost its stack is found by its roles
        look=look,
        opts=scope.options(
            depends_on=[server.resource, key, *after],
            deleted_with=server.deleted_with,
            protect=settings.lifecycle is Lifecycle.PERSISTENT and bool(kept),
        ),
    )
    inside = replace(inputs, address=_address(server), drops=databases.drops)
    version = version_of_modules({module.name: text_digest(module.text) for module in modules})
    last: pulumi.Resource = databases
    migrations = None
    if history:
        last = migrations = GroupMigrations(
            scope.name(f"{group.group}-migrations"),
            inside,
            directory=settings.modules.directory,
            head=history.head,
            look=look,
            opts=_after(last, databases, scope),
        )
    declared: dict[str, GroupModule] = {}
    for module in modules:
        last = declared[module.name] = GroupModule(
            scope.name(f"{group.group}-{module.name}"),
            module,
            inside,
            version=version,
            look=look,
            opts=_after(last, databases, scope),
        )
    seed = None
    if group.seed:
        last = seed = GroupSeed(
            scope.name(f"{group.group}-seed"),
            inside,
            directory=settings.modules.directory,
            seed=group.seed,
            look=look,
            opts=_after(last, databases, scope),
        )
    ready = GroupReady(
        scope.name(f"{group.group}-ready"),
        inside,
        statements={name: resource.statements_digest for name, resource in declared.items()},
        directory=settings.modules.directory,
        head=history.head if history else "",
        opts=_after(last, databases, scope),
    )
    sessions = _sessions(group, settings, server, key, scope.program)
    logins = (*ROLES[1:], *settings.roles)
    return DeclaredGroup(group, logins, key, databases, migrations, declared, seed, ready, sessions)


def _sessions(
    group: GroupSettings, settings: Settings, server: DeclaredServer, key: GroupKey, program: str
) -> dict[str, pulumi.Output[str]]:
    """Return the session of each active database, in the form that those of single databases have: for the plan."""
    if not pulumi.runtime.is_dry_run():
        return {name: pulumi.Output.from_input("") for name in group.databases if name not in group.paused}

    def session(name: str) -> pulumi.Output[str]:
        migrator = group.role(name, "migrator")
        access = SchemaAccess(
            address={**server.address, "database": name},
            owner=group.role(name, "owner"),
            roles=[group.role(name, role) for role in ("app", "readonly", *settings.roles)],
            migrator={"user": migrator, "password": key.passwords([migrator]).apply(lambda known: known[migrator])},
            admin={"user": server.user, "password": server.password},
            scratch=server.scratch,
        )
        # a saved plan has the dependencies of a resource, and a run passes no sessions
        return without_dependencies(session_of_access(access, settings, program, **_seed(group)))

    return {name: session(name) for name in group.databases if name not in group.paused}


def _seed(group: GroupSettings) -> Properties:
    """Return what a session says of the seed of a group, if there is one."""
    return {"seed": group.seed} if group.seed else {}


def _after(last: pulumi.Resource, databases: DatabaseGroup, scope: Scope) -> pulumi.ResourceOptions:
    """Return the options of what is inside the databases, and goes with them."""
    ordered = pulumi.ResourceOptions(depends_on=[depends_only_on(last)])
    return pulumi.ResourceOptions.merge(scope.options(deleted_with=databases), ordered)


def _address(server: DeclaredServer) -> pulumi.Output[str]:
    """Return where the server is, as text: on another one every database is visited again."""
    return pulumi.Output.all(**server.address).apply(
        lambda address: f"{address['host']}:{int(address['port'])} {json.dumps(address.get('options') or {})}"
    )


def _session(
    group: GroupSettings, settings: Settings, server: DeclaredServer, key: GroupKey, program: str
) -> pulumi.Output[str]:
    """Return what all resources of a group work with, as one secret text: the administrator's session, and the key."""
    admin: Properties = {"user": server.user, "password": server.password}
    address = {**server.address, "database": server.maintenance_database}
    access = SchemaAccess(address, server.user, [], migrator=admin, admin=admin, scratch=server.scratch)
    further: Properties = {**_seed(group), **({"further_roles": settings.inherited} if settings.roles else {})}
    return session_of_access(access, settings, program, key=key.key, connections=settings.group_connections, **further)
