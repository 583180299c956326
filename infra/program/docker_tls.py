"""Declares what a container needs for TLS: its certificate, the files in it, and what its clients are told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pulumi
import pulumi_docker as docker

from infra.resources.server_certificate import ServerCertificate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.program.scope import Scope

_TLS_FOLDER = "/run/postgres-tls"
_HBA = """\
local   all postgres     peer
local   all all          scram-sha-256
hostssl all all      all scram-sha-256
"""
"""No connection by TCP without TLS, not from inside the container either."""
# The key has to be the server's own, or it does not start (PostgreSQL manual, 18.9.1); an uploaded file is root's.
START = (
    f"""cd {_TLS_FOLDER} && install -o postgres -m 0600 uploaded.key server.key && exec docker-entrypoint.sh "$@\""""
)
_SETTINGS = {
    "ssl": "on",
    "ssl_cert_file": f"{_TLS_FOLDER}/server.crt",
    "ssl_key_file": f"{_TLS_FOLDER}/server.key",
    "hba_file": f"{_TLS_FOLDER}/pg_hba.conf",
}


@dataclass(frozen=True)
class Tls:
    """What a container and its clients get for TLS; all of it is empty without TLS."""

    uploads: list[docker.ContainerUploadArgs] = field(default_factory=list[docker.ContainerUploadArgs])
    options: pulumi.Output[dict[str, str]] | None = None

    def command(self, postgres: Sequence[str]) -> list[str]:
        """Return the container's command: it copies the key to where the server may read it, then starts the server."""
        if self.options is None:
            return list(postgres)
        settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        return ["sh", "-c", START, "start", *postgres, *settings]


def declare_tls(scope: Scope, *, names: Sequence[pulumi.Input[str]], after: pulumi.Resource) -> Tls:
    """Declare the certificate of a server that is reached by these names and addresses."""
    certificate = ServerCertificate(
        scope.name("certificate"), stack=scope.stack, names=names, opts=scope.options(depends_on=[after])
    )
    files = (
        ("server.crt", certificate.certificate, "0444"),
        ("uploaded.key", certificate.key, "0400"),
        ("pg_hba.conf", _HBA, "0444"),
    )
    uploads = [
        docker.ContainerUploadArgs(file=f"{_TLS_FOLDER}/{name}", content=content, permissions=mode)
        for name, content, mode in files
    ]
    options = certificate.path.apply(lambda path: {"sslmode": "verify-full", "sslrootcert": path})
    return Tls(uploads, options)
