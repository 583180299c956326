"""How large the tables of a live database are, read without waiting for whoever has one of them exclusively."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.hazards.sizes import TableSize

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.postgres.connection.pool import Connection

_SIZES = """
SELECT t.name, sum(greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0))::int8,
    sum(CASE WHEN EXISTS (
            SELECT FROM pg_locks l
            WHERE l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND l.relation = c.oid AND l.mode = 'AccessExclusiveLock'
        ) THEN c.relpages * current_setting('block_size')::int8  -- the functions below would wait for that session
        WHEN pg_relation_size(c.oid) > 0 THEN pg_table_size(c.oid) ELSE 0 END)::int8
FROM unnest(%s::text[]) AS t (name)
JOIN LATERAL (
    SELECT to_regclass(t.name)::oid UNION SELECT relid FROM pg_partition_tree(to_regclass(t.name))
) AS part (oid) ON true
JOIN pg_class c ON c.oid = part.oid AND c.relkind IN ('r', 'm')
GROUP BY t.name
"""
"""An empty table has the file of its toast table's index all the same."""


def read_sizes(connection: Connection, tables: Iterable[str]) -> dict[str, TableSize]:
    """Return the sizes of those tables that a live database has; nothing but statistics is read."""
    rows = connection.execute(_SIZES, (sorted(tables),))
    return {str(name): TableSize(int(count), int(size)) for name, count, size in rows}
