"""The live catalog as a value: one query a kind, none of which grows with the number of modules."""

from __future__ import annotations

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
PREFIX = "relation"


@cache
def queries() -> dict[str, LiteralString]:
    """Give the queries by kind; each yields rows (kind, name, definition)."""
    texts = {path.stem: cast("LiteralString", path.read_text()) for path in sorted(QUERIES.glob("*.sql"))}
    prefix = texts.pop(PREFIX)
    return {kind: cast("LiteralString", prefix + text) for kind, text in texts.items()}


def read_catalog(connection: psycopg.Connection[tuple[Any, ...]], relations: list[int] | None = None) -> Catalog:
    """Read the catalog of the database connected to, in one transaction; `relations` narrows it to these oids.

    Names are qualified whatever the session's search_path is, as pg_dump does it (manual, 5.10.3).
    """
    parameters = {"hidden": list(HIDDEN), "relations": relations}
    rows: list[tuple[str, str, str]] = []
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('search_path')")
        (search_path,) = cursor.fetchone() or ("",)
        cursor.execute("SELECT set_config('search_path', '', true)")
        for query in queries().values():
            cursor.execute(query, parameters)
            rows.extend(cast("list[tuple[str, str, str]]", cursor.fetchall()))
        cursor.execute("SELECT set_config('search_path', %s, true)", (search_path,))
    return catalog_of(rows)
