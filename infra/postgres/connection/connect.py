"""The one place where connections are opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from infra.postgres.connection.failure import ConnectionFailure, classify_connection_error
from infra.postgres.connection.libpq_environment import ignore_libpq_variables
from infra.postgres.connection.session_start import complete_settings
from infra.postgres.connection.target import conninfo_of

if TYPE_CHECKING:
    from infra.postgres.connection.target import Target

_KEPT_OUT = (ConnectionFailure.CLOSED, ConnectionFailure.NO_FREE_CONNECTION)


def connect(target: Target, *, autocommit: bool = False) -> psycopg.Connection[tuple[Any, ...]]:
    """Return a new connection, whose session has this program's settings.

    Raises psycopg.OperationalError, whose text contains no password. Its `sqlstate` is the server's where the server
    refused the connection, which libpq does not report, and None where no server answered.
    """
    ignore_libpq_variables()
    conninfo = conninfo_of(target)
    try:
        connection = psycopg.Connection.connect(conninfo, autocommit=autocommit)
    except psycopg.OperationalError as error:
        classify_connection_error(error, conninfo)
        raise
    complete_settings(connection, of_administrator=target.is_administrators)
    return connection


def connect_where_there(target: Target, *, autocommit: bool = False) -> psycopg.Connection[tuple[Any, ...]] | None:
    """Return a new connection as `connect` does, None where the server has no such database."""
    try:
        return connect(target, autocommit=autocommit)
    except psycopg.OperationalError as error:
        if classify_connection_error(error) is ConnectionFailure.NO_DATABASE:
            return None
        raise


def connect_near(target: Target, outside: str) -> psycopg.Connection[tuple[Any, ...]] | None:
    """Return a new autocommit connection to a database, or to the one `outside` where it lets nobody in.

    Without the database it is None, as for `connect_where_there`.
    """
    try:
        return connect_where_there(target, autocommit=True)
    except psycopg.OperationalError as error:
        if classify_connection_error(error) not in _KEPT_OUT:
            raise
        return connect(target.on(outside), autocommit=True)
