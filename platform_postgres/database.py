"""The component of a database with its roles, extensions, privileges and schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import pulumi

from infra.modules.decision import Lifecycle
from infra.program.database import declare_databases
from infra.program.schema import declare_plan
from infra.program.scope import Scope
from infra.program.stack import application_connections, logins_of
from platform_postgres.arguments import read_modules, run_errors, settings_of_arguments
from platform_postgres.server import PostgresServer, declare_own_server

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from platform_postgres.arguments import DatabaseArgs, LifecycleName, ModulesArgs, RoleArgs, ServerArgs


class PostgresDatabase(pulumi.ComponentResource):
    """A database on a server of its own or on a shared PostgresServer, complete when its outputs are known.

    `dsn` is the application role's connection string, `dsns` has those of every login role; all are secret.
    `fingerprint` changes when the schema does.
    """

    host: pulumi.Output[str]
    port: pulumi.Output[int]
    dsn: pulumi.Output[str]
    dsns: pulumi.Output[dict[str, str]]
    fingerprint: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        modules: str | PathLike[str] | ModulesArgs | None = None,
        database: str | DatabaseArgs | None = None,
        server: PostgresServer | ServerArgs | None = None,
        extensions: Sequence[str] = (),
        roles: Mapping[str, RoleArgs] | None = None,
        lifecycle: LifecycleName | None = None,
        password_rotation: int | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declare the database; it has the component's name unless `database` says another one.

        The values are those of docs/settings.md. Without a `server` it gets an embedded one.
        """
        own = None if isinstance(server, PostgresServer) else server
        with run_errors():
            settings = settings_of_arguments(
                f"PostgresDatabase {name}",
                server=own,
                database=database or name,
                modules=modules,
                extensions=extensions,
                roles=roles,
                lifecycle=lifecycle,
                password_rotation=password_rotation,
            )
            files = read_modules(settings.modules.directory)
        super().__init__("platform-postgres:index:PostgresDatabase", name, {}, opts)
        scope = Scope(pulumi.get_stack(), component=name, parent=self)
        on = server.declared if isinstance(server, PostgresServer) else declare_own_server(settings, own, scope)
        before = server.databases[-1:] if isinstance(server, PostgresServer) else []
        on = replace(on, provider=_own_provider(opts) or on.provider)
        (declared,) = declare_databases(settings, on, files, scope=scope, after=before[0] if before else None)
        if isinstance(server, PostgresServer):
            server.databases.append(declared)
        sessions = {declared.database.name: declared.session}
        persistent = settings.lifecycle is Lifecycle.PERSISTENT
        declare_plan(settings, files, sessions, [declared.ready], scope=scope, protect=persistent)
        logins = logins_of(declared, settings)
        connections = pulumi.Output.all(application_connections(on, [logins]), declared.ready.urn)
        self.dsns = connections.apply(lambda known: {connection.role: connection.dsn() for connection in known[0]})
        self.dsn = self.dsns.apply(lambda dsns: dsns["app"])
        self.host = on.outputs["host"]
        self.port = on.outputs["port"]
        self.fingerprint = declared.ready.fingerprint
        self.register_outputs(
            {"host": self.host, "port": self.port, "dsns": self.dsns, "fingerprint": self.fingerprint}
        )


def _own_provider(opts: pulumi.ResourceOptions | None) -> pulumi.ProviderResource | None:
    """Return the postgresql provider in a component's own options; an outer component's may be of another server."""
    if opts is None:
        return None
    several = opts.providers or []
    providers = [opts.provider, *(several.values() if isinstance(several, Mapping) else several)]
    return next((provider for provider in providers if provider and provider.package == "postgresql"), None)
