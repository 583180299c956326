"""Declares an embedded server and its administrator's password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.modules.decision import Lifecycle
from infra.postgres.connection.target import ADMIN_USER
from infra.program.server import DeclaredServer, owned_server
from infra.resources.embedded_server import EmbeddedServer
from infra.resources.passwords import Passwords

if TYPE_CHECKING:
    from infra.program.scope import Scope
    from infra.settings.model import Settings
    from infra.settings.servers import EmbeddedSettings


def declare_embedded(settings: Settings, server: EmbeddedSettings, scope: Scope) -> DeclaredServer:
    """Declare the server; it is protected where the stack is persistent."""
    passwords = Passwords(
        scope.name("admin-password"),
        roles=[ADMIN_USER],
        rotation=settings.password_rotation,
        opts=scope.options(first=True),
    )
    password = passwords.password(ADMIN_USER)
    embedded = EmbeddedServer(
        scope.name("server"),
        server,
        stack=scope.stack,
        label=scope.label,
        lifecycle=settings.lifecycle.value,
        user=ADMIN_USER,
        password=password,
        extensions=settings.extensions,
        opts=scope.options(protect=settings.lifecycle is Lifecycle.PERSISTENT),
    )
    return owned_server(
        embedded,
        scope=scope,
        adopt=server.adopt,
        certificate=embedded.certificate,
        outputs={"uuid_ossp": embedded.uuid_ossp, "log_file": embedded.log_file, "psql": embedded.psql},
        scratch={
            name: str(path) for name, path in (("bin_dir", server.bin_dir), ("data_root", server.data_root)) if path
        },
    )
