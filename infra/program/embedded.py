"""Declares an embedded server and its administrator's password."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from infra.modules.decision import Lifecycle
from infra.postgres.connection.target import ADMIN_USER
from infra.program.server import DeclaredServer, owned_server
from infra.resources.embedded_server import EmbeddedServer
from infra.resources.passwords import Passwords

if TYPE_CHECKING:
    from infra.settings.model import EmbeddedSettings, Settings


def declare_embedded(
    settings: Settings, server: EmbeddedSettings, policy: pulumi.Resource, stack: str
) -> DeclaredServer:
    """Declare the server; it is protected where the stack is persistent."""
    passwords = Passwords(
        "admin-password",
        roles=[ADMIN_USER],
        rotation=settings.password_rotation,
        opts=pulumi.ResourceOptions(depends_on=[policy]),
    )
    password = passwords.password(ADMIN_USER)
    embedded = EmbeddedServer(
        "server",
        server,
        stack=stack,
        user=ADMIN_USER,
        password=password,
        extensions=settings.extensions,
        opts=pulumi.ResourceOptions(protect=settings.lifecycle is Lifecycle.PERSISTENT or None),
    )
    return owned_server(
        embedded,
        password,
        adopted=server.adopt,
        outputs={"uuid_ossp": embedded.uuid_ossp, "log_file": embedded.log_file, "psql": embedded.psql},
    )
