"""Commands sent as they are, past the driver's bookkeeping.

The driver forgets its prepared statements at each ROLLBACK, for the sake of tables that a statement names. Those that
this program keeps read the system catalogs alone, and planning them again costs more than all else in a small module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import errors, generators
from psycopg.pq import ExecStatus

if TYPE_CHECKING:
    import psycopg


def simple_query(connection: psycopg.Connection[tuple[Any, ...]], commands: str) -> None:
    """Send commands that give no rows, in one go; raises psycopg.Error."""
    connection.pgconn.send_query(commands.encode())
    results = connection.wait(generators.execute(connection.pgconn))
    if results and results[-1].status == ExecStatus.FATAL_ERROR:
        raise errors.error_from_result(results[-1])
