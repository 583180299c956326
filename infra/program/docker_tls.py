"""Declares a container's certificate, the files for it in the container, and what clients are told of it."""

from __future__ import annotations

from dataclasses import dataclass
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
}
_REQUIRED = {"hba_file": f"{_TLS_FOLDER}/pg_hba.conf"}


@dataclass(frozen=True)
class Tls:
    """What a container gets for TLS; `certificate` is the file by which this machine knows its server.

    `required` says whether it takes no connection without TLS, so that applications need the options too.
    """

    uploads: list[docker.ContainerUploadArgs]
    certificate: pulumi.Output[str]
    required: bool

    @property
    def options(self) -> pulumi.Output[dict[str, str]]:
        """The libpq keywords with which a client verifies the server."""
        return self.certificate.apply(lambda path: {"sslmode": "verify-full", "sslrootcert": path})

    def command(self, postgres: Sequence[str]) -> list[str]:
        """Return the container's command: it copies the key to where the server may read it, then starts the server."""
        settings = {**_SETTINGS, **(_REQUIRED if self.required else {})}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return ["sh", "-c", START, "start", *postgres, *words]


def declare_tls(scope: Scope, *, names: Sequence[pulumi.Input[str]], required: bool, after: pulumi.Resource) -> Tls:
    """Declare the certificate of a server that is reached by these names and addresses.

    Where clients do not use it, it is signed by itself and does not end: no renewal restarts the container.
    """
    certificate = ServerCertificate(
        scope.name("certificate"),
        stack=scope.stack,
        names=names,
        self_signed=not required,
        opts=scope.options(depends_on=[after]),
    )
    files = [("server.crt", certificate.certificate, "0444"), ("uploaded.key", certificate.key, "0400")]
    uploads = [
        docker.ContainerUploadArgs(file=f"{_TLS_FOLDER}/{name}", content=content, permissions=mode)
        for name, content, mode in files
    ]
    if required:
        hba = docker.ContainerUploadArgs(file=_REQUIRED["hba_file"], content=_HBA, permissions="0444")
        uploads.append(hba)
    return Tls(uploads, certificate.path, required)
