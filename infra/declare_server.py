"""Declares the server of a stack, whatever its kind: what the rest of the stack sees of it is the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_postgresql as postgresql

from infra.resources.embedded_server import EmbeddedServer, is_there
from infra.resources.passwords import Passwords
from infra.resources.stack_policy import PERSISTENT

if TYPE_CHECKING:
    from infra.settings import Settings

MAINTENANCE_DATABASE = "postgres"
ADMIN = "postgres"
CONNECT_TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Server:
    """A declared server: how to reach it as admin (outputs, unknown until it exists), and what goes when it goes."""

    host: pulumi.Output[str]
    port: pulumi.Output[int]
    user: str
    password: pulumi.Output[str]
    version: pulumi.Output[str]
    resource: pulumi.Resource
    adopted: bool
    provider: postgresql.Provider
    outputs: dict[str, pulumi.Output[str]]


def declare_server(settings: Settings, policy: pulumi.Resource, stack: str) -> Server:
    """Declare the server, its admin's password, and the provider that manages roles and databases on it."""
    passwords = Passwords(
        "admin-password",
        roles=[ADMIN],
        rotation=settings.password_rotation,
        opts=pulumi.ResourceOptions(depends_on=[policy]),
    )
    password = passwords.password(ADMIN)
    embedded = EmbeddedServer(
        "server",
        settings.server,
        stack=stack,
        user=ADMIN,
        password=password,
        extensions=settings.extensions,
        opts=pulumi.ResourceOptions(protect=settings.lifecycle == PERSISTENT or None),
    )
    provider = postgresql.Provider(
        "admin",
        host=embedded.host,  # an output: a provider that knows its host before the server is there would ask it
        port=embedded.listen_port,
        username=ADMIN,
        password=password,
        database=MAINTENANCE_DATABASE,
        sslmode="disable",
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        max_connections=2,
        opts=pulumi.ResourceOptions(deleted_with=embedded),
    )
    return Server(
        host=embedded.host,
        port=embedded.listen_port,
        user=ADMIN,
        password=password,
        version=embedded.version,
        resource=embedded,
        adopted=settings.server.adopt and is_there(settings.server, stack),
        provider=provider,
        outputs={"uuid_ossp": embedded.uuid_ossp, "log_file": embedded.log_file, "psql": embedded.psql},
    )
