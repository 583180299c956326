"""Declares a server that exists already, and the provider that manages the stack's roles and databases on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_postgresql as postgresql

from infra.program.server import PLUGIN_CONNECT_TIMEOUT_SECONDS, PLUGIN_CONNECTIONS, DeclaredServer
from infra.resources.external_server import ExternalServer
from infra.settings.admin_password import admin_password

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.program.scope import Scope
    from infra.settings.model import Settings
    from infra.settings.servers import ExternalSettings


@dataclass(frozen=True)
class Administrator:
    """How the administrator connects, each of it known now or later."""

    dsn: pulumi.Input[str]
    password: pulumi.Input[str] = field(repr=False)


def declare_external(
    settings: Settings, server: ExternalSettings, scope: Scope, administrator: Administrator | None = None
) -> DeclaredServer:
    """Declare the server; destroying the stack removes only what the stack created on it.

    Without an `administrator` the settings say how to connect.
    """
    administrator = administrator or Administrator(server.dsn, admin_password(server))
    external = ExternalServer(
        scope.name("server"),
        dsn=administrator.dsn,
        password=administrator.password,
        accept=server.accept,
        extensions=settings.extensions,
        opts=scope.options(first=True),
    )
    provider = postgresql.Provider(
        scope.name("admin"),
        host=external.host,
        port=external.port,
        username=external.user,
        database_username=pulumi.Output.all(external.role, external.user).apply(_other_role),
        password=external.password,
        database=external.database,
        superuser=external.superuser,
        sslmode=external.sslmode,
        sslrootcert=external.options.apply(lambda options: options.get("sslrootcert", "")),
        clientcert=external.options.apply(_client_certificate),  # pyright: ignore[reportArgumentType] (or None)
        connect_timeout=PLUGIN_CONNECT_TIMEOUT_SECONDS,
        max_connections=PLUGIN_CONNECTIONS,
        opts=scope.options(),
    )
    return DeclaredServer(
        address={"host": external.first_host, "port": external.first_port, "options": external.options},
        user=external.user,
        password=external.password,
        resource=external,
        deleted_with=None,
        maintenance_database=external.database,
        adopt=server.adopt,
        provider=provider,
        outputs={
            "host": pulumi.Output.all(external.options, external.host).apply(_all_of("host")),
            "port": pulumi.Output.all(external.options, external.port).apply(_all_of("port")),
            "server_version": external.version,
        },
        client_options=external.options,
    )


def _all_of(keyword: str) -> Callable[[list[Any]], object]:
    """Return a function that gives libpq's list of all hosts, or ports, which stays valid when the primary changes."""

    def chosen(values: list[Any]) -> object:
        options, of_the_primary = values
        return options.get(keyword, of_the_primary)

    return chosen


def _other_role(names: list[str]) -> str | None:
    """Return the role as which the administrator acts, None where that is the login itself."""
    role, user = names
    return role if role != user else None


def _client_certificate(options: dict[str, str]) -> postgresql.ProviderClientcertArgs | None:
    if "sslcert" not in options:
        return None
    return postgresql.ProviderClientcertArgs(cert=options["sslcert"], key=options.get("sslkey", ""))
