"""The component of a server that several databases share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pulumi

from infra.program.connections import ApplicationConnection
from infra.program.external import Administrator, admin_password
from infra.program.scope import Scope
from infra.program.stack import declare_server
from infra.settings.servers import ExternalSettings
from platform_postgres.arguments import run_errors, settings_of_arguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.program.database import DeclaredDatabase
    from infra.program.server import DeclaredServer
    from infra.settings.model import Settings
    from platform_postgres.arguments import ExternalServerArgs, LifecycleName, ServerArgs


class PostgresServer(pulumi.ComponentResource):
    """A server: one that the program creates and removes, or one that exists already.

    `admin_dsn` is the administrator's connection string, a secret. `extensions` are looked for on the server before
    anything is created; each PostgresDatabase creates its own. `declared` and `databases` are for PostgresDatabase.
    """

    host: pulumi.Output[str]
    port: pulumi.Output[int]
    admin_dsn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        server: ServerArgs | None = None,
        *,
        lifecycle: LifecycleName | None = None,
        extensions: Sequence[str] = (),
        password_rotation: int | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        with run_errors():
            settings = settings_of_arguments(
                f"PostgresServer {name}",
                server=server,
                lifecycle=lifecycle,
                extensions=extensions,
                password_rotation=password_rotation,
            )
        super().__init__("platform-postgres:index:PostgresServer", name, {}, opts)
        self.declared: DeclaredServer = declare_own_server(
            settings, server, Scope(pulumi.get_stack(), component=name, parent=self)
        )
        self.databases: list[DeclaredDatabase] = []
        self.host = self.declared.outputs["host"]
        self.port = self.declared.outputs["port"]
        self.admin_dsn = _admin_dsn(self.declared)
        self.register_outputs({"host": self.host, "port": self.port, "admin_dsn": self.admin_dsn})


def _admin_dsn(server: DeclaredServer) -> pulumi.Output[str]:
    def dsn(known: dict[str, Any]) -> str:
        address, database, user = known["address"], known["database"], known["user"]
        return ApplicationConnection(
            database=database,
            role="administrator",
            user=user,
            password=known["password"],
            host=address["host"],
            port=int(address["port"]),
            options=address.get("options", {}),
        ).dsn()

    parts = pulumi.Output.all(
        address=server.address, database=server.maintenance_database, user=server.user, password=server.password
    )
    return pulumi.Output.secret(parts.apply(dsn))


def declare_own_server(settings: Settings, server: ServerArgs | None, scope: Scope) -> DeclaredServer:
    """Declare a server; of an external one's arguments, those that may be outputs are used as they are."""
    with run_errors():
        administrator = None
        if isinstance(settings.server, ExternalSettings):
            external = cast("ExternalServerArgs", server)
            password = external.get("password")
            administrator = Administrator(
                external["dsn"], admin_password(settings.server) if password is None else password
            )
        return declare_server(settings, scope, administrator)
