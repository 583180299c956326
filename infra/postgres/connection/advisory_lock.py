"""A lock for one run at a time in a database: an advisory lock, which ends with its session (manual, 13.3.5)."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from infra.errors import BusyError

if TYPE_CHECKING:
    from collections.abc import Generator

    from infra.postgres.connection.pool import Connection

_KEY = (0x53514C4D, 1)
"""'SQLM' in ASCII, and 1."""

RELEASE_OTHER_LOCKS = """
SELECT pg_advisory_xact_lock({0}, {1}); SELECT pg_advisory_unlock_all(); SELECT pg_advisory_lock({0}, {1})
""".format(*_KEY)
"""Releases the advisory locks of a session but this program's, which the transaction holds meanwhile."""

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0

HOLDER = """
SELECT a.pid, a.application_name, to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS TZ')
FROM pg_locks l JOIN pg_stat_activity a USING (pid) JOIN pg_database d ON d.oid = l.database
WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()
  AND l.classid = %s::bigint::oid AND l.objid = %s::bigint::oid
"""


@contextmanager
def advisory_lock(connection: Connection, *, seconds: float) -> Generator[None]:
    """Hold the database's lock; raises BusyError, naming the session that holds it, after `seconds` of waiting."""
    deadline = time.monotonic() + seconds
    pause = FIRST_PAUSE
    while connection.execute("SELECT pg_try_advisory_lock(%s, %s)", _KEY).fetchone() != (True,):
        if time.monotonic() > deadline:
            raise BusyError(
                f"another run holds the lock of this database for over {seconds:g} s{_holder(connection)}",
                place=f"database {connection.info.dbname}",
                remedy="wait for it, or end it",
            )
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
    try:
        yield
    finally:
        try:
            connection.execute("SELECT pg_advisory_unlock(%s, %s)", _KEY)
        except psycopg.Error:
            connection.close()  # which releases the lock


def _holder(connection: Connection) -> str:
    row = connection.execute(HOLDER, _KEY).fetchone()
    since = f", connected since {row[2]}" if row and row[2] else ""  # NULL for a role that may not see it
    return f" (pid {row[0]}, application {row[1]!r}{since})" if row else ""
