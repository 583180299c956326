"""Statements that bypass the driver's prepared statement cache, so that its plans outlast each case's ROLLBACK."""

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
def rolled_back(connection: Connection) -> Generator[None]:
    """Run the block in a transaction that is rolled back."""
    simple_query(connection, "BEGIN")
    try:
        yield
    finally:
        simple_query(connection, "ROLLBACK")
