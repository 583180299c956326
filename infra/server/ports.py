"""Ports on 127.0.0.1: whether a port is free, and the choice of one for a server without a configured port."""

from __future__ import annotations

import socket
import zlib

from infra.errors import ServerError

HOST = "127.0.0.1"
FIRST_PORT = 15_432
PORT_COUNT = (
    10_000  # up to 25,431: below the ephemeral ports of Linux, which begin at 32,768 (ip(7), ip_local_port_range)
)


def is_free(port: int) -> bool:
    """Return whether a server could listen on 127.0.0.1:`port` now (bound as PostgreSQL binds, with SO_REUSEADDR)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def choose(name: str, *, after: int = 0) -> int:
    """Return a free port: the first from a start that `name` determines or, with `after`, from the port behind that.

    Raises ServerError when no port is free.
    """
    start = zlib.crc32(name.encode()) % PORT_COUNT
    offset = start if not after else (after - FIRST_PORT + 1) % PORT_COUNT
    for step in range(PORT_COUNT):
        port = FIRST_PORT + (offset + step) % PORT_COUNT
        if is_free(port):
            return port
    raise ServerError(
        f"no port between {FIRST_PORT} and {FIRST_PORT + PORT_COUNT - 1} is free", place=HOST, remedy="set a port"
    )


def port_taken_error(port: int) -> ServerError:
    """Return the error for a configured port on which another program listens."""
    return ServerError(
        f"port {port} on {HOST} is already in use", remedy="free it, or set another port (0 = choose one)"
    )
