"""Declares a PostgreSQL of this machine's own, its admin's password, and the provider that manages what is inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from infra.program.server import ADMIN, DeclaredServer, owned_server
from infra.resources.embedded_server import EmbeddedServer, server_exists
from infra.resources.passwords import Passwords
from infra.resources.stack_policy import PERSISTENT

if TYPE_CHECKING:
    from infra.settings.model import EmbeddedSettings, Settings


def declare_embedded(
    settings: Settings, server: EmbeddedSettings, policy: pulumi.Resource, stack: str
) -> DeclaredServer:
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
    return owned_server(
        embedded,
        password,
        adopted=server.adopt and server_exists(server, stack),
        outputs={"uuid_ossp": embedded.uuid_ossp, "log_file": embedded.log_file, "psql": embedded.psql},
    )
