"""The live catalog as a value, whole or the part that somebody touched; one query a kind."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from psycopg.pq import TransactionStatus

from infra.catalog.catalog import Catalog, catalog_of
from infra.postgres.connection.simple_query import simple_query

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    import psycopg
    from typing_extensions import LiteralString

    Row = tuple[str, str, str]

LEDGER_SCHEMA = "sqlmodule"

HIDDEN_SCHEMAS = ("information_schema", LEDGER_SCHEMA)
"""Schemas that are never read: PostgreSQL's own, and the ledger's."""

QUERIES = Path(__file__).parent / "queries"
RELATIONS, OTHERS = "of_relations", "of_others"

TOGETHER = ("table", "column", "order", "constraint", "owner", "sequence", "index")
"""What nearly every module makes: these queries are one, which says as well which others have something to say."""
FURTHER = "query"
"""What such a row has in the place of an object's kind."""

NARROW = "-- narrow"
"""What ends a line that narrows a query to a part of the catalog; a whole reading leaves these lines out."""

READING_SETTINGS = "SET LOCAL search_path = ''; SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL jit = off"
BY_INDEX = "; SET LOCAL enable_seqscan = off"
"""A part is found by its oids. The plan is made while the catalog is small, and kept while it grows."""


@dataclass(frozen=True)
class CatalogPart:
    """A part of a catalog: relations (tables, indexes, sequences, views), and objects that are no relations, by oid."""

    relations: tuple[int, ...] = ()
    objects: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.relations or self.objects)


@cache
def queries(of: str, *, narrow: bool, names: tuple[str, ...] = ()) -> LiteralString:
    """Give the queries `of_relations` or `of_others`, all or those named, joined to one.

    They yield rows (kind, name, definition).
    """
    files = sorted((QUERIES / of).glob("*.sql"))
    texts = [_lines(path, narrow=narrow) for path in files if not names or path.stem in names]
    joined = "\nUNION ALL\n".join(f"(\n{text})" for text in texts)
    return cast("LiteralString", _relation(narrow=narrow) + joined if of == RELATIONS else joined)


@cache
def _first(of: str) -> LiteralString:
    """Give the query that is asked first of a part: it names those of the others that have something to say."""
    kinds = _lines(QUERIES / f"kinds_{of}.sql", narrow=True)
    together = queries(of, narrow=True, names=TOGETHER) + "\nUNION ALL\n" if of == RELATIONS else ""
    return cast("LiteralString", f"{together}{kinds}")


def _relation(*, narrow: bool) -> str:
    return _lines(QUERIES / "relation.sql", narrow=narrow)


def _lines(path: Path, *, narrow: bool) -> str:
    lines = path.read_text().splitlines(keepends=True)
    return "".join(line for line in lines if narrow or not line.rstrip().endswith(NARROW))


def read_catalog(
    connection: psycopg.Connection[tuple[Any, ...]],
    part: CatalogPart | None = None,
    *,
    patience: str = "",
    lasting: bool = False,
) -> Catalog:
    """Read the catalog of the database connected to, in one transaction; `part` narrows it to what has these oids.

    Some definitions are given only under a lock on their table; with `patience` LockNotAvailable is raised after that.
    With `lasting` the settings for reading stay until the end of the current transaction, which saves taking them back.

    Names are qualified whatever the session's search_path is, as pg_dump does it (manual, 5.10.3). The plan does not
    depend on the oids, so that it is made once for a connection, and it is never compiled: both would cost more than
    what they help.
    """
    if part is not None and not part:
        return Catalog()
    with _set(connection, patience, narrow=part is not None, lasting=lasting):
        if part is None:
            return catalog_of([*_whole(connection, RELATIONS), *_whole(connection, OTHERS)])
        rows: list[Row] = []
        if part.relations:
            rows += _narrow(connection, RELATIONS, part.relations)
        if part.objects:
            rows += _narrow(connection, OTHERS, part.objects)
        return catalog_of(rows)


def existing(connection: psycopg.Connection[tuple[Any, ...]], part: CatalogPart) -> CatalogPart:
    """Give the part of a part that this session sees; of what another one has just made, that is nothing."""
    values = {"relations": list(part.relations), "objects": list(part.objects)}
    rows = connection.execute(_text("existing.sql"), values, prepare=True).fetchall()
    relations, objects = (tuple(oid for what, oid in rows if what == kind) for kind in ("relation", "object"))
    return CatalogPart(relations, objects)


def is_empty(connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
    """Say whether a database holds nothing but its extensions: much quicker than to read it all and find nothing."""
    return connection.execute(_text("is_empty.sql"), {"hidden": list(HIDDEN_SCHEMAS)}).fetchone() == (True,)


@cache
def _text(name: str) -> LiteralString:
    return cast("LiteralString", Path(__file__).with_name(name).read_text())


def warm_prepared_statements(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Have what most readings of a part need planned on a connection, once and for all, and read nothing."""
    connection.execute("SET plan_cache_mode = force_generic_plan")
    with _set(connection, "", narrow=True):
        existing(connection, CatalogPart())
        for of in (OTHERS, RELATIONS):
            _narrow(connection, of, ())


def _whole(connection: psycopg.Connection[tuple[Any, ...]], of: str) -> list[Row]:
    return _rows(connection, queries(of, narrow=False), {"hidden": list(HIDDEN_SCHEMAS)})


def _narrow(connection: psycopg.Connection[tuple[Any, ...]], of: str, oids: Iterable[int]) -> list[Row]:
    """Ask the queries that have something to say; planning the others would cost more than all the rest."""
    values = {"hidden": list(HIDDEN_SCHEMAS), "oids": list(oids)}
    rows = _rows(connection, _first(of), values)
    further: list[LiteralString] = [
        queries(of, narrow=True, names=(name,)) for kind, name, _ in rows if kind == FURTHER
    ]
    return [row for row in rows if row[0] != FURTHER] + [
        row for query in further for row in _rows(connection, query, values)
    ]


def _rows(connection: psycopg.Connection[tuple[Any, ...]], query: LiteralString, values: dict[str, Any]) -> list[Row]:
    return cast("list[Row]", connection.execute(query, values, prepare=True).fetchall())


@contextmanager
def _set(
    connection: psycopg.Connection[tuple[Any, ...]], patience: str, *, narrow: bool, lasting: bool = False
) -> Generator[None]:
    """Have the settings for reading, and everything as it was afterwards."""
    if lasting:
        simple_query(connection, READING_SETTINGS + (BY_INDEX if narrow else ""))
        yield
        return
    within = connection.info.transaction_status != TransactionStatus.IDLE
    limit = f"; SET LOCAL lock_timeout = '{patience}'" if patience else ""
    simple_query(
        connection,
        f"{'SAVEPOINT reading' if within else 'BEGIN'}; {READING_SETTINGS}{BY_INDEX if narrow else ''}{limit}",
    )
    try:
        yield
    finally:
        if not connection.broken:
            simple_query(
                connection, "ROLLBACK TO SAVEPOINT reading; RELEASE SAVEPOINT reading" if within else "ROLLBACK"
            )
