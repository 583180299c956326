"""The contents of a database at one moment, its catalog and how many rows each table has, and a dump of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from infra.catalog.difference import differences
from infra.postgres.introspection.reader import read_catalog

if TYPE_CHECKING:
    from pathlib import Path

    from infra.catalog.catalog import Catalog
    from infra.postgres.connection.pool import Connection

TABLES = """
SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1, 2
"""
"""Tables and materialized views with rows of their own; those of extensions are made by CREATE EXTENSION."""

_MOST_NAMED = 5


@dataclass(frozen=True)
class DatabaseContents:
    """What a backup has to bring back; `rows` has the number of rows by table."""

    catalog: Catalog
    rows: dict[str, int]

    def differences_from(self, other: DatabaseContents) -> list[str]:
        """Return in a few lines what another database has otherwise, [] for nothing."""
        found = [str(difference).splitlines()[0] for difference in differences(self.catalog, other.catalog)]
        found += [
            f"{table} has {other.rows.get(table, 'no such table')} rows, not {self.rows.get(table, 'none at all')}"
            for table in sorted(self.rows.keys() | other.rows.keys())
            if self.rows.get(table) != other.rows.get(table)
        ]
        more = len(found) - _MOST_NAMED
        return found[:_MOST_NAMED] + ([f"and {more} more"] if more > 0 else [])


@dataclass(frozen=True)
class Dumped:
    """A dump: where it is, the server's major version, and what it has to bring back.

    `extensions` are names with schema and version; `data_bytes` is the database's size on the server.
    """

    file: Path
    database: str
    owner: str
    major: int
    encoding: str
    roles: list[str]
    extensions: list[tuple[str, str, str]]
    data_bytes: int
    contents: DatabaseContents


def read_contents(connection: Connection) -> DatabaseContents:
    """Return the contents that the connection's current transaction sees, as a role that may read all of it."""
    tables = connection.execute(TABLES).fetchall()
    query = sql.SQL("SELECT count(*) FROM ONLY {}")
    rows = {
        f"{schema}.{name}": int((connection.execute(query.format(sql.Identifier(schema, name))).fetchone() or (0,))[0])
        for schema, name in tables
    }
    return DatabaseContents(read_catalog(connection), rows)
