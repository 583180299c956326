"""What SQL that nobody here wrote does, and this project's own does not: each was once found without being wrong."""

from __future__ import annotations

import pytest

from tests.unit.lint.linted import linted, places

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
def test_names_that_postgresql_chooses_are_there(text: str) -> None:
    """Indexes, keys and sequences without a name are known by the one that they get."""
    assert places(linted([text]), "M202") == []


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
    """What CREATE TYPE … AS (…) makes can be used as both, and neither is missed."""
    found = linted([f"CREATE TYPE c AS (a int);\n{use}"])
    assert [one.message for one in found if one.code in {"M201", "M202", "M204"}] == []


def test_what_stands_on_a_missing_schema_is_found_once() -> None:
    """A schema that nothing creates is said where it is first needed, not at every statement and file."""
    texts = ["CREATE TABLE s.a (x int);\nCREATE TABLE s.b (x int);\nCREATE VIEW s.c AS SELECT * FROM s.a;"]
    found = linted([*texts, "CREATE TABLE s.d (x int);"])
    assert [(one.message, one.place.line) for one in found if one.code == "M202"] == [
        ("refers to the schema s, which no module creates", 1)
    ]
    assert places(found, "M202") == ["1:1"]


def test_a_relation_that_is_missing_is_found_once_for_each_file() -> None:
    """What nothing creates is said once in each file that needs it."""
    found = linted(["SELECT * FROM no;\nSELECT * FROM no, nobody;", "SELECT * FROM no;"])
    assert places(found, "M202") == ["1:1", "1:2", "2:1"]
