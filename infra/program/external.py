"""Declares a server that exists already, and the provider that manages the stack's roles and databases on it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pulumi
import pulumi_postgresql as postgresql

from infra.errors import ServerError
from infra.program.server import PLUGIN_CONNECT_TIMEOUT_SECONDS, PLUGIN_CONNECTIONS, DeclaredServer
from infra.resources.external_server import ExternalServer

if TYPE_CHECKING:
    from infra.program.scope import Scope
    from infra.settings.model import ExternalSettings, Settings


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
        outputs={"host": external.host, "port": external.port, "server_version": external.version},
    )


def admin_password(server: ExternalSettings) -> str:
    """Return the administrator's password from where the settings name it, '' for nowhere; raises ServerError."""
    if server.password_variable:
        if server.password_variable not in os.environ:
            raise ServerError(
                "the variable that it names is not set in the environment",
                place="server.password_variable",
                remedy="export it where `pulumi` is started",
            )
        return os.environ[server.password_variable]
    if server.password_file:
        try:
            return Path(server.password_file).expanduser().read_text(encoding="utf-8").splitlines()[0]
        except (OSError, UnicodeDecodeError, IndexError):
            raise ServerError(
                "the file that it names cannot be read, or is empty",
                place="server.password_file",
                remedy="write the password into its first line, readable by you alone",
            ) from None
    return server.password or ""


def _other_role(names: list[str]) -> str | None:
    """Return the role as which the administrator acts, None where that is the login itself."""
    role, user = names
    return role if role != user else None


def _client_certificate(options: dict[str, str]) -> postgresql.ProviderClientcertArgs | None:
    if "sslcert" not in options:
        return None
    return postgresql.ProviderClientcertArgs(cert=options["sslcert"], key=options.get("sslkey", ""))
