"""Statements past the driver's bookkeeping, and undone: its plans of the readings last from one case to the next."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from infra.postgres.connection.simple_query import simple_query

if TYPE_CHECKING:
    from collections.abc import Generator

    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]


def run(connection: Connection, *texts: str) -> None:
    """Run statements."""
    for text in texts:
        simple_query(connection, text)


@contextmanager
def undone(connection: Connection) -> Generator[None]:
    """Undo in the end whatever happens inside."""
    simple_query(connection, "BEGIN")
    try:
        yield
    finally:
        simple_query(connection, "ROLLBACK")
