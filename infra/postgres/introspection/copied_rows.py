"""Rows of tables whose owner an administrator must not trust, read by COPY.

The owner may put a view in a table's place, or give the table an index with a function of its own, which PostgreSQL
computes when it plans a query: with the rights of whoever asks. COPY of a table plans nothing and runs no function of
an owner's, and it refuses a view (manual, COPY).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from psycopg import Copy

    from infra.postgres.connection.pool import Connection

_NARROWEST = """
SELECT a.attname FROM pg_catalog.pg_attribute a
WHERE a.attrelid = pg_catalog.to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY a.attlen < 0, a.attlen, a.attnum
LIMIT 1
"""
_PARTS = """
WITH RECURSIVE part AS (
    SELECT pg_catalog.to_regclass(%s)::oid AS oid
    UNION SELECT i.inhrelid FROM part p JOIN pg_catalog.pg_inherits i ON i.inhparent = p.oid
)
SELECT pg_catalog.format('%%I.%%I', n.nspname, c.relname)
FROM part p JOIN pg_catalog.pg_class c ON c.oid = p.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind <> 'p'
"""


def copied_rows(connection: Connection, table: str, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Return columns of a table as texts; raises psycopg.Error, WrongObjectType where it is none."""
    with _copy(connection, table, columns) as copy:
        return list(copy.rows())


def count_rows(connection: Connection, table: str) -> int:
    """Return how many rows a table has without its partitions and heirs; raises what `copied_rows` does."""
    narrowest = connection.execute(_NARROWEST, (table,)).fetchall()
    with _copy(connection, table, [name for (name,) in narrowest]) as copy:
        return sum(bytes(data).count(b"\n") for data in copy)


def parts_of(connection: Connection, table: str) -> list[str]:
    """Return the tables that hold a table's rows: itself, its partitions and its heirs, but for those without rows."""
    return [str(name) for (name,) in connection.execute(_PARTS, (table,)).fetchall()]


def copy_into(target: Connection, table: str, connection: Connection, part: str, columns: Sequence[str]) -> None:
    """Copy columns of a table into those of another database's table; raises what `copied_rows` does."""
    statement = _statement(table, columns, "FROM STDIN")
    with _copy(connection, part, columns) as rows, target.cursor() as cursor, cursor.copy(statement) as into:
        for data in rows:
            into.write(data)


@contextmanager
def _copy(connection: Connection, table: str, columns: Sequence[str]) -> Generator[Copy]:
    """Yield what COPY sends."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL row_security = off")  # a policy is refused, not run
        with cursor.copy(_statement(table, columns, "TO STDOUT")) as copy:
            yield copy


def _statement(table: str, columns: Sequence[str], way: str) -> sql.Composed:
    """Return COPY; `table` is a qualified name as SQL, and no columns are all of them."""
    names = sql.SQL(" ({})").format(sql.SQL(", ").join(map(sql.Identifier, columns))) if columns else sql.SQL("")
    return sql.SQL("COPY {}{} {}").format(sql.SQL(table), names, sql.SQL(way))  # pyright: ignore[reportArgumentType]
