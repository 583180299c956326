"""The one place where connections are opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from infra.postgres.connection.failure import classify_connection_error
from infra.postgres.connection.target import conninfo_of

if TYPE_CHECKING:
    from infra.postgres.connection.target import Target


def connect(target: Target, *, autocommit: bool = False) -> psycopg.Connection[tuple[Any, ...]]:
    """Return a new connection.

    Raises psycopg.OperationalError, whose text contains no password. Its `sqlstate` is the server's where the server
    refused the connection, which libpq does not report, and None where no server answered.
    """
    conninfo = conninfo_of(target)
    try:
        return psycopg.Connection.connect(conninfo, autocommit=autocommit)
    except psycopg.OperationalError as error:
        classify_connection_error(error, conninfo)
        raise
