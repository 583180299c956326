"""The declaration of a stack, from top to bottom: server, databases with their schema, outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi

from infra.catalog.catalog import NOT_COMPARED
from infra.declare_server import declare_server
from infra.program.connections import ApplicationConnection, env_lines
from infra.program.database import Declared, declare_database
from infra.resources.env_file import EnvFile
from infra.settings.model import ROLES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from infra.modules.module import Module
    from infra.program.server import DeclaredServer
    from infra.settings.model import Settings


def declare(settings: Settings, modules: Sequence[Module], policy: pulumi.Resource, *, stack: str) -> None:
    """Declare everything but the policy, which everything waits for."""
    server = declare_server(settings, policy, stack)
    databases = [declare_database(one, settings, server, modules, stack=stack) for one in settings.databases]
    connections = _connections(server, databases)
    if settings.env_file:
        EnvFile(
            "env-file",
            path=settings.env_file.format(stack=stack),
            content=connections.apply(env_lines),
            opts=pulumi.ResourceOptions(depends_on=[one.ready for one in databases]),
        )
    _export(server, databases, connections)


def _connections(server: DeclaredServer, databases: list[Declared]) -> pulumi.Output[list[ApplicationConnection]]:
    """Give every login role's way into its database, as one secret."""
    passwords = {one.database.name: one.passwords.passwords for one in databases}

    def made(known: dict[str, Any]) -> list[ApplicationConnection]:
        return [
            ApplicationConnection(
                database=one.database.name,
                role=role,
                user=getattr(one.database, role),
                password=known["passwords"][one.database.name][getattr(one.database, role)],
                host=known["address"]["host"],
                port=int(known["address"]["port"]),
                options=known["address"].get("options", {}),
            )
            for one in databases
            for role in ROLES[1:]
        ]

    return pulumi.Output.secret(pulumi.Output.all(address=server.address, passwords=passwords).apply(made))


def _export(
    server: DeclaredServer, databases: list[Declared], connections: pulumi.Output[list[ApplicationConnection]]
) -> None:
    """Export what people and programs need; whatever holds a password is secret."""

    def by_database(
        given: list[ApplicationConnection], render: Callable[[ApplicationConnection], Any]
    ) -> dict[str, dict[str, Any]]:
        return {
            one.database.name: {way.role: render(way) for way in given if way.database == one.database.name}
            for one in databases
        }

    for name, value in server.outputs.items():
        pulumi.export(name, value)
    pulumi.export("databases", [one.database.name for one in databases])
    pulumi.export("roles", {one.database.name: one.database.model_dump(exclude={"name"}) for one in databases})
    pulumi.export("dsn", connections.apply(lambda given: by_database(given, ApplicationConnection.dsn)))
    pulumi.export("connections", connections.apply(lambda given: by_database(given, ApplicationConnection.variables)))
    pulumi.export("fingerprint", {one.database.name: one.ready.fingerprint for one in databases})
    pulumi.export("not_compared", "; ".join(NOT_COMPARED))
