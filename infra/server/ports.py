"""Ports on 127.0.0.1: whether one is free, and which one a server gets that was not told."""

from __future__ import annotations

import socket
import zlib

from infra.errors import ServerError

HOST = "127.0.0.1"
FIRST_PORT = 15_432
COUNT = 10_000  # up to 25,431: below the range from which the kernel takes ports of its own (32,768 on Linux)


def is_free(port: int) -> bool:
    """Say whether a server could listen on 127.0.0.1:`port` now (bound as PostgreSQL binds, with SO_REUSEADDR)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
        except OSError:
            return False
        return True


def choose(name: str, *, after: int = 0) -> int:
    """Give a free port for the server `name`: a place derived from the name, then the next ones; `after` skips one."""
    start = zlib.crc32(name.encode()) % COUNT
    offset = start if not after else (after - FIRST_PORT + 1) % COUNT
    for step in range(COUNT):
        port = FIRST_PORT + (offset + step) % COUNT
        if is_free(port):
            return port
    raise ServerError(
        f"no port between {FIRST_PORT} and {FIRST_PORT + COUNT - 1} is free", place=HOST, remedy="set a port"
    )


def taken(port: int) -> ServerError:
    """Give the error for a configured port that somebody else listens on."""
    return ServerError(
        f"port {port} on {HOST} is already in use", remedy="free it, or set another port (0 = choose one)"
    )
