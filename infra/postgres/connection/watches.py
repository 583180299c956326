"""Watches: threads that observe a connection in use from outside, through another connection, while it waits.

The blocker watch reports which sessions a statement waits for. It asks during the wait, since pg_blocking_pids() knows
only waits that go on. The failover watch ends the wait for a server that has stopped responding, once another server
has become the primary: a frozen machine still acknowledges what is sent to it, so that neither TCP keepalives nor
statement_timeout, which the frozen server itself would have to enforce, ever end that wait.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import psycopg

from infra.errors import ModuleError
from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect
from infra.postgres.connection.execute import OnSlow
from infra.postgres.connection.target import has_several_hosts

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session
    from infra.postgres.connection.target import Target

_Result = TypeVar("_Result")

BLOCKER_DELAY_SECONDS = 0.5
BLOCKER_INTERVAL_SECONDS = 1.0
FAILOVER_INTERVAL_SECONDS = 2.0
STOP_SECONDS = 2.0

LOCK_TIMEOUT, STATEMENT_TIMEOUT = "55P03", "57014"
HINTS = {
    LOCK_TIMEOUT: "end that session, or let this one wait longer with `modules.lock_timeout`",
    STATEMENT_TIMEOUT: "let it run longer with `modules.statement_timeout`",
}

BLOCKERS = """
SELECT a.pid, a.application_name, a.usename, a.state, to_char(coalesce(a.query_start, a.backend_start), 'HH24:MI:SS TZ')
FROM unnest(pg_blocking_pids(%s)) AS b(pid) JOIN pg_stat_activity a USING (pid)
ORDER BY a.pid
"""

EXCLUSIVE_HOLDERS = """
SELECT DISTINCT a.pid, a.application_name, a.usename, a.state,
    to_char(coalesce(a.query_start, a.backend_start), 'HH24:MI:SS TZ')
FROM pg_locks l JOIN pg_database d ON d.oid = l.database JOIN pg_stat_activity a ON a.pid = l.pid
WHERE d.datname = current_database() AND l.mode = 'AccessExclusiveLock' AND l.granted AND l.locktype = 'relation'
  AND a.usename IS NOT NULL AND a.pid <> pg_backend_pid()
ORDER BY a.pid
"""

BACKEND_EXISTS = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s AND usename = %s AND datname = %s)"


class Watch(ABC):
    """A daemon thread that checks something at an interval, each time on a connection of its own to `target`."""

    def __init__(self, target: Target, *, delay: float, interval: float) -> None:
        self._target = target
        self._delay = delay
        self._interval = interval
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Start the thread; the first check comes after `delay` seconds."""
        self._thread.start()

    def stop(self, seconds: float = 0.0) -> None:
        """Stop checking, and wait for at most so many seconds for the check that is in progress."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        pause = self._delay
        while not self._stopped.wait(pause):
            try:
                with connect(self._target, autocommit=True) as connection:
                    goes_on = self.check(connection)
            except psycopg.Error:
                goes_on = self.check_without_answer()
            if not goes_on:
                return
            pause = self._interval

    @abstractmethod
    def check(self, connection: Connection) -> bool:
        """Check through a connection, and return whether to go on."""

    @abstractmethod
    def check_without_answer(self) -> bool:
        """Note that the server did not answer, and return whether to go on."""


@dataclass(frozen=True)
class Blocker:
    """A session that another one waits for; `since` is the start of its last query, with the server's time zone.

    `state` and `since` are None where the observer may not see them, being no member of pg_read_all_stats (27.2.3).
    """

    pid: int
    application: str
    user: str
    state: str | None
    since: str | None

    def __str__(self) -> str:
        application = self.application or "no application name"
        activity = f", {self.state} since {self.since}" if self.state and self.since else ""
        return f"pid {self.pid} ({application}, role {self.user}{activity})"


def exclusive_holders(connection: Connection) -> tuple[Blocker, ...]:
    """Return the sessions that have a relation of this database exclusively, for which a wait was given up."""
    return tuple(Blocker(*row) for row in connection.execute(EXCLUSIVE_HOLDERS))


class BlockerWatch(Watch):
    """Reports the sessions that block a backend, once it is started; `blockers` are those of the last wait."""

    def __init__(self, target: Target, pid: int, tell: Callable[[str], None]) -> None:
        super().__init__(target, delay=0.0, interval=BLOCKER_INTERVAL_SECONDS)
        self.pid = pid
        self.tell = tell
        self.blockers: tuple[Blocker, ...] = ()

    def check(self, connection: Connection) -> bool:
        """Read the blockers, and report them when they are others than before."""
        blockers = tuple(Blocker(*row) for row in connection.execute(BLOCKERS, (self.pid,)))
        if blockers and blockers != self.blockers:
            self.blockers = blockers
            self.tell("waiting for " + ", ".join(map(str, blockers)))
        return True

    def check_without_answer(self) -> bool:
        """Stop: without the report the statement still runs."""
        return False

    def with_blockers(self, error: ModuleError) -> ModuleError:
        """Return a timeout's error with the sessions that the statement waited for; any other error as it is."""
        if error.sqlstate not in HINTS:
            return error
        detail = "it waited for " + ", ".join(map(str, self.blockers)) if self.blockers else ""
        return error.explained(detail=detail, hint=HINTS[error.sqlstate])


def watch_blockers(session: Session, connection: Connection, act: Callable[[OnSlow], _Result]) -> _Result:
    """Run statements of a module, and return what `act` returns.

    Sessions that block them for long are reported, and named in the ModuleError that is raised. The watch starts half a
    second after a statement, or sooner where lock_timeout is shorter than that.
    """
    watch = BlockerWatch(session.admin, connection.info.backend_pid, session.tell)
    try:
        return act(OnSlow(min(BLOCKER_DELAY_SECONDS, session.lock_timeout / 3), watch.start))
    except ModuleError as error:
        watch.stop(STOP_SECONDS)  # the check in progress may be the first to see the blocker
        raise watch.with_blockers(error) from None
    finally:
        watch.stop(STOP_SECONDS)


class FailoverWatch(Watch):
    """Shuts down all connections to a server when another primary does not know the backend, or none has answered.

    A primary that does not have the backend among its own is another server than the one that the connection is to.
    """

    def __init__(self, session: Session, connection: Connection) -> None:
        super().__init__(session.admin, delay=FAILOVER_INTERVAL_SECONDS, interval=FAILOVER_INTERVAL_SECONDS)
        self.server = (connection.info.host, connection.info.port)
        self.backend = (connection.info.backend_pid, session.target.user, session.target.database)
        self.limit = session.wait
        self.tell = session.tell
        self.last_answer = time.monotonic()

    def check(self, connection: Connection) -> bool:
        """Check that the primary which answers has the backend."""
        row = connection.execute(BACKEND_EXISTS, self.backend).fetchone()
        self.last_answer = time.monotonic()
        return self._cut() if row == (False,) else True

    def check_without_answer(self) -> bool:
        """Report how long no primary has answered, and give up after `session.wait` seconds."""
        silence = time.monotonic() - self.last_answer
        self.tell(f"no server takes changes for {silence:.0f} s; waiting for at most {self.limit:g} s")
        return self._cut() if silence > self.limit else True

    def _cut(self) -> bool:
        if not self._stopped.is_set():
            pool.cut(*self.server)
        return False


@contextmanager
def failover_watch(connection: Connection, session: Session) -> Generator[None]:
    """Watch a connection while the block uses it, if its target has several hosts; one host has no successor.

    When the watch cuts the connection, whatever waits for an answer on it raises the error of a lost connection.
    """
    if not has_several_hosts(session.target):
        yield
        return
    watch = FailoverWatch(session, connection)
    watch.start()
    try:
        yield
    finally:
        watch.stop()
