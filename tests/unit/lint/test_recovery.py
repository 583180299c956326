"""Texts that cannot be parsed as a whole: every statement is parsed, or said to be none, at its place."""

from __future__ import annotations

import pytest

from infra.lint.recovery import LONGEST_WHOLE, read_statements

BODY = "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;"


def read(text: str) -> tuple[list[str], list[tuple[str, int]]]:
    """Give the texts of the statements, and what is wrong with the others in which line."""
    pieces, troubles = read_statements(text, "x.sql")
    lines = [(one.what, text.count("\n", 0, one.offset) + 1) for one in troubles]
    return [text[one.start : one.end] for one in pieces], lines


@pytest.mark.parametrize(
    ("text", "statements", "troubles"),
    [
        ("SELECT 1;\nSELCT 2;\nSELECT 3;", ["SELECT 1", "SELECT 3"], [("syntax", 2)]),
        ("-- ä\nSELCT 'ö;';\nSELECT 'ü', 3;", ["SELECT 'ü', 3"], [("syntax", 2)]),
        (f"SELCT;\n{BODY}\nSELECT 3;", [BODY[:-1], "SELECT 3"], [("syntax", 1)]),
        ("\\set a 'b\n\\i c\nSELECT 3;", ["SELECT 3"], [("psql", 1), ("psql", 2)]),
        ("COPY t FROM stdin;\nit's\n\\.\nSELECT 3;", ["COPY t FROM stdin", "SELECT 3"], []),
        ("SELECT '\n\\i c';\nSELCT;", ["SELECT '\n\\i c'"], [("syntax", 3)]),
        ("SELECT :a;\nSELECT 3;", ["SELECT 3"], [("psql", 1)]),
        ("CREATE TABLE user (a int);\nSELECT 3;", ["SELECT 3"], [("reserved", 1)]),
        ("SELECT 1;\nSELECT 'never ended;\nSELECT 3;", [], [("syntax", 2)]),
        ("", [], []),
    ],
)
def test_what_can_be_read_is_read(text: str, statements: list[str], troubles: list[tuple[str, int]]) -> None:
    """A broken statement spoils none of the others, and each is said once with what it is."""
    assert read(text) == (statements, troubles)


def test_a_large_text_is_read_in_parts() -> None:
    """What is too large to be parsed at once is the same when it is parsed in parts."""
    one = "INSERT INTO t VALUES (1, 'ä;', $$;$$);"
    count = LONGEST_WHOLE // len(one) + 1
    statements, troubles = read(f"{one}\n" * count + f"{BODY}\nSELCT;\n{one}")
    assert statements == [one[:-1]] * count + [BODY[:-1], one[:-1]]
    assert troubles == [("syntax", count + 2)]
