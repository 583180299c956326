"""A pool of connections that are reused from module to module: a login takes as long as a small module."""

from __future__ import annotations

import os
import socket
import threading
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.pq import TransactionStatus

from infra.postgres.connection.connect import connect

if TYPE_CHECKING:
    from collections.abc import Generator

    from infra.postgres.connection.target import Target

Connection = psycopg.Connection[tuple[Any, ...]]
PoolKey = tuple[str, ...]

_idle: dict[PoolKey, list[Connection]] = defaultdict(list)
_in_use: set[Connection] = set()
_lock = threading.Lock()


@contextmanager
def connection(target: Target) -> Generator[Connection]:
    """Lend an autocommit connection for the block; it is closed afterwards if it is not idle, outside a transaction."""
    key = _key(target)
    with _lock:
        lent = _idle[key].pop() if _idle[key] else None
    if lent is None or lent.broken or lent.closed:
        lent = connect(target, autocommit=True)
    reusable = False
    with _lock:
        _in_use.add(lent)
    try:
        yield lent
        reusable = lent.info.transaction_status == TransactionStatus.IDLE
    finally:
        with _lock:
            _in_use.discard(lent)
        if reusable:
            with _lock:
                _idle[key].append(lent)
        else:
            lent.close()


def has_idle(target: Target) -> bool:
    """Return whether the pool has an idle connection to the target."""
    with _lock:
        return bool(_idle[_key(target)])


def _key(target: Target) -> PoolKey:
    options = (*sorted(target.options.items()), *sorted(target.settings.items()))
    return (str(target), target.password, *(f"{name}={value}" for name, value in options))


def cut(host: str, port: int) -> None:
    """Shut down the sockets of all connections to one server, so that threads waiting for its answers get errors."""
    with _lock:
        for candidate in (*_in_use, *(idle for connections in _idle.values() for idle in connections)):
            if (candidate.info.host, candidate.info.port) == (host, port):
                _shut_down(candidate)


def _shut_down(connection: Connection) -> None:
    try:
        with socket.socket(fileno=os.dup(connection.pgconn.socket)) as duplicate:
            duplicate.shutdown(socket.SHUT_RDWR)
    except (OSError, psycopg.Error):  # closed in the meantime
        return


def close_idle(target: Target) -> None:
    """Close the idle connections to a target."""
    with _lock:
        for idle in _idle.pop(_key(target), []):
            idle.close()


def close_all(database: str | None = None) -> None:
    """Close the idle connections, or only those to one database, so that it can be dropped."""
    with _lock:
        for connections in _idle.values():
            for idle in [idle for idle in connections if database in {None, idle.info.dbname}]:
                connections.remove(idle)
                idle.close()
