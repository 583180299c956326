"""Commands sent by the simple query protocol and unknown to psycopg's prepared statement cache.

psycopg forgets its prepared statements at each ROLLBACK, because a table that one of them names may be gone. The
statements that this program prepares read only the system catalogs, and planning them again takes longer than the rest
of a small module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import errors, generators
from psycopg.pq import ExecStatus

if TYPE_CHECKING:
    import psycopg
    from psycopg.pq.abc import PGresult


def simple_query(connection: psycopg.Connection[tuple[Any, ...]], commands: str) -> list[PGresult]:
    """Send commands in one message, and return what each of them returned; raises psycopg.Error."""
    connection.pgconn.send_query(commands.encode())
    results = connection.wait(generators.execute(connection.pgconn))
    if results and results[-1].status == ExecStatus.FATAL_ERROR:
        raise errors.error_from_result(results[-1])
    return results
