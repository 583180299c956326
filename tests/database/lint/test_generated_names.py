"""The names that lint generates for indexes are those that PostgreSQL generates."""

from __future__ import annotations

import psycopg

from infra.modules.creations import creations
from infra.modules.statements import parse

LONG = "l" * 40
STATEMENTS = f"""
CREATE TABLE t (a int PRIMARY KEY, b text UNIQUE, r int4range, EXCLUDE USING gist (r WITH &&), UNIQUE (a, b));
CREATE INDEX ON t (b);
CREATE INDEX ON t (lower(b), a);
CREATE INDEX ON t (pg_catalog.upper(b), (a + 1), (a + 2), (a + 3));
CREATE INDEX ON t (coalesce(b, ''));
CREATE INDEX ON t (greatest(a, 2));
CREATE INDEX ON t (least(a, 2));
CREATE INDEX ON t ((CASE WHEN a > 1 THEN 2 END));
CREATE INDEX ON t ((a::bigint), (b COLLATE "C"));
CREATE INDEX ON t (((a + 1)::bigint));
CREATE INDEX ON t (a, a, abs(a));
CREATE INDEX ON t (a) INCLUDE (r, a);
ALTER TABLE t ADD c int UNIQUE, ADD UNIQUE (b) INCLUDE (r), ADD EXCLUDE USING gist (r WITH &&) INCLUDE (r);
CREATE TABLE {LONG} (short int, {LONG} int UNIQUE, {LONG}2 int, UNIQUE (short, {LONG}));
CREATE INDEX ON {LONG} (short);
CREATE INDEX ON {LONG} ({LONG}, {LONG}2);
"""


def test_lint_generates_the_names_that_postgresql_generates(database: str) -> None:
    """Indexes on columns, on expressions and of keys have the same names in lint and on the server, also long ones."""
    expected = {
        creation.name[1]
        for statement in parse(STATEMENTS, "")
        for creation in creations(statement.kind, statement.tree)
        if creation.object_type == "index"
    }
    with psycopg.connect(database) as connection:
        connection.execute(STATEMENTS.encode())
        rows = connection.execute("SELECT relname FROM pg_class WHERE relkind = 'i' AND oid >= 16384").fetchall()
        generated = {name for (name,) in rows if not name.startswith("pg_")}
    assert expected == generated
    assert len(generated) >= STATEMENTS.count("INDEX")
