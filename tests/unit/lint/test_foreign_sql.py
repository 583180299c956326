"""SQL as other projects write it: each of these was once reported by mistake (docs/lint.md)."""

from __future__ import annotations

import pytest

from tests.unit.lint.texts import lint_texts, places

T = "CREATE TABLE t (a int, b text, PRIMARY KEY (a));\n"


@pytest.mark.parametrize(
    "text",
    [
        T + "COMMENT ON INDEX t_pkey IS 'x';",
        T + "CREATE INDEX ON t (b);\nCOMMENT ON INDEX t_b_idx IS 'x';",
        T + "CREATE INDEX ON t (b, a);\nDROP INDEX t_b_a_idx;",
        T + "CREATE INDEX ON t (lower(b));\nCOMMENT ON INDEX t_lower_idx IS 'x';",
        T + "CREATE INDEX ON t (pg_catalog.lower(b), (a + 1));\nCOMMENT ON INDEX t_lower_expr_idx IS 'x';",
        T + "CREATE INDEX ON t (coalesce(b, ''));\nCOMMENT ON INDEX t_coalesce_idx IS 'x';",
        T + "CREATE INDEX ON t ((b::varchar));\nCOMMENT ON INDEX t_b_idx IS 'x';",
        T + "ALTER TABLE t ADD UNIQUE (b, a);\nDROP INDEX t_b_a_key;",
        T + "ALTER TABLE t ADD COLUMN c int UNIQUE;\nDROP INDEX t_c_key;",
        T + "ALTER TABLE t ADD CONSTRAINT one UNIQUE (b);\nCOMMENT ON INDEX one IS 'x';",
        "CREATE TABLE u (a int UNIQUE);\nCOMMENT ON INDEX u_a_key IS 'x';",
        "CREATE TABLE u (a int, b int4range, EXCLUDE USING gist (b WITH &&));\nCOMMENT ON INDEX u_b_excl IS 'x';",
        "CREATE TABLE u (a serial);\nALTER SEQUENCE u_a_seq CACHE 9;",
    ],
)
def test_generated_names_exist(text: str) -> None:
    """Indexes, keys and sequences without a name exist by the name that PostgreSQL generates."""
    assert places(lint_texts([text]), "M202") == []


@pytest.mark.parametrize(
    "use",
    [
        "CREATE TABLE u (a c, b c[]);",
        "CREATE FUNCTION f() RETURNS SETOF c LANGUAGE plpgsql AS $$ BEGIN END $$;",
        "COMMENT ON TYPE c IS 'x';",
        "COMMENT ON COLUMN c.a IS 'x';",
        "ALTER TYPE c ADD ATTRIBUTE b int;",
        "ALTER TYPE c RENAME TO d;\nCREATE TABLE u (a d);",
    ],
)
def test_a_composite_type_is_a_type_and_a_relation(use: str) -> None:
    """What CREATE TYPE … AS (…) creates can be used as a type and as a relation."""
    findings = lint_texts([f"CREATE TYPE c AS (a int);\n{use}"])
    assert [finding.message for finding in findings if finding.code in {"M201", "M202", "M204"}] == []


def test_a_missing_schema_is_reported_once() -> None:
    """A schema that nothing creates is reported where it is first needed, not in every statement and file."""
    texts = ["CREATE TABLE s.a (x int);\nCREATE TABLE s.b (x int);\nCREATE VIEW s.c AS SELECT * FROM s.a;"]
    findings = lint_texts([*texts, "CREATE TABLE s.d (x int);"])
    assert [(finding.message, finding.place.line) for finding in findings if finding.code == "M202"] == [
        ("refers to the schema s, which no module creates", 1)
    ]
    assert places(findings, "M202") == ["1:1"]


def test_a_missing_relation_is_reported_once_in_each_file() -> None:
    """A relation that nothing creates is reported once in each file that needs it."""
    findings = lint_texts(["SELECT * FROM no;\nSELECT * FROM no, nobody;", "SELECT * FROM no;"])
    assert places(findings, "M202") == ["1:1", "1:2", "2:1"]
