"""The rows of a database that break rules of its kind, found on a scratch database that has copies of them.

A rule is a query from the branch, and the tables are somebody else's: neither may run with the rights of the
administrator, who alone can read the rows. So the columns that the rules read are copied, for which PostgreSQL runs
nothing of their owner's, and the queries are run where the branch's modules are.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import psycopg

from infra.errors import ModuleFileError
from infra.postgres.apply.module_effects import run_on_scratch, session_on_scratch
from infra.postgres.apply.revision_effects import scratch_of
from infra.postgres.connection.connect import connect
from infra.postgres.introspection.copied_rows import copy_into, parts_of

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from infra.migrations.adoption import KnownDatabase, RowRule
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session

MOST_ROWS = 20
"""How many rows that break a rule are listed."""

_VIEW = "CREATE TEMPORARY VIEW row_rule AS SELECT pg_catalog.count(*) FROM (\n{}\n) AS found"
_READ = """
WITH RECURSIVE depends AS (
    SELECT r.ev_class AS view, d.refclassid, d.refobjid, d.refobjsubid
    FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
    WHERE d.refobjid <> r.ev_class AND d.refobjid >= 16384
), read AS (
    SELECT * FROM depends WHERE view = 'pg_temp.row_rule'::regclass
    UNION SELECT d.* FROM read r JOIN depends d ON d.view = r.refobjid AND r.refclassid = 'pg_class'::regclass
)
SELECT CASE WHEN c.relkind IN ('r', 'p') THEN '' ELSE 'relation ' END || format('%I.%I', n.nspname, c.relname),
    array_agg(DISTINCT a.attname::text)
FROM read r JOIN pg_class c ON c.oid = r.refobjid AND c.relkind <> 'v' JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    AND (r.refobjsubid IN (0, a.attnum) OR EXISTS (
        SELECT FROM pg_attribute g WHERE g.attrelid = c.oid AND g.attnum = r.refobjsubid AND g.attgenerated <> ''))
WHERE r.refclassid = 'pg_class'::regclass
GROUP BY n.nspname, c.relname, c.relkind
UNION ALL
SELECT DISTINCT 'function ' || p.oid::regprocedure, '{}'::text[]
FROM read r JOIN pg_proc p ON p.oid = r.refobjid JOIN pg_language l ON l.oid = p.prolang
WHERE r.refclassid = 'pg_proc'::regclass AND l.lanname NOT IN ('c', 'internal')
ORDER BY 1
"""
"""The tables that a view reads, also through other views, with columns; of a generated one those that it may be of."""
_WITHOUT_RULES = """
DO $$ DECLARE statement text; BEGIN
    FOR statement IN
        SELECT format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I CASCADE', conrelid::regclass, conname)
        FROM pg_constraint WHERE conrelid >= 16384 AND contype IN ('f', 'c', 'x', 'u', 'p')
    LOOP EXECUTE statement; END LOOP;
    FOR statement IN
        SELECT format('DROP INDEX IF EXISTS %s CASCADE', indexrelid::regclass) FROM pg_index
        WHERE indrelid >= 16384 AND indisunique AND indrelid IN (SELECT oid FROM pg_class WHERE relkind IN ('r', 'p'))
    LOOP EXECUTE statement; END LOOP;
    FOR statement IN
        SELECT format('ALTER TABLE %s ALTER %I DROP IDENTITY IF EXISTS, ALTER %2$I DROP NOT NULL',
            attrelid::regclass, attname)
        FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
        WHERE attrelid >= 16384 AND attnum > 0 AND attnotnull AND NOT attisdropped
          AND relkind IN ('r', 'p') AND NOT relispartition
    LOOP EXECUTE statement; END LOOP;
    FOR statement IN
        SELECT format('ALTER TABLE %s DISABLE TRIGGER USER', oid::regclass) FROM pg_class
        WHERE oid >= 16384 AND relkind IN ('r', 'p')
    LOOP EXECUTE statement; END LOOP;
END $$
"""
"""Drops what may refuse rows: a database is recognised by its tables and columns, and may lack the rules of a kind."""


def broken_rules(session: Session, known: KnownDatabase) -> list[str]:
    """Return the rows that break rules of a kind, as lines with the values that the queries in its rows.sql return.

    The database must have all tables and columns of the kind. Raises psycopg.Error, ModuleError, and ModuleFileError
    for a rule that is no query of tables.
    """
    if not known.rules:
        return []
    seconds = session.statement_timeout
    with scratch_of(session) as (connection, scratch), closing(connect(session.admin, autocommit=True)) as live:
        run_on_scratch(connection, scratch, known.schema, seconds=seconds)
        with session_on_scratch(scratch, seconds=seconds).transaction(connection):
            tables: dict[str, set[str]] = {}
            for rule in known.rules:
                for table, columns in _tables_read(connection, rule).items():
                    tables.setdefault(table, set()).update(columns)
            connection.execute(_WITHOUT_RULES)
            for table, columns in sorted(tables.items()):
                for part in parts_of(live, table):
                    copy_into(connection, table, live, part, sorted(columns))
            return [line for rule in known.rules for line in _rows_found(connection, rule)]


def _tables_read(connection: Connection, rule: RowRule) -> Mapping[str, list[str]]:
    """Return the tables with the columns that a rule reads, which a view of it depends on."""
    with _errors_of(rule), connection.transaction(force_rollback=True):
        connection.execute(_VIEW.format(rule.query).encode())
        read = dict(connection.execute(_READ).fetchall())
    others = [name for name in read if name.startswith(("function ", "relation "))]
    if others:
        raise ModuleFileError(
            f"reads the {others[0]}, of which there is no copy to read", place=rule.place, remedy="read tables instead"
        )
    return read


def _rows_found(connection: Connection, rule: RowRule) -> list[str]:
    with _errors_of(rule):
        cursor = connection.execute(rule.query.encode())
    names = [column.name for column in cursor.description or ()]
    rows = cursor.fetchall()
    lines = [f"{rule.what} ({rule.place}):"] if rows else []
    lines += [
        "  " + ", ".join(f"{name} {value}" for name, value in zip(names, row, strict=True)) for row in rows[:MOST_ROWS]
    ]
    return [*lines, f"  and {len(rows) - MOST_ROWS} more"] if len(rows) > MOST_ROWS else lines


@contextmanager
def _errors_of(rule: RowRule) -> Generator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise ModuleFileError(
            f"is no query of rows ({error.diag.message_primary})", place=rule.place, remedy="write one SELECT"
        ) from None
