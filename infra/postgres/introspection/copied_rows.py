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


def copied_rows(connection: Connection, table: str, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Return columns of a table as texts; raises psycopg.Error, WrongObjectType where it is none."""
    with _copy(connection, table, columns) as copy:
        return list(copy.rows())


def count_rows(connection: Connection, table: str) -> int:
    """Return how many rows a table has without its partitions and heirs; raises what `copied_rows` does."""
    narrowest = connection.execute(_NARROWEST, (table,)).fetchall()
    with _copy(connection, table, [name for (name,) in narrowest]) as copy:
        return sum(bytes(data).count(b"\n") for data in copy)


@contextmanager
def _copy(connection: Connection, table: str, columns: Sequence[str]) -> Generator[Copy]:
    """Yield what COPY sends; `table` is a qualified name as SQL, and no columns are all of them."""
    names = sql.SQL(" ({})").format(sql.SQL(", ").join(map(sql.Identifier, columns))) if columns else sql.SQL("")
    statement = sql.SQL("COPY {}{} TO STDOUT").format(sql.SQL(table), names)  # pyright: ignore[reportArgumentType]
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL row_security = off")  # a policy is refused, not run
        with cursor.copy(statement) as copy:
            yield copy
