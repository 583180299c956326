"""Whether anybody listens where a server was: a question to the network, which needs no login."""

from __future__ import annotations

import socket

from psycopg.conninfo import conninfo_to_dict

from infra.postgres.connection.target import CONNECT_TIMEOUT_SECONDS, Target, conninfo_of

_DEFAULT_PORT = "5432"
_UNKNOWN_NAME = {getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA") if hasattr(socket, name)}
"""Answers of a name server that knows no such name; EAI_AGAIN is one that does not answer."""


def nobody_listens(target: Target) -> bool:
    """Return whether each host of a target refuses connections, or has a name that is unknown.

    False where anything is unclear: no answer in time, no route, a name server that does not answer, a service file,
    of which only libpq knows the hosts.
    """
    keywords = {name: str(value) for name, value in conninfo_to_dict(conninfo_of(target)).items()}
    hosts = (keywords.get("hostaddr") or keywords.get("host") or "").split(",")
    ports = (keywords.get("port") or _DEFAULT_PORT).split(",")
    if not all(hosts) or len(ports) not in {1, len(hosts)}:
        return False
    if len(ports) == 1:
        ports *= len(hosts)
    return all(_refuses(host, port or _DEFAULT_PORT) for host, port in zip(hosts, ports, strict=True))


def _refuses(host: str, port: str) -> bool:
    if host.startswith("/"):
        return _refuses_at(socket.AF_UNIX, f"{host}/.s.PGSQL.{port}")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return error.errno in _UNKNOWN_NAME
    return all(_refuses_at(family, address) for family, _, _, _, address in found)


def _refuses_at(family: int, address: str | tuple[object, ...]) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as attempt:
        attempt.settimeout(CONNECT_TIMEOUT_SECONDS)
        try:
            attempt.connect(address)
        except (ConnectionRefusedError, FileNotFoundError):  # of a socket in the file system, which is gone
            return True
        except OSError:
            return False
    return False
