"""The declaration of a stack, from top to bottom: server, databases with their schema, outputs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pulumi

from infra.catalog.catalog import NOT_COMPARED
from infra.errors import ServerError
from infra.lazy_module import LazyModule
from infra.modules.decision import Lifecycle
from infra.program.connections import ApplicationConnection, env_lines
from infra.program.database import DeclaredDatabase, declare_databases
from infra.program.embedded import declare_embedded
from infra.program.environment import declare_mark
from infra.program.external import declare_external
from infra.program.group import DeclaredGroup, declare_groups, end_if_incomplete
from infra.program.schema import declare_plan
from infra.program.scope import Scope
from infra.resources.env_file import EnvFile
from infra.settings.servers import DockerSettings, ExternalSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from infra.modules.module import Module
    from infra.program import docker
    from infra.program.external import Administrator
    from infra.program.server import DeclaredServer
    from infra.settings.model import Settings
else:
    docker = LazyModule("infra.program.docker")  # its SDK is installed for the stacks that need it


def declare(settings: Settings, modules: Sequence[Module], policy: pulumi.Resource, *, stack: str) -> None:
    """Declare everything but the policy, after which everything is ordered."""
    scope = Scope(stack, after=[policy])
    server = declare_server(settings, scope)
    databases = declare_databases(settings, server, modules, scope=scope)
    groups = declare_groups(settings, server, modules, scope=scope, after=[database.created for database in databases])
    sessions = {
        **{declared.database.name: declared.session for declared in databases},
        **{name: session for group in groups for name, session in group.sessions.items()},
    }
    last: list[pulumi.Resource] = [declared.ready for declared in (*databases, *groups)]
    if settings.expires:
        made = [*(database.created for database in databases), *(group.databases for group in groups)]
        declare_mark(settings, server, expires=settings.expires, scope=scope, after=made)
    logins = [logins_of(declared, settings) for declared in databases]
    if settings.env_file and databases:
        env_file = EnvFile(
            "env-file",
            path=settings.env_file.format(stack=stack),
            content=application_connections(server, logins).apply(env_lines),
            opts=pulumi.ResourceOptions(depends_on=[database.ready for database in databases]),
        )
        last.append(env_file)
    declare_plan(settings, modules, sessions, last, scope=scope, protect=settings.lifecycle is Lifecycle.PERSISTENT)
    of_groups = [login for group in groups for login in _logins_of_group(group)]
    connections = application_connections(server, [*logins, *of_groups])
    _export(settings, server, databases, groups, connections)
    for group in groups:
        group.failed().apply(partial(end_if_incomplete, group.settings))


def declare_server(settings: Settings, scope: Scope, administrator: Administrator | None = None) -> DeclaredServer:
    """Declare the server of the kind that the settings name; raises ServerError where its SDK is not installed.

    An external server may be given its `administrator` apart, with parts that are known later.
    """
    server = settings.server
    if isinstance(server, ExternalSettings):
        return declare_external(settings, server, scope, administrator)
    if not isinstance(server, DockerSettings):
        return declare_embedded(settings, server, scope)
    try:
        return docker.declare_docker(settings, server, scope)
    except ModuleNotFoundError as error:
        raise ServerError(
            f"needs the package {(error.name or 'pulumi_docker').replace('_', '-')}, which is not installed",
            place="server kind docker",
            remedy=f"run `make setup STACK={scope.stack}`, or `.venv/bin/pip install -r requirements-docker.txt`",
        ) from None


class Logins(NamedTuple):
    """The login roles of a database by their kind (`app`), and passwords by the roles' names."""

    database: str
    users: dict[str, str]
    passwords: pulumi.Output[dict[str, str]]


def logins_of(declared: DeclaredDatabase, settings: Settings) -> Logins:
    """Return the logins of a single database."""
    users = {role: name for role, name in settings.roles_of(declared.database).items() if role != "owner"}
    return Logins(declared.database.name, users, declared.passwords.passwords)


def _logins_of_group(declared: DeclaredGroup) -> list[Logins]:
    group, passwords = declared.settings, declared.passwords()
    return [
        Logins(name, {role: group.role(name, role) for role in declared.logins}, passwords) for name in group.databases
    ]


def application_connections(
    server: DeclaredServer, logins: Sequence[Logins]
) -> pulumi.Output[list[ApplicationConnection]]:
    """Return the connection of every login role to its database, as one secret."""
    passwords = list({id(login.passwords): login.passwords for login in logins}.values())

    def connections(outputs: dict[str, Any]) -> list[ApplicationConnection]:
        address = outputs["address"]
        known = {user: password for by_user in outputs["passwords"] for user, password in by_user.items()}
        return [
            ApplicationConnection(
                database=login.database,
                role=role,
                user=user,
                password=known[user],
                host=address["host"],
                port=int(address["port"]),
                options=outputs["options"],
            )
            for login in logins
            for role, user in login.users.items()
        ]

    known = pulumi.Output.all(address=server.address, options=server.client_options, passwords=passwords)
    return pulumi.Output.secret(known.apply(connections))


def _export(
    settings: Settings,
    server: DeclaredServer,
    databases: list[DeclaredDatabase],
    groups: list[DeclaredGroup],
    connections: pulumi.Output[list[ApplicationConnection]],
) -> None:
    """Export what people and programs need; whatever holds a password is secret."""

    def by_database(
        connections: list[ApplicationConnection], render: Callable[[ApplicationConnection], Any]
    ) -> dict[str, dict[str, Any]]:
        rendered: dict[str, dict[str, Any]] = {}
        for connection in connections:
            rendered.setdefault(connection.database, {})[connection.role] = render(connection)
        return rendered

    for name, value in server.outputs.items():
        pulumi.export(name, value)
    pulumi.export("databases", [declared.database.name for declared in databases])
    pulumi.export("roles", {declared.database.name: settings.roles_of(declared.database) for declared in databases})
    pulumi.export("dsn", connections.apply(lambda known: by_database(known, ApplicationConnection.dsn)))
    pulumi.export("connections", connections.apply(lambda known: by_database(known, ApplicationConnection.variables)))
    pulumi.export("fingerprint", {declared.database.name: declared.ready.fingerprint for declared in databases})
    if groups:
        pulumi.export("groups", {declared.settings.group: declared.summary() for declared in groups})
    pulumi.export("not_compared", "; ".join(NOT_COMPARED))
