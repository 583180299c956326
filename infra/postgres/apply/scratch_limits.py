"""The limits of a scratch database: how long a transaction may take there, and how large the database may become.

statement_timeout is no limit for a module: it can change it, and catch the error.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from infra.errors import ModuleError, ServerError
from infra.postgres.connection.watches import Watch

if TYPE_CHECKING:
    from collections.abc import Generator

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.scratch_target import ScratchTarget
    from infra.postgres.connection.target import Target

INTERVAL_SECONDS = 1.0
GRACE_SECONDS = 2.0  # for statement_timeout to come first: its error names the statement
MAX_BYTES = 1 << 30

_USE = """
SELECT COALESCE(pg_catalog.pg_database_size(d.oid), 0), (
    SELECT EXTRACT(epoch FROM max(pg_catalog.clock_timestamp() - LEAST(a.xact_start, a.query_start)))::float
    FROM pg_catalog.pg_stat_activity a WHERE a.datid = d.oid AND a.usename = %(login)s AND a.state <> 'idle'
)
FROM pg_catalog.pg_database d WHERE d.datname = %(database)s
"""
_END_SESSIONS = "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usename = %s"


class ScratchWatch(Watch):
    """Ends the sessions of a scratch database that exceeds a limit; `exceeded` then says which."""

    def __init__(self, outside: Target, scratch: ScratchTarget, seconds: float) -> None:
        super().__init__(outside, delay=INTERVAL_SECONDS, interval=INTERVAL_SECONDS)
        self.scratch = scratch
        self.seconds = seconds
        self.exceeded = ""

    def check(self, connection: Connection) -> bool:
        """Compare what the database uses with the limits."""
        login, database = self.scratch.target.user, self.scratch.target.database
        row = connection.execute(_USE, {"login": login, "database": database}).fetchone()
        size, seconds = (row[0], row[1] or 0.0) if row else (0, 0.0)
        if size > MAX_BYTES:
            self.exceeded = f"made it larger than {MAX_BYTES >> 20} MB"
        elif seconds > self.seconds + GRACE_SECONDS:
            self.exceeded = f"did not end within {self.seconds:g} s"
        if self.exceeded:
            connection.execute(_END_SESSIONS, (login,))
        return not self.exceeded

    def check_without_answer(self) -> bool:
        """Go on: the server may be busy with what is to be limited."""
        return True


@contextmanager
def scratch_limits(outside: Target, scratch: ScratchTarget, *, seconds: float) -> Generator[None]:
    """Watch a scratch database while the block uses it, from another one; raise ServerError for an exceeded limit."""
    watch = ScratchWatch(outside, scratch, seconds)
    watch.start()
    try:
        yield
    except (psycopg.Error, ModuleError):
        watch.stop(INTERVAL_SECONDS)
        if not watch.exceeded:
            raise
        raise ServerError(
            f"modules were run on a scratch database to see what they make, and one of them {watch.exceeded}",
            place=f"database {scratch.with_real_names(scratch.target.database)}",
            remedy="make it smaller or quicker; `modules.statement_timeout` is the time that a module may take",
        ) from None
    finally:
        watch.stop()
