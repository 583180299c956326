"""The declaration of a stack, from top to bottom: server, databases with their schema, outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi

from infra.catalog.catalog import NOT_COMPARED
from infra.errors import ServerError
from infra.program.connections import ApplicationConnection, env_lines
from infra.program.database import DeclaredDatabase, declare_databases, declare_plan
from infra.program.embedded import declare_embedded
from infra.program.external import declare_external
from infra.program.scope import Scope
from infra.resources.base import LazyModule
from infra.resources.env_file import EnvFile
from infra.settings.model import ROLES, DockerSettings, ExternalSettings

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
    sessions = {declared.database.name: declared.session for declared in databases}
    declare_plan(settings, modules, sessions, [declared.ready for declared in databases], scope=scope)
    connections = application_connections(server, databases)
    if settings.env_file:
        EnvFile(
            "env-file",
            path=settings.env_file.format(stack=stack),
            content=connections.apply(env_lines),
            opts=pulumi.ResourceOptions(depends_on=[database.ready for database in databases]),
        )
    _export(server, databases, connections)


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


def application_connections(
    server: DeclaredServer, databases: list[DeclaredDatabase]
) -> pulumi.Output[list[ApplicationConnection]]:
    """Return the connection of every login role to its database, as one secret."""
    passwords = {declared.database.name: declared.passwords.passwords for declared in databases}

    def connections(outputs: dict[str, Any]) -> list[ApplicationConnection]:
        address = outputs["address"]
        return [
            ApplicationConnection(
                database=declared.database.name,
                role=role,
                user=getattr(declared.database, role),
                password=outputs["passwords"][declared.database.name][getattr(declared.database, role)],
                host=address["host"],
                port=int(address["port"]),
                options=address.get("options", {}),
            )
            for declared in databases
            for role in ROLES[1:]
        ]

    return pulumi.Output.secret(pulumi.Output.all(address=server.address, passwords=passwords).apply(connections))


def _export(
    server: DeclaredServer,
    databases: list[DeclaredDatabase],
    connections: pulumi.Output[list[ApplicationConnection]],
) -> None:
    """Export what people and programs need; whatever holds a password is secret."""

    def by_database(
        connections: list[ApplicationConnection], render: Callable[[ApplicationConnection], Any]
    ) -> dict[str, dict[str, Any]]:
        return {
            declared.database.name: {
                connection.role: render(connection)
                for connection in connections
                if connection.database == declared.database.name
            }
            for declared in databases
        }

    for name, value in server.outputs.items():
        pulumi.export(name, value)
    pulumi.export("databases", [declared.database.name for declared in databases])
    pulumi.export(
        "roles", {declared.database.name: declared.database.model_dump(exclude={"name"}) for declared in databases}
    )
    pulumi.export("dsn", connections.apply(lambda known: by_database(known, ApplicationConnection.dsn)))
    pulumi.export("connections", connections.apply(lambda known: by_database(known, ApplicationConnection.variables)))
    pulumi.export("fingerprint", {declared.database.name: declared.ready.fingerprint for declared in databases})
    pulumi.export("not_compared", "; ".join(NOT_COMPARED))
