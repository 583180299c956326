"""What the rest of a stack sees of its server, whatever the kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_postgresql as postgresql

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.resources.docker_server import DockerServer
    from infra.resources.embedded_server import EmbeddedServer

ADMIN = MAINTENANCE_DATABASE = "postgres"
"""What a new server has (manual, 19.2): the superuser, and a database for whoever has no other."""
CONNECT_TIMEOUT_SECONDS = 10
CONNECTIONS = 2  # of the postgresql plugin


@dataclass(frozen=True)
class DeclaredServer:
    """A declared server: how to reach it as admin (outputs, unknown until it exists), and what it says of itself.

    `address` has host, port and, where there are any, further libpq keywords: what every connection to it needs.
    `goes_with_it` is the resource whose end is the end of all that is inside; None where the server is not the stack's.
    `adopted` says that roles and databases are there already.
    """

    address: dict[str, pulumi.Output[Any]]
    user: pulumi.Input[str]
    password: pulumi.Output[str]
    resource: pulumi.Resource
    maintenance_database: pulumi.Input[str]
    goes_with_it: pulumi.Resource | None
    adopted: bool
    provider: postgresql.Provider
    outputs: dict[str, pulumi.Output[Any]]


def owned_server(
    server: EmbeddedServer | DockerServer,
    password: pulumi.Output[str],
    *,
    adopted: bool,
    outputs: Mapping[str, pulumi.Output[Any]],
    tls: pulumi.Output[dict[str, str]] | None = None,
) -> DeclaredServer:
    """Give a server that the stack makes and that ends with it, and the provider that manages what is inside.

    `tls` has the libpq keywords that clients need for it, `outputs` what only this kind of server says of itself.
    """
    provider = postgresql.Provider(
        "admin",
        host=server.host,  # an output: a provider that knows its host before the server is there would ask it
        port=server.listen_port,
        username=ADMIN,
        password=password,
        database=MAINTENANCE_DATABASE,
        sslmode="verify-full" if tls else "disable",
        sslrootcert=tls.apply(lambda known: known["sslrootcert"]) if tls else None,
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        max_connections=CONNECTIONS,
        opts=pulumi.ResourceOptions(deleted_with=server),
    )
    address: dict[str, pulumi.Output[Any]] = {"host": server.host, "port": server.listen_port}
    return DeclaredServer(
        address={**address, "options": tls} if tls else address,
        user=ADMIN,
        password=password,
        resource=server,
        goes_with_it=server,
        maintenance_database=MAINTENANCE_DATABASE,
        adopted=adopted,
        provider=provider,
        outputs={**address, "server_version": server.version, **outputs},
    )
