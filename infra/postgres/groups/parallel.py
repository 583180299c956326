"""Work in many databases at once, with a limited number of connections; what fails in one does not stop the others."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from infra.errors import InfraError
from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from infra.postgres.connection.target import Target

_Result = TypeVar("_Result")

CONNECTIONS_OF_A_DATABASE = 2
"""A module's own connection, and the one that reads what the module changes from outside its transaction."""

PROGRESS_SECONDS = 1.0
"""The least time between two lines about the progress: a log has to stay readable."""

FREE_CONNECTIONS = """
SELECT pg_catalog.current_setting('max_connections')::integer
    - pg_catalog.current_setting('superuser_reserved_connections')::integer
    - (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend')
"""


class CancelledError(InfraError):
    """Work on a database that was not begun, because the run was cancelled before."""


cancelled = threading.Event()
"""Set when Pulumi cancels the run: what is begun is finished, and nothing is begun any more."""


class _Slots:
    """The databases that this process works on, counted over all groups."""

    def __init__(self) -> None:
        self._used = 0
        self._changed = threading.Condition()

    @contextmanager
    def slot(self, limit: int) -> Generator[None]:
        """Occupy a slot for the block, as soon as fewer than `limit` are occupied."""
        with self._changed:
            self._changed.wait_for(lambda: self._used < limit)
            self._used += 1
        try:
            yield
        finally:
            with self._changed:
                self._used -= 1
                self._changed.notify_all()


_slots = _Slots()


@dataclass(frozen=True)
class Done(Generic[_Result]):
    """The result of the work on one database, or the error that ended it."""

    result: _Result | None
    error: Exception | None = None


def parallel_databases(admin: Target, connections: int) -> int:
    """Return on how many databases to work at once, so that `connections` suffice, or those that the server has free.

    Raises psycopg.Error.
    """
    with connect(admin, autocommit=True) as connection:
        free = int((connection.execute(FREE_CONNECTIONS).fetchone() or (connections,))[0])
    return max(1, min(connections, free) // CONNECTIONS_OF_A_DATABASE)


def carry_out(
    databases: Sequence[str],
    work: Callable[[str], _Result],
    *,
    parallel: int,
    tell: Callable[[str], None],
    describe: Callable[[_Result], str] = str,
) -> dict[str, Done[_Result]]:
    """Do the work in each database, in at most `parallel` at once, and return what came of each, in the given order.

    `tell` receives a line for a database that is done: how many are, what came of it, and in which time; not more than
    one each second, none for work that takes less, else one for the last. The connections to a database are closed
    after its work.
    """
    count, told, begun = 0, 0.0, time.perf_counter()
    lock = threading.Lock()

    def act(database: str) -> Done[_Result]:
        nonlocal count, told
        with _slots.slot(parallel):
            if cancelled.is_set():
                return Done(None, CancelledError("was not begun, because the run was cancelled", remedy="run again"))
            started = time.perf_counter()
            try:
                done = Done(work(database))
            except Exception as error:  # noqa: BLE001 (whatever it is, the other databases go on)
                done = Done[_Result](None, error)
            finally:
                pool.close_all(database)
            now = time.perf_counter()
        with lock:
            count += 1
            is_last = told > 0 and count == len(databases)
            if now - max(told, begun) < PROGRESS_SECONDS and not is_last:
                return done
            told = now
            text = "failed" if done.error else describe(done.result)  # pyright: ignore[reportArgumentType] (no error)
            tell(f"{count} of {len(databases)}: {database} {text} ({now - started:.1f} s)")
        return done

    with ThreadPoolExecutor(max(1, min(parallel, len(databases)))) as executor:
        return dict(zip(databases, executor.map(act, databases), strict=True))
