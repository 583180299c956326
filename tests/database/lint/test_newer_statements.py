"""What is newer than a server is refused by it, and named by lint for a stack of its version."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from tests.unit.lint import texts

pytest_plugins = ["tests.database.scratch_server"]

T = "CREATE TABLE t (a int, b text, r daterange);\n"
STATEMENTS = [
    (18, "CREATE TABLE u (a int, b int GENERATED ALWAYS AS (a + 1) VIRTUAL);"),
    (18, "CREATE TABLE u (a int4range, r daterange, PRIMARY KEY (a, r WITHOUT OVERLAPS));"),
    (18, "ALTER TABLE t ADD CHECK (a > 0) NOT ENFORCED;"),
    (18, "ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID;"),
    (18, "UPDATE t SET a = 1 RETURNING WITH (OLD AS o) o.a;"),
    (18, "CREATE TABLE u (id uuid DEFAULT uuidv7());"),
    (18, "CREATE VIEW v AS SELECT casefold(b), array_sort(ARRAY[a]) FROM t;"),
    (18, "CREATE FUNCTION f() RETURNS uuid LANGUAGE sql AS 'SELECT pg_catalog.uuidv4()';"),
    (18, "CREATE TABLE u (a int) WITH (autovacuum_vacuum_max_threshold = 5);"),
    (18, "CREATE PUBLICATION p FOR TABLE t WITH (publish_generated_columns = stored);"),
    (18, "ALTER DEFAULT PRIVILEGES GRANT SELECT ON LARGE OBJECTS TO PUBLIC;"),
    (17, "SET transaction_timeout = 0;"),
    (17, "CREATE COLLATION c (provider = builtin, locale = 'C.UTF-8');"),
    (17, "GRANT SELECT, MAINTAIN ON t TO PUBLIC;"),
    (17, "MERGE INTO t USING (VALUES (1)) AS v (a) ON t.a = v.a WHEN MATCHED THEN DELETE RETURNING t.a;"),
    (17, "MERGE INTO t USING (VALUES (1)) AS v (a) ON t.a = v.a WHEN NOT MATCHED BY SOURCE THEN DELETE;"),
    (17, "CREATE VIEW v AS SELECT j.a FROM t, JSON_TABLE(b::jsonb, '$' COLUMNS (a int)) AS j;"),
    (17, "CREATE VIEW v AS SELECT to_bin(a), xmltext(b) FROM t;"),
    (16, "CREATE VIEW v AS SELECT a FROM (SELECT a FROM t);"),
    (16, "CREATE VIEW v AS SELECT any_value(b) FROM t;"),
    (16, "CREATE TABLE u (a text STORAGE EXTERNAL);"),
    (16, "ALTER TABLE t ALTER b SET STORAGE DEFAULT;"),
    (16, "CREATE STATISTICS ON a, b FROM t;"),
    (16, "CREATE VIEW v AS SELECT b IS JSON AS valid, JSON_ARRAY(a) AS j FROM t;"),
    (16, "CREATE VIEW v AS SELECT JSON_ARRAYAGG(a) AS j FROM t;"),
    (15, "CREATE UNIQUE INDEX ON t (a) NULLS NOT DISTINCT;"),
    (15, "CREATE VIEW v WITH (security_invoker) AS SELECT a FROM t;"),
    (15, "CREATE UNLOGGED SEQUENCE s;"),
    (15, "CREATE PUBLICATION p FOR TABLE t (a) WHERE (a > 1);"),
    (14, "CREATE FUNCTION gamma() RETURNS int LANGUAGE sql AS 'SELECT 1';\nCREATE TABLE u (a int DEFAULT gamma());"),
    (14, "CREATE VIEW v AS SELECT x.* FROM (SELECT a FROM t) AS x, (VALUES (1)) AS y;"),
]
"""The version that introduced a statement, and the statement."""


def test_a_server_refuses_what_lint_names(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """For each statement the server and lint agree whether the server is too old for it."""
    with psycopg.connect(database, autocommit=True) as connection:
        version = connection.info.server_version // 10_000
        monkeypatch.setattr(texts, "STACK", replace(texts.STACK, version=version))
        for since, text in STATEMENTS:
            refused = False
            try:
                with connection.transaction(force_rollback=True):
                    connection.execute((T + text).encode())
            except psycopg.Error:
                refused = True
            named = [finding.message for finding in texts.lint_texts([T + text]) if finding.code == "M417"]
            assert (refused, bool(named)) == (since > version, since > version), (text, named)
            assert all(f"PostgreSQL {since} has it" in message for message in named), named
