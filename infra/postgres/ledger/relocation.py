"""SQL for a ledger whose database was restored on another server, for programs such as psql instead of the driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.postgres.introspection.reader import GROUPS, HIDDEN_SCHEMAS, READING_SETTINGS, catalog_query

if TYPE_CHECKING:
    from infra.catalog.difference import Difference

RELOCATE = """
UPDATE sqlmodule.identity i SET system_identifier = s.system_identifier::text, database = d.oid
FROM pg_control_system() s, pg_database d
WHERE d.datname = current_database() AND i.system_identifier = '{system_identifier}' AND i.database = {database}
"""
"""Sets the ledger's server and database to the current ones, if it names the given ones."""


def catalog_queries_as_json() -> list[str]:
    """Return the queries that read the whole catalog; each yields one JSON array of rows (kind, name, definition)."""
    hidden = ", ".join(f"'{name}'" for name in HIDDEN_SCHEMAS)
    return [
        f"BEGIN; {READING_SETTINGS}; SELECT coalesce(json_agg(json_build_array(kind, name, definition)), '[]') "
        f"FROM ({catalog_query(group, narrow=False) % {'hidden': f'ARRAY[{hidden}]'}}) q (kind, name, definition); "
        "COMMIT"
        for group in GROUPS
    ]


def replace_definition(difference: Difference) -> str:
    """Return the statement that replaces a definition in the ledger by the text of another PostgreSQL version."""
    kind, name, before, after = (
        "'" + str(text).replace("'", "''") + "'"
        for text in (*difference.identity, difference.expected, difference.found)
    )
    new = f"CASE WHEN o.v ->> 0 = {kind} AND o.v ->> 1 = {name} AND o.v ->> 2 = {before} "
    new += f"THEN jsonb_set(o.v, '{{2}}', to_jsonb({after}::text)) ELSE o.v END"
    every = f"SELECT jsonb_agg({new} ORDER BY o.n) FROM jsonb_array_elements(objects) WITH ORDINALITY AS o (v, n)"
    return f"UPDATE sqlmodule.ledger SET objects = ({every}) WHERE objects <> '[]'"
