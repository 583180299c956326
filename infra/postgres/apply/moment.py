"""The relations and locks that a transaction sees at one moment, and the locks that a statement asks for.

pg_locks has the locks of a transaction until it ends, relfilenode is another one after a rewrite, and the counters of
the transaction say which tables were read whole. That holds for empty tables as for full ones.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from psycopg import sql

from infra.hazards.measured import mode_of
from infra.postgres.connection.connect import connect

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.scratch_target import ScratchTarget

_RELATIONS = """
SELECT
    c.oid::int8, coalesce(i.indrelid, c.oid)::int8, format('%I.%I', n.nspname, c.relname), c.relkind::text,
    c.relfilenode::int8, coalesce(pg_stat_get_xact_numscans(c.oid), 0),
    a.names, a.types
FROM pg_class c
CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(attnum, format('%I', attname)) AS names,
        jsonb_object_agg(attnum, jsonb_build_array(atttypid::int8, atttypmod)) AS types
    FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
) AS a
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE c.relkind IN ('r', 'p', 'm', 'v', 'i', 'I')
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'sqlmodule')
"""
_LOCKS = """
SELECT relation::int8, array_agg(mode) FROM pg_locks
WHERE locktype = 'relation' AND granted AND pid = pg_backend_pid() GROUP BY relation
"""
_WAITS = "SELECT relation::int8, mode FROM pg_locks WHERE pid = %s AND NOT granted"
_GRANTED = "SELECT relation::int8, mode FROM pg_locks WHERE pid = %s AND granted AND locktype = 'relation'"
_POLL_SECONDS = 0.005


@dataclass(frozen=True)
class Relation:
    """A table, view or index, as the catalog has it at some moment."""

    table: int
    name: str
    kind: str
    file: int
    scans: int
    columns: Mapping[str, str]
    types: Mapping[str, tuple[int, int]]
    """The type and its modifier of each column, by the column's number."""

    @property
    def is_index(self) -> bool:
        """Whether it is one, of a table or of a partitioned one."""
        return self.kind in {"i", "I"}

    @property
    def has_rows(self) -> bool:
        """Whether rows are kept in it, or in its partitions."""
        return self.kind in {"r", "p"}


Relations = dict[int, Relation]


@dataclass(frozen=True)
class TransactionMoment:
    """The relations and the locks of a transaction, before or after a statement."""

    relations: Relations
    locks: Mapping[int, frozenset[str]]


def read_moment(connection: Connection) -> TransactionMoment:
    """Return what the current transaction sees and holds."""
    locks = {int(relation): frozenset(map(mode_of, modes)) for relation, modes in connection.execute(_LOCKS)}
    return TransactionMoment(read_relations(connection), locks)


def read_relations(connection: Connection) -> Relations:
    """Return the tables, views and indexes of a database, but for the ledger's."""
    return {
        int(oid): Relation(int(table), str(name), str(kind), int(file), int(scans), columns or {}, _types(types))
        for oid, table, name, kind, file, scans, columns, types in connection.execute(_RELATIONS)
    }


def _types(found: Mapping[str, tuple[int, int]] | None) -> dict[str, tuple[int, int]]:
    return {number: (int(kind), int(modifier)) for number, (kind, modifier) in (found or {}).items()}


@contextmanager
def waiting_locks(scratch: ScratchTarget, pid: int, relations: Relations) -> Generator[list[tuple[int, str]]]:
    """Yield a list that gets the locks of a statement that commits by itself, and so leaves none to be read.

    Another session holds SHARE UPDATE EXCLUSIVE on all tables, for which every such statement waits (manual, table
    13.2). What it waits for is read, and the other session ends.
    """
    names = [relation.name for relation in relations.values() if relation.has_rows]
    found: list[tuple[int, str]] = []
    done = Event()
    with connect(scratch.target) as holder, ThreadPoolExecutor(1) as threads:
        holder.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(scratch.owner)))
        if names:
            holder.execute(f"LOCK TABLE {', '.join(names)} IN SHARE UPDATE EXCLUSIVE MODE".encode())

        def observe() -> None:
            try:
                while not done.is_set() and not found:
                    waits = holder.execute(_WAITS, (pid,)).fetchall()
                    if waits:
                        rows = [*waits, *holder.execute(_GRANTED, (pid,)).fetchall()]
                        found.extend((int(oid), mode_of(str(mode))) for oid, mode in rows if oid)
                    time.sleep(_POLL_SECONDS)
            finally:
                holder.rollback()

        observer = threads.submit(observe)
        try:
            yield found
        finally:
            done.set()
            observer.result()
