"""A connection to one of several servers is cut when its server has stopped answering and another one has taken over.

A frozen machine still acknowledges what is sent to it, so that neither keepalives nor a statement's timeout, which the
frozen server would have to keep, ever end a wait. Somebody else has to look: this does, from outside.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from infra.postgres.connection import pool
from infra.postgres.connection.target import connect

if TYPE_CHECKING:
    from collections.abc import Generator

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session

_LOOK_SECONDS = 2.0

IS_THERE = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s AND usename = %s AND datname = %s)"


@contextmanager
def failover_watch(connection: Connection, session: Session) -> Generator[None]:
    """Watch a connection while it is used, if its target has several hosts: with one there is nowhere else to go.

    All connections to its server are shut down when another primary answers that does not know this one, or when none
    has answered for `session.wait` seconds; whoever waits on them gets an error that says the connection is lost.
    """
    if "," not in session.target.options.get("host", ""):
        yield
        return
    over = threading.Event()
    server = (connection.info.host, connection.info.port)

    def look() -> None:
        watch = _Watch(session, connection)
        while not over.wait(_LOOK_SECONDS):
            if watch.is_lost(session.wait) and not over.is_set():
                pool.cut(*server)
                return

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()


class _Watch:
    """Asks whichever primary answers whether a backend is one of its own."""

    def __init__(self, session: Session, connection: Connection) -> None:
        self.admin = session.admin
        self.backend = (connection.info.backend_pid, session.target.user, session.target.database)
        self.tell = session.tell
        self.answered = time.monotonic()

    def is_lost(self, patience: float) -> bool:
        try:
            with connect(self.admin, autocommit=True) as other:
                row = other.execute(IS_THERE, self.backend).fetchone()
        except psycopg.Error:
            silent = time.monotonic() - self.answered
            self.tell(f"no server takes changes for {silent:.0f} s; waiting for at most {patience:g} s")
            return silent > patience
        self.answered = time.monotonic()
        return row == (False,)
