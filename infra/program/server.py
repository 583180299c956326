"""What the rest of a stack knows of its server, whatever the kind, and the provider that manages what is inside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_postgresql as postgresql

from infra.postgres.connection.target import ADMIN_USER, MAINTENANCE_DATABASE, REQUIRE_SCRAM

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.program.scope import Scope
    from infra.resources.docker_server import DockerServer
    from infra.resources.embedded_server import EmbeddedServer

PLUGIN_CONNECT_TIMEOUT_SECONDS = 10
PLUGIN_CONNECTIONS = 2


@dataclass(frozen=True)
class DeclaredServer:
    """A declared server: how to reach it as administrator (outputs, unknown until it exists), and its own outputs.

    `address` has host, port and, where there are any, further libpq keywords: what this program's connections need;
    `client_options` are those that applications need.
    `deleted_with` is the resource whose deletion deletes all that is inside; None where the server is not the stack's.
    `adopt` says whether roles and databases that it has already are taken over, or names those that are. `scratch` says
    where a private server gets the same programs from, as infra/server/scratch/scratch_provider.py reads it.
    """

    address: dict[str, pulumi.Output[Any]]
    user: pulumi.Input[str]
    password: pulumi.Output[str]
    resource: pulumi.Resource
    maintenance_database: pulumi.Input[str]
    deleted_with: pulumi.Resource | None
    adopt: bool | Sequence[str]
    provider: postgresql.Provider
    outputs: dict[str, pulumi.Output[Any]]
    client_options: pulumi.Output[dict[str, str]]
    scratch: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, "pulumi.Input[str]"])


def owned_server(
    server: EmbeddedServer | DockerServer,
    *,
    scope: Scope,
    adopt: bool,
    outputs: Mapping[str, pulumi.Output[Any]],
    scratch: Mapping[str, pulumi.Input[str]],
    certificate: pulumi.Output[str],
    tls: pulumi.Output[dict[str, str]] | None = None,
) -> DeclaredServer:
    """Return a server that the stack creates and deletes.

    `certificate` is the file by which this machine knows the server, `tls` has the libpq keywords that clients need
    where they verify it too, `outputs` is what only this kind of server exports. The plugin tells its password to
    whoever asks for it, so that it connects by TLS to a server that has proved with the certificate which one it is.
    """
    provider = postgresql.Provider(
        scope.name("admin"),
        host=server.host,  # an output: a preview would connect to a host that it knows before the server exists
        port=server.listen_port,
        username=ADMIN_USER,
        password=server.login_password,
        database=MAINTENANCE_DATABASE,
        sslmode="verify-full",
        sslrootcert=certificate,
        connect_timeout=PLUGIN_CONNECT_TIMEOUT_SECONDS,
        max_connections=PLUGIN_CONNECTIONS,
        opts=scope.options(deleted_with=server),
    )
    address: dict[str, pulumi.Output[Any]] = {"host": server.host, "port": server.listen_port}
    clients = tls or pulumi.Output.from_input(dict[str, str]())
    # By SCRAM the server proves that it knows the password: TLS would only cost time on this machine.
    own = {"sslmode": "disable", **REQUIRE_SCRAM}
    options = clients.apply(lambda options: {**own, **options})
    return DeclaredServer(
        address={**address, "options": options},
        user=ADMIN_USER,
        password=server.login_password,
        resource=server,
        deleted_with=server,
        maintenance_database=MAINTENANCE_DATABASE,
        adopt=adopt,
        provider=provider,
        outputs={**address, "server_version": server.version, **outputs},
        client_options=clients,
        scratch=scratch,
    )
