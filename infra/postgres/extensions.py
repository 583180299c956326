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
SELECT e.extname::text, n.nspname::text, e.extversion
FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = ANY (%s)
"""


def create_extensions(connection: Connection, extensions: Sequence[str]) -> None:
    """Create the extensions that a database lacks, in schema public but for those that name a schema of their own."""
    with connection.transaction():
        connection.execute("SET LOCAL search_path = public")
        for extension in extensions:
            connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))


def ensure_extensions(target: Target, extensions: Sequence[str]) -> dict[str, list[str]]:
    """Create the extensions that are missing, and return the schema and the version of each by its name."""
    with translated_errors(f"database {target.database}"), connect(target, autocommit=True) as connection:
        create_extensions(connection, extensions)
        return _installed(connection, extensions)


def installed_extensions(target: Target, extensions: Sequence[str]) -> dict[str, list[str]] | None:
    """Return schema and version of those of the extensions that are there; None where the database is not."""
    with translated_errors(f"database {target.database}"):
        connection = connect_where_there(target, autocommit=True)
        if connection is None:
            return None
        with connection:
            return _installed(connection, extensions)


def _installed(connection: Connection, extensions: Sequence[str]) -> dict[str, list[str]]:
    rows = connection.execute(_INSTALLED, (list(extensions),)).fetchall()
    return {name: [schema, version] for name, schema, version in sorted(rows)}
