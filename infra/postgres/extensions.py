"""Extensions of a database, created by an administrator whose session has no setting of that database's owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from infra.postgres.connection.connect import connect, connect_where_there
from infra.postgres.connection.error_messages import translated_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target

_INSTALLED = """
SELECT n.nspname::text, e.extversion
FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = %s
"""


def create_extensions(connection: Connection, extensions: Sequence[str]) -> None:
    """Create the extensions that a database lacks, in schema public but for those that name a schema of their own."""
    with connection.transaction():
        connection.execute("SET LOCAL search_path = public")
        for extension in extensions:
            connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))


def ensure_extension(target: Target, extension: str) -> tuple[str, str] | None:
    """Create an extension where it is missing, and return its schema and version."""
    with translated_errors(f"database {target.database}"), connect(target, autocommit=True) as connection:
        create_extensions(connection, [extension])
        return connection.execute(_INSTALLED, (extension,)).fetchone()


def installed_extension(target: Target, extension: str) -> tuple[str, str] | None:
    """Return the schema and version of an extension; None where it, or the database, is not there."""
    connection = connect_where_there(target, autocommit=True)
    if connection is None:
        return None
    with connection:
        return connection.execute(_INSTALLED, (extension,)).fetchone()
