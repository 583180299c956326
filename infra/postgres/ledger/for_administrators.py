"""A ledger that an administrator may read and write: its tables are as this program made them, and stay so meanwhile.

They belong to the database's owner, who could add a trigger, or put a view in a table's place, and what these call
would be run with the rights of whoever reads or writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.errors import LedgerError
from infra.postgres.ledger.identity import ledger_exists

if TYPE_CHECKING:
    from infra.postgres.connection.pool import Connection

_TABLES = """
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'sqlmodule' AND c.relkind = 'r'
"""
_UNEXPECTED = """
WITH relation AS (
    SELECT c.* FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'sqlmodule'
)
SELECT pg_catalog.format('%%I, which is no table or has more than rows', relname) FROM relation
WHERE relkind NOT IN ('r', 'i', 'S', 'c') OR relispartition OR relrowsecurity OR relforcerowsecurity
    OR EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhparent = oid)
UNION ALL SELECT pg_catalog.format('the trigger %%I', tgname)
FROM pg_catalog.pg_trigger JOIN relation r ON r.oid = tgrelid
UNION ALL SELECT pg_catalog.format('the rule %%I', rulename)
FROM pg_catalog.pg_rewrite JOIN relation r ON r.oid = ev_class
UNION ALL SELECT pg_catalog.format('the index %%I', relname)
FROM pg_catalog.pg_index JOIN relation r ON r.oid = indexrelid WHERE indexprs IS NOT NULL OR indpred IS NOT NULL
UNION ALL SELECT pg_catalog.format('the statistics %%I', stxname)
FROM pg_catalog.pg_statistic_ext JOIN relation r ON r.oid = stxrelid
UNION ALL SELECT pg_catalog.format('the constraint %%I', conname)
FROM pg_catalog.pg_constraint k JOIN relation r ON r.oid = k.conrelid
WHERE contype NOT IN ('c', 'p', 'n') OR contype = 'c' AND pg_catalog.pg_get_constraintdef(k.oid) <> ALL (%(checks)s)
UNION ALL SELECT pg_catalog.format('the default %%s', pg_catalog.pg_get_expr(adbin, adrelid))
FROM pg_catalog.pg_attrdef JOIN relation r ON r.oid = adrelid
WHERE pg_catalog.pg_get_expr(adbin, adrelid) <> ALL (%(defaults)s)
UNION ALL SELECT pg_catalog.pg_describe_object(d.refclassid, d.refobjid, 0)
FROM relation r
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = r.oid
WHERE d.refobjid >= 16384 AND d.refclassid IN (
    'pg_catalog.pg_type'::pg_catalog.regclass, 'pg_catalog.pg_opclass'::pg_catalog.regclass,
    'pg_catalog.pg_collation'::pg_catalog.regclass, 'pg_catalog.pg_am'::pg_catalog.regclass) AND r.relkind <> 'c'
LIMIT 1
"""
"""What is not in ledger.sql, and may run something when rows are read or written."""
_EXPRESSIONS = {
    "checks": [
        "CHECK (only_row)",
        "CHECK ((outcome = ANY (ARRAY['applied'::text, 'adopted'::text, 'verified'::text, 'orphaned'::text])))",
    ],
    "defaults": ["true", "now()", "clock_timestamp()", "SESSION_USER", "'{}'::jsonb"],
}


def lock_ledger(connection: Connection) -> bool:
    """Return whether there is a ledger, whose tables nobody can change until the current transaction ends.

    Raises LedgerError where somebody did. Columns and rows may be wrong: then an error is all that comes of it.
    """
    if not ledger_exists(connection):
        return False
    tables = ", ".join(name for (name,) in connection.execute(_TABLES).fetchall())
    if tables:
        connection.execute(f"LOCK TABLE {tables} IN ROW EXCLUSIVE MODE".encode())
    other = connection.execute(_UNEXPECTED, _EXPRESSIONS).fetchone()
    if other:
        raise LedgerError(
            f"has {other[0]}, which this program did not make, and no administrator reads it so",
            place=f"schema sqlmodule of database {connection.info.dbname}",
            remedy="drop what was added, or restore the database",
        )
    return True
