"""The reader of the live catalog, whole or the part with given oids; there is one query for each kind of object."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from psycopg.pq import TransactionStatus

from infra.catalog.catalog import DATABASE, SETTING, Catalog, ObjectId, catalog_of
from infra.catalog.drop_order import Dependency, Droppable, ObjectAddress
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
RELATIONS, OTHERS, FURTHER_KINDS = GROUPS = "of_relations", "of_others", "of_further"
"""The groups of queries, by their directories; the last one is of the kinds that few modules create."""

COMBINED = ("table", "column", "order", "constraint", "owner", "sequence", "index")
"""The kinds that nearly every module creates: their queries are sent as one, with the query for the further kinds."""
FURTHER = "query"
"""In a row's first column instead of a kind: the second column names a further query that will return rows."""

NARROW = "-- narrow"
"""The end of each line that limits a query to given oids; reading the whole catalog leaves these lines out."""

READING_SETTINGS = "SET LOCAL search_path = ''; SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL jit = off"
NARROW_SETTINGS = "; SET LOCAL enable_seqscan = off"
"""A part is found by its oids, by index: the generic plan is made while the catalog is small, and kept as it grows."""

_DEPENDENCIES = """
SELECT classid::bigint, objid::bigint, objsubid, refclassid::bigint, refobjid::bigint, refobjsubid, deptype
FROM pg_depend
WHERE objid >= 16384
"""

_SETTINGS = """
WITH this AS (SELECT d.oid, d.xmin FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
SELECT %s, pg_catalog.split_part(c.setting, '=', 1), pg_catalog.substr(c.setting, pg_catalog.strpos(c.setting, '=') + 1)
FROM pg_catalog.pg_db_role_setting s CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c (setting)
WHERE s.setrole = 0 AND s.setdatabase = (SELECT this.oid FROM this)
UNION ALL
SELECT %s, %s, CASE WHEN pg_catalog.age(this.xmin) <= 0 THEN this.xmin::text ELSE '' END FROM this
"""
"""What the database sets for all sessions, and the current transaction where that wrote the database's own row."""


@dataclass(frozen=True)
class CatalogPart:
    """A part of a catalog by oid: relations (tables, indexes, sequences, views), other objects, those of more kinds."""

    relations: tuple[int, ...] = ()
    objects: tuple[int, ...] = ()
    further: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.relations or self.objects or self.further)


@cache
def catalog_query(group: str, *, narrow: bool, names: tuple[str, ...] = ()) -> LiteralString:
    """Return the queries of a group, all or those named, combined to one whose rows are (kind, name, definition).

    Its parameters are `hidden`, an array of schemas, and with `narrow` also `oids`.
    """
    files = sorted((QUERIES / group).glob("*.sql"))
    texts = [_query_text(path, narrow=narrow) for path in files if not names or path.stem in names]
    combined = "\nUNION ALL\n".join(f"(\n{text})" for text in texts)
    relation = _query_text(QUERIES / "relation.sql", narrow=narrow) if group == RELATIONS else ""
    return cast("LiteralString", relation + combined)


@cache
def _first_query(group: str) -> LiteralString:
    """Return the query that is sent first for a part: it also names the further queries that will return rows."""
    kinds = _query_text(QUERIES / f"kinds_{group}.sql", narrow=True)
    combined = catalog_query(group, narrow=True, names=COMBINED) + "\nUNION ALL\n" if group == RELATIONS else ""
    return cast("LiteralString", f"{combined}{kinds}")


def _query_text(path: Path, *, narrow: bool) -> str:
    lines = path.read_text().splitlines(keepends=True)
    return "".join(line for line in lines if narrow or not line.rstrip().endswith(NARROW))


def read_catalog(
    connection: psycopg.Connection[tuple[Any, ...]],
    part: CatalogPart | None = None,
    *,
    lock_timeout: str = "",
    keep_settings: bool = False,
) -> Catalog:
    """Read the catalog of the connected database in one transaction; `part` limits it to the objects with these oids.

    Some definitions can be read only with a lock on their table; with `lock_timeout` LockNotAvailable is raised after
    that time. With `keep_settings` the settings for reading stay until the end of the current transaction, which saves
    a savepoint.

    As in pg_dump, search_path is empty, so that PostgreSQL qualifies all names in definitions (manual, 5.10.3). Plans
    are generic, made once for a connection, and not compiled: both would take longer than the queries.
    """
    if part is not None and not part:
        return Catalog()
    with _reading_settings(connection, lock_timeout, narrow=part is not None, keep=keep_settings):
        if part is None:
            hidden = {"hidden": list(HIDDEN_SCHEMAS)}
            return catalog_of(
                row for group in GROUPS for row in _rows(connection, catalog_query(group, narrow=False), hidden)
            )
        rows: list[Row] = []
        if part.relations:
            rows += _read_narrow(connection, RELATIONS, part.relations)
        if part.objects:
            rows += _read_narrow(connection, OTHERS, part.objects)
        if part.further:
            values = {"hidden": list(HIDDEN_SCHEMAS), "oids": list(part.further)}
            rows += _rows(connection, catalog_query(FURTHER_KINDS, narrow=True), values)
        return catalog_of(rows)


def read_dependencies(
    connection: psycopg.Connection[tuple[Any, ...]], large_objects: Iterable[int]
) -> tuple[dict[ObjectAddress, Droppable], list[Dependency]]:
    """Read the objects of a database, of large ones only those given, and all dependencies between objects."""
    with _reading_settings(connection, "", narrow=False):
        rows = connection.execute(_sql_file("dependencies.sql"), (list(large_objects),)).fetchall()
        links = connection.execute(_DEPENDENCIES).fetchall()
    objects = {ObjectAddress(*row[:3]): Droppable(ObjectId(row[3], row[4]), row[5]) for row in rows}
    return objects, [Dependency(ObjectAddress(*row[:3]), ObjectAddress(*row[3:6]), row[6]) for row in links]


def visible_part(
    connection: psycopg.Connection[tuple[Any, ...]], part: CatalogPart, *, own: bool = True
) -> CatalogPart:
    """Return those oids of a part that this session sees: none of what another transaction has just created.

    With `own=False` neither those of rows that this transaction wrote.
    """
    values = {"relations": list(part.relations), "objects": list(part.objects), "own": own}
    rows = connection.execute(_sql_file("visible_oids.sql"), values, prepare=True).fetchall()
    relations, objects = (tuple(oid for name, oid in rows if name == kind) for kind in ("relation", "object"))
    return CatalogPart(relations, objects, part.further)


def catalog_version_query() -> LiteralString:
    """Return the query for a number that is another one after each change of a catalog, read in a tenth of its time.

    It is the same in a database that was made as a copy of another one, until either is changed.
    """
    return _sql_file("catalog_version.sql")


def read_catalog_version(connection: psycopg.Connection[tuple[Any, ...]]) -> str:
    """Return that number."""
    return read_own_catalog_version(connection)[0]


def read_own_catalog_version(connection: psycopg.Connection[tuple[Any, ...]]) -> tuple[str, str]:
    """Return that number, and the one without the rows that the current transaction wrote."""
    return connection.execute(catalog_version_query()).fetchone() or ("", "")


def read_settings(connection: psycopg.Connection[tuple[Any, ...]]) -> Catalog:
    """Read what the database sets for all sessions, and its own row; `read_catalog` does not."""
    return catalog_of(connection.execute(_SETTINGS, (SETTING, *DATABASE)).fetchall())


def is_empty(connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
    """Return whether a database contains nothing but its extensions; this is much quicker than reading the catalog."""
    return connection.execute(_sql_file("is_empty.sql"), {"hidden": list(HIDDEN_SCHEMAS)}).fetchone() == (True,)


@cache
def _sql_file(name: str) -> LiteralString:
    return cast("LiteralString", Path(__file__).with_name(name).read_text())


def warm_prepared_statements(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Prepare and plan the statements that read most parts, without reading anything."""
    connection.execute("SET plan_cache_mode = force_generic_plan")
    with _reading_settings(connection, "", narrow=True):
        visible_part(connection, CatalogPart())
        for group in (OTHERS, RELATIONS):
            _read_narrow(connection, group, ())


def _read_narrow(connection: psycopg.Connection[tuple[Any, ...]], group: str, oids: Iterable[int]) -> list[Row]:
    """Run the queries that will return rows; planning all the others would take longer than everything else."""
    values = {"hidden": list(HIDDEN_SCHEMAS), "oids": list(oids)}
    rows = _rows(connection, _first_query(group), values)
    further: list[LiteralString] = [
        catalog_query(group, narrow=True, names=(name,)) for kind, name, _ in rows if kind == FURTHER
    ]
    return [row for row in rows if row[0] != FURTHER] + [
        row for query in further for row in _rows(connection, query, values)
    ]


def _rows(connection: psycopg.Connection[tuple[Any, ...]], query: LiteralString, values: dict[str, Any]) -> list[Row]:
    return cast("list[Row]", connection.execute(query, values, prepare=True).fetchall())


@contextmanager
def _reading_settings(
    connection: psycopg.Connection[tuple[Any, ...]], lock_timeout: str, *, narrow: bool, keep: bool = False
) -> Generator[None]:
    """Set what reading needs, and restore the session's own settings after the block, unless they are to be kept."""
    settings = READING_SETTINGS + (NARROW_SETTINGS if narrow else "")
    if keep:
        simple_query(connection, settings)
        yield
        return
    in_transaction = connection.info.transaction_status != TransactionStatus.IDLE
    limit = f"; SET LOCAL lock_timeout = '{lock_timeout}'" if lock_timeout else ""
    simple_query(connection, f"{'SAVEPOINT reading' if in_transaction else 'BEGIN'}; {settings}{limit}")
    try:
        yield
    finally:
        if not connection.broken:
            end = "ROLLBACK TO SAVEPOINT reading; RELEASE SAVEPOINT reading" if in_transaction else "ROLLBACK"
            simple_query(connection, end)
