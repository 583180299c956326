"""Who a statement waits for: asked from outside while it waits, because afterwards nobody knows."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from infra.errors import ModuleError
from infra.postgres.connection.execute import OnSlow
from infra.postgres.connection.target import connect

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session
    from infra.postgres.connection.target import Target

FIRST_LOOK_SECONDS = 0.5
NEXT_LOOK_SECONDS = 1.0
LAST_LOOK_SECONDS = 2.0

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


@dataclass(frozen=True)
class Blocker:
    """A session that another one waits for; `since` is when its last query started, with the server's time zone.

    What it does is None for one who may not see it: a role that is no member of pg_read_all_stats (manual, 27.2.3).
    """

    pid: int
    application: str
    user: str
    state: str | None
    since: str | None

    def __str__(self) -> str:
        application = self.application or "no application name"
        does = f", {self.state} since {self.since}" if self.state and self.since else ""
        return f"pid {self.pid} ({application}, role {self.user}{does})"


class Watch:
    """Looks, on a connection of its own and once told to begin, who blocks a backend, until the `with` block ends.

    It should be told after half a second, or sooner where a statement waits for less than that.
    """

    def __init__(self, target: Target, pid: int, tell: Callable[[str], None], *, patience: float) -> None:
        self.patience = OnSlow(min(FIRST_LOOK_SECONDS, patience / 3), self.begin)
        self.target = target
        self.pid = pid
        self.tell = tell
        self.blockers: tuple[Blocker, ...] = ()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        return self

    def begin(self) -> None:
        """Begin to look."""
        self._thread.start()

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join(LAST_LOOK_SECONDS)  # a server that froze may never answer the look that is under way

    def explained(self, error: ModuleError) -> ModuleError:
        """Give a timeout's error with whom the statement waited for; any other error as it is."""
        if error.sqlstate not in {LOCK_TIMEOUT, STATEMENT_TIMEOUT}:
            return error
        waited = "it waited for " + ", ".join(map(str, self.blockers)) if self.blockers else ""
        return ModuleError(
            error.what,
            sqlstate=error.sqlstate,
            at=error.at,
            path=error.place,
            detail=error.detail or waited,
            hint=error.hint or HINTS[error.sqlstate],
        )

    def _look(self) -> None:
        try:
            with connect(self.target, autocommit=True) as connection:
                while True:
                    found = tuple(Blocker(*row) for row in connection.execute(BLOCKERS, (self.pid,)))
                    if found and found != self.blockers:
                        self.tell("waiting for " + ", ".join(map(str, found)))
                    self.blockers = found or self.blockers
                    if self._over.wait(NEXT_LOOK_SECONDS):
                        return
        except psycopg.Error:
            return


def watched(session: Session, connection: Connection, act: Callable[[OnSlow], None]) -> None:
    """Run something of a module, and look who blocks it when it takes long; raises its ModuleError, with that."""
    with Watch(session.admin, connection.info.backend_pid, session.tell, patience=session.lock_timeout) as watch:
        try:
            act(watch.patience)
        except ModuleError as error:
            raise watch.explained(error) from None
