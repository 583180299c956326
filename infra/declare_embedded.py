"""Declares a PostgreSQL of this machine's own, its admin's password, and the provider that manages what is inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pulumi_postgresql as postgresql

from infra.declared_server import CONNECT_TIMEOUT_SECONDS, CONNECTIONS, Server
from infra.resources.embedded_server import EmbeddedServer, is_there
from infra.resources.passwords import Passwords
from infra.resources.stack_policy import PERSISTENT

if TYPE_CHECKING:
    from infra.settings import EmbeddedServer as EmbeddedSettings
    from infra.settings import Settings

MAINTENANCE_DATABASE = "postgres"
ADMIN = "postgres"


def declare_embedded(settings: Settings, server: EmbeddedSettings, policy: pulumi.Resource, stack: str) -> Server:
    """Declare the server; it is protected where the stack is persistent."""
    passwords = Passwords(
        "admin-password",
        roles=[ADMIN],
        rotation=settings.password_rotation,
        opts=pulumi.ResourceOptions(depends_on=[policy]),
    )
    password = passwords.password(ADMIN)
    embedded = EmbeddedServer(
        "server",
        server,
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
        max_connections=CONNECTIONS,
        opts=pulumi.ResourceOptions(deleted_with=embedded),
    )
    return Server(
        address={"host": embedded.host, "port": embedded.listen_port},
        user=ADMIN,
        password=password,
        resource=embedded,
        goes_with_it=embedded,
        maintenance_database=MAINTENANCE_DATABASE,
        adopted=server.adopt and is_there(server, stack),
        provider=provider,
        outputs={
            "host": embedded.host,
            "port": embedded.listen_port,
            "server_version": embedded.version,
            "uuid_ossp": embedded.uuid_ossp,
            "log_file": embedded.log_file,
            "psql": embedded.psql,
        },
    )
