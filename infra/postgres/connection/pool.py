"""Connections that are kept between modules: one process runs many, and a login costs as much as a small module."""

from __future__ import annotations

import os
import socket
import threading
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.pq import TransactionStatus

from infra.postgres.connection.target import Target, connect

if TYPE_CHECKING:
    from collections.abc import Generator

Connection = psycopg.Connection[tuple[Any, ...]]
PoolKey = tuple[str, ...]

_CLEAN = "RESET ALL; RESET ROLE; CLOSE ALL; UNLISTEN *; DISCARD TEMP; DISCARD SEQUENCES"
"""What ends with a module's session; statements that it prepared are looked for, because this program keeps its own."""

LEFT = """
SELECT (SELECT count(*) FROM pg_prepared_statements WHERE from_sql)
    + (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory')
"""
ITS_LOCK = 1
"""The runner's own advisory lock, which is held while modules run."""

_idle: dict[PoolKey, list[Connection]] = defaultdict(list)
_lent: set[Connection] = set()
_lock = threading.Lock()


@contextmanager
def connection(target: Target) -> Generator[Connection]:
    """Lend an autocommit connection that nobody else uses; one that failed or was left in disorder is closed."""
    key = _key(target)
    with _lock:
        lent = _idle[key].pop() if _idle[key] else None
    if lent is None or lent.broken or lent.closed:
        lent = connect(target, autocommit=True)
    kept = False
    with _lock:
        _lent.add(lent)
    try:
        yield lent
        kept = lent.info.transaction_status == TransactionStatus.IDLE
    finally:
        with _lock:
            _lent.discard(lent)
        if kept:
            with _lock:
                _idle[key].append(lent)
        else:
            lent.close()


def has_idle(target: Target) -> bool:
    """Say whether a connection is there to be lent."""
    with _lock:
        return bool(_idle[_key(target)])


def _key(target: Target) -> PoolKey:
    options = sorted(target.options.items())
    return (str(target), target.password, *(f"{name}={value}" for name, value in options))


def reset_session(connection: Connection) -> bool:
    """Take back what a module's statements left in its session; False where only closing it would."""
    answers = connection.execute(f"{_CLEAN}; {LEFT}")
    while answers.nextset():
        pass
    return answers.fetchone() == (ITS_LOCK,)


def cut(host: str, port: int) -> None:
    """Shut down the sockets of all connections to one server, so that threads that wait for its answers go on."""
    with _lock:
        for one in (*_lent, *(idle for connections in _idle.values() for idle in connections)):
            if (one.info.host, one.info.port) == (host, port):
                _shut_down(one)


def _shut_down(connection: Connection) -> None:
    try:
        with socket.socket(fileno=os.dup(connection.pgconn.socket)) as twin:
            twin.shutdown(socket.SHUT_RDWR)
    except (OSError, psycopg.Error):  # closed meanwhile
        return


def close_all(database: str | None = None) -> None:
    """Close the idle connections, or those to one database, so that it can be dropped."""
    with _lock:
        for connections in _idle.values():
            for idle in [one for one in connections if database in {None, one.info.dbname}]:
                connections.remove(idle)
                idle.close()
