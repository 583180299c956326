"""A lock for one run at a time in a database: an advisory lock, which ends with its session (manual, 13.3.5)."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from infra.errors import BusyError
from infra.postgres.connection.connect import connect

if TYPE_CHECKING:
    from collections.abc import Generator

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target

_KEY = (0x53514C4D, 1)
"""'SQLM' in ASCII, and 1."""

RELEASE_OTHER_LOCKS = """
SELECT pg_catalog.pg_advisory_xact_lock({0}, {1}); SELECT pg_catalog.pg_advisory_unlock_all();
SELECT pg_catalog.pg_advisory_lock({0}, {1})
""".format(*_KEY)
"""Releases the advisory locks of a session but this program's, which the transaction holds meanwhile."""

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0

_SESSIONS = """
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
JOIN pg_catalog.pg_database d ON d.oid = l.database
WHERE l.locktype = 'advisory' AND d.datname = %s AND l.objsubid = 2  -- two keys, not one
  AND l.classid = %s::bigint::oid AND l.objid = %s::bigint::oid
"""
HOLDER = f"""
SELECT a.pid, a.application_name, a.usename, to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS TZ')
{_SESSIONS} AND l.granted
"""
END_STRANGERS = f"""
SELECT pg_catalog.pg_terminate_backend(a.pid) {_SESSIONS} AND NOT pg_catalog.pg_has_role(a.usesysid, d.datdba, 'MEMBER')
"""
"""Ends the sessions of roles that can do nothing as the database's owner: no run is theirs.

Every role that may connect to a database may call the functions for advisory locks, and read which ones are held.
"""


@contextmanager
def advisory_lock(connection: Connection, *, seconds: float, admin: Target) -> Generator[None]:
    """Hold the database's lock; raises BusyError, naming the session that holds it, after `seconds` of waiting.

    A session that holds it and cannot be a run's is ended, where `admin` may do that.
    """
    deadline = time.monotonic() + seconds
    pause = FIRST_PAUSE
    while not _try_lock(connection) and not (_end_strangers(connection, admin) and _try_lock(connection)):
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


def _try_lock(connection: Connection) -> bool:
    return connection.execute("SELECT pg_try_advisory_lock(%s, %s)", _KEY).fetchone() == (True,)


def _end_strangers(connection: Connection, admin: Target) -> bool:
    """End the sessions that hold the lock or wait for it and are no run's; return whether there were any."""
    try:
        with connect(admin, autocommit=True) as administrator:
            return bool(administrator.execute(END_STRANGERS, (connection.info.dbname, *_KEY)).fetchall())
    except psycopg.Error:  # an administrator without the right to end them: the error at the end names the session
        return False


def _holder(connection: Connection) -> str:
    row = connection.execute(HOLDER, (connection.info.dbname, *_KEY)).fetchone()
    since = f", connected since {row[3]}" if row and row[3] else ""  # NULL for a role that may not see it
    return f" (pid {row[0]}, application {row[1]!r}, role {row[2]}{since})" if row else ""
