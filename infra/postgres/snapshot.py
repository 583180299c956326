"""The live catalog as a value, whole or the part that somebody touched; one query a kind, sent together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from infra.catalog.catalog import Catalog, catalog_of

if TYPE_CHECKING:
    import psycopg
    from typing_extensions import LiteralString

LEDGER_SCHEMA = "sqlmodule"

HIDDEN = ("information_schema", LEDGER_SCHEMA)
"""Schemas that are never read: PostgreSQL's own, and the ledger's."""

QUERIES = Path(__file__).parent / "queries"

NARROW = "-- narrow"
"""What ends a line that narrows a query to a part of the catalog; a whole reading leaves these lines out."""

CURRENT = "SELECT current_setting('search_path'), current_setting('plan_cache_mode'), current_setting('jit')"
SETTINGS = """
SELECT set_config('search_path', %s, true), set_config('plan_cache_mode', %s, true), set_config('jit', %s, true)
"""


@dataclass(frozen=True)
class Part:
    """A part of a catalog: relations (tables, indexes, sequences, views), and objects that are no relations, by oid."""

    relations: tuple[int, ...] = ()
    objects: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.relations or self.objects)


@cache
def queries(of: str, *, narrow: bool) -> LiteralString:
    """Give the queries `of_relations` or `of_others`, joined so that a reading is one round trip and one plan.

    They yield rows (kind, name, definition).
    """
    texts = [_lines(path, narrow=narrow) for path in sorted((QUERIES / of).glob("*.sql"))]
    joined = "\nUNION ALL\n".join(f"(\n{text})" for text in texts)
    return cast(
        "LiteralString", (_lines(QUERIES / "relation.sql", narrow=narrow) if of == "of_relations" else "") + joined
    )


def _lines(path: Path, *, narrow: bool) -> str:
    lines = path.read_text().splitlines(keepends=True)
    return "".join(line for line in lines if narrow or not line.rstrip().endswith(NARROW))


def read_catalog(connection: psycopg.Connection[tuple[Any, ...]], part: Part | None = None) -> Catalog:
    """Read the catalog of the database connected to, in one transaction; `part` narrows it to what has these oids.

    Names are qualified whatever the session's search_path is, as pg_dump does it (manual, 5.10.3). The plan does not
    depend on the oids, so that it is made once for a connection, and it is never compiled: both would cost more than
    what they help.
    """
    narrow = part is not None
    hidden: dict[str, Any] = {"hidden": list(HIDDEN)}
    rows: list[tuple[str, str, str]] = []
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(CURRENT)
        before = cursor.fetchone()
        cursor.execute(SETTINGS, ("", "force_generic_plan", "off"))
        if part is None or part.relations:
            relations = {"relations": list(part.relations)} if part else {}
            cursor.execute(queries("of_relations", narrow=narrow), hidden | relations, prepare=True)
            rows.extend(cast("list[tuple[str, str, str]]", cursor.fetchall()))
        if part is None or part.objects:
            objects = {"objects": list(part.objects)} if part else {}
            cursor.execute(queries("of_others", narrow=narrow), hidden | objects, prepare=True)
            rows.extend(cast("list[tuple[str, str, str]]", cursor.fetchall()))
        cursor.execute(SETTINGS, before)
    return catalog_of(rows)
