"""The safe form of a statement does the same without a lock that stops others for long."""

from __future__ import annotations

import pytest

from infra.modules.safe_forms import quoted, safe_form


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("CREATE UNIQUE INDEX i ON t (a)", ["CREATE UNIQUE INDEX CONCURRENTLY i ON t USING btree (a)"]),
        ("DROP INDEX s.i", ["DROP INDEX CONCURRENTLY s.i"]),
        (
            "ALTER TABLE s.t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u (id)",
            [
                "ALTER TABLE s.t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u (id) NOT VALID",
                "ALTER TABLE s.t VALIDATE CONSTRAINT f",
            ],
        ),
        (
            'ALTER TABLE "references" ADD CONSTRAINT u UNIQUE NULLS NOT DISTINCT ("A") INCLUDE (b)',
            [
                'CREATE UNIQUE INDEX CONCURRENTLY u ON "references" ("A") INCLUDE (b) NULLS NOT DISTINCT',
                'ALTER TABLE "references" ADD CONSTRAINT u UNIQUE USING INDEX u',
            ],
        ),
        (
            "ALTER TABLE t ALTER a SET NOT NULL, ADD b int",
            [
                "ALTER TABLE t ADD CONSTRAINT a_is_not_null CHECK (a IS NOT NULL) NOT VALID",
                "ALTER TABLE t VALIDATE CONSTRAINT a_is_not_null",
                "ALTER TABLE t ALTER COLUMN a SET NOT NULL",
                "ALTER TABLE t DROP CONSTRAINT a_is_not_null",
                "ALTER TABLE t ADD COLUMN b int",
            ],
        ),
        ("CREATE INDEX CONCURRENTLY i ON t (a)", []),
        ("ALTER TABLE t ADD COLUMN a int", []),
        ("ALTER TABLE t ALTER a TYPE bigint", []),
        ("COMMENT ON TABLE t IS 'x'", []),
    ],
)
def test_a_statement_is_replaced_by_shorter_locks_where_there_are_such(statement: str, expected: list[str]) -> None:
    """Indexes are built beside the table's use, constraints are validated afterwards; all else stays as it is."""
    assert safe_form(statement) == expected


def test_identifiers_are_quoted_where_sql_needs_it() -> None:
    """Reserved words, capitals and quotes."""
    assert [quoted(name) for name in ("a", "User", "select", 'a"b', "über")] == [
        "a",
        '"User"',
        '"select"',
        '"a""b"',
        '"über"',
    ]
