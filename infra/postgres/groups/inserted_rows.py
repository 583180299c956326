"""The rows that modules inserted, as a value: equal for two databases where nothing but the time tells them apart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from psycopg import sql

from infra.postgres.connection.connect import connect

if TYPE_CHECKING:
    from infra.postgres.connection.session import Session

_TABLES = """
SELECT n.nspname::text, c.relname::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname <> 'sqlmodule' AND pg_catalog.pg_get_userbyid(c.relowner) = %s
"""
_TIMES = "SELECT DISTINCT applied_at::text FROM sqlmodule.ledger ORDER BY 1"
"""When the modules' transactions began, which is what now() returned in them."""

_ROWS = """
SELECT {table}, pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(
    pg_catalog.regexp_replace(r.*::text, {times}, 'now', 'g'), 0
)) FROM {name} r
"""


def inserted_rows(session: Session) -> dict[str, tuple[int, int]]:
    """Return the number and a digest of the rows of each table that has some, given a database with modules alone.

    In the digest the time at which a module began is no number: a row that has it says when it was inserted. It is
    read as the owner, whose policies would otherwise hide rows. Raises psycopg.Error.
    """
    with connect(session.target, autocommit=True) as connection, session.transaction(connection):
        connection.execute("SET LOCAL row_security = off")
        times = "|".join(_pattern(row[0]) for row in connection.execute(_TIMES).fetchall())
        tables = connection.execute(_TABLES, (session.owner,)).fetchall()
        queries = [
            sql.SQL(_ROWS).format(
                table=sql.Literal(".".join(name)), times=sql.Literal(times), name=sql.Identifier(*name)
            )
            for name in tables
        ]
        rows = connection.execute(sql.SQL(" UNION ALL ").join(queries)).fetchall() if queries else []
        return {name: (count, digest) for name, count, digest in rows if count}


def _pattern(time: str) -> str:
    """Return a regular expression for a time as text and in JSON, with its zone, which is UTC, or without."""
    return re.escape(time.partition("+")[0]).replace("\\ ", "[ T]")
