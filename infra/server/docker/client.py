"""The connection to a Docker engine: the Docker SDK's client for an address, and the SDK's errors as ServerError.

All imports are absolute, so `docker` is the SDK and `infra.server.docker` this package. The SDK is installed, and
imported, only for stacks whose server is of the kind `docker`.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from docker import APIClient
from docker.errors import APIError, DockerException
from docker.tls import TLSConfig

from infra.errors import ServerError
from infra.server.docker.ssh import forward_socket

if TYPE_CHECKING:
    from collections.abc import Generator
    from urllib.parse import SplitResult

TIMEOUT_SECONDS = 120
"""The longest wait for the engine's next bytes, for example while a short command runs in a container."""
_TCP = ("tcp", "http", "https")
_PORT, _TLS_PORT = 2375, 2376
"""Of tcp:// addresses that name none (Docker manual, `dockerd`, Daemon socket option)."""


class _Client(APIClient):
    """The SDK's client without HTTP_PROXY and REQUESTS_CA_BUNDLE, which `requests` takes from the environment.

    The proxy would be used for an engine on 127.0.0.1 too, and the bundle would replace the authority's certificate in
    DOCKER_CERT_PATH.
    """

    def merge_environment_settings(self, *arguments: Any, **keywords: Any) -> dict[str, Any]:  # noqa: ANN401 (passed on)
        self.trust_env = False
        return super().merge_environment_settings(*arguments, **keywords)


def connect_client(host: str) -> Any:  # noqa: ANN401 (the SDK has no types)
    """Return the SDK's client for the engine at an address; the engine was asked for its API version.

    Raises ServerError for an address of another kind than unix://, tcp:// and ssh://, and when the engine does not
    answer.
    """
    parts = _parse_address(host)
    tls = _tls_of_environment(host) if parts.scheme in _TCP else False
    address = host
    if parts.scheme == "ssh":
        address = f"unix://{forward_socket(host)}"
    elif parts.scheme in _TCP and not parts.port:  # the SDK requires one
        address = f"{host.rstrip('/')}:{_TLS_PORT if tls else _PORT}"
    with engine_errors(host):
        return _Client(address, version="auto", timeout=TIMEOUT_SECONDS, tls=tls)


@contextmanager
def engine_errors(host: str) -> Generator[None]:
    """Raise the SDK's errors, and those of `requests`, which are OSErrors, as ServerError."""
    place = f"Docker at {host}"
    try:
        yield
    except APIError as error:
        raise ServerError(f"refuses the request: {explanation_of(error)}", place=place) from None
    except (DockerException, OSError) as error:
        cause = _first_cause(error)
        reason = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
        raise ServerError(f"does not answer: {reason}", place=place, remedy=_remedy(host, cause)) from None


def explanation_of(error: APIError) -> str:
    """Return the engine's message in an error of the SDK, on one line."""
    return " ".join(str(error.explanation or error).split())


def _parse_address(host: str) -> SplitResult:
    with suppress(ValueError):  # a port that is no number, or a bracket without its counterpart
        parts = urlsplit(host)
        _ = parts.port
        if (parts.scheme == "unix" and parts.path) or (parts.scheme in {"ssh", *_TCP} and parts.hostname):
            return parts
    raise ServerError(
        "is no address of a kind that this program can use",
        place=f"Docker at {host}",
        remedy="write unix:///path/of/docker.sock, tcp://host:port or ssh://user@host",
    )


def _tls_of_environment(host: str) -> TLSConfig | bool:
    """Return the files that DOCKER_CERT_PATH names, False without DOCKER_TLS_VERIFY."""
    folder = os.environ.get("DOCKER_CERT_PATH")
    if not os.environ.get("DOCKER_TLS_VERIFY") or not folder:
        return False
    authority, certificate, key = (Path(folder) / f"{name}.pem" for name in ("ca", "cert", "key"))
    missing = [str(file) for file in (authority, certificate, key) if not file.is_file()]
    if missing:
        raise ServerError(
            f"has no TLS file {missing[0]}",
            place=f"Docker at {host}",
            remedy="set DOCKER_CERT_PATH to the folder of ca.pem, cert.pem and key.pem, or unset DOCKER_TLS_VERIFY",
        )
    return TLSConfig(client_cert=(str(certificate), str(key)), ca_cert=str(authority), verify=True)


def _first_cause(error: BaseException) -> BaseException:
    """Return the exception at the beginning of a chain: the SDK wraps those of `requests`, `urllib3` and the socket."""
    cause = error
    while (earlier := cause.__cause__ or cause.__context__) is not None:
        cause = earlier
    return cause


def _remedy(host: str, cause: BaseException) -> str:
    if isinstance(cause, PermissionError):
        return "add your user to the group docker, or be root"
    if host.startswith("ssh://"):
        return "check that `docker version` works there for the user that ssh logs in"
    return "start it, or set server.docker_host or DOCKER_HOST to the address of one that runs"
