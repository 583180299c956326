"""Texts that cannot be parsed as a whole: every statement is parsed, or reported at its place."""

from __future__ import annotations

import pytest

from infra.lint.recovery import LONGEST_WHOLE, parse_with_recovery

BODY = "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END;"


def read(text: str) -> tuple[list[str], list[tuple[str, int]]]:
    """Return the texts of the statements, and kind and line of each problem."""
    statements, problems = parse_with_recovery(text, "x.sql")
    lines = [(problem.kind, text.count("\n", 0, problem.offset) + 1) for problem in problems]
    return [text[statement.start : statement.end] for statement in statements], lines


@pytest.mark.parametrize(
    ("text", "statements", "problems"),
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
def test_an_error_affects_one_statement_only(text: str, statements: list[str], problems: list[tuple[str, int]]) -> None:
    """The statements around one with an error are parsed, and each problem is reported once with its kind."""
    assert read(text) == (statements, problems)


def test_a_large_text_is_parsed_in_parts() -> None:
    """A text that is too large to be parsed at once has the same statements when it is parsed in parts."""
    insert = "INSERT INTO t VALUES (1, 'ä;', $$;$$);"
    count = LONGEST_WHOLE // len(insert) + 1
    statements, problems = read(f"{insert}\n" * count + f"{BODY}\nSELCT;\n{insert}")
    assert statements == [insert[:-1]] * count + [BODY[:-1], insert[:-1]]
    assert problems == [("syntax", count + 2)]
