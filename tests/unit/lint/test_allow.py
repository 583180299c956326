"""Findings are allowed at their statement or in their file, with a reason, and only where there are some."""

from __future__ import annotations

import pytest

from infra.lint.options import LintSettings
from tests.unit.lint.linted import linted

BAD = "UPDATE t SET a = 1;"
T = "CREATE TABLE t (a int);\n"


def codes(text: str, settings: LintSettings | None = None) -> list[str]:
    return [one.code for one in linted(["-- first\n" + T + text], settings)]


@pytest.mark.parametrize(
    "text",
    [
        f"-- lint: allow M407 because every row is meant\n{BAD}",
        f"{BAD} -- lint: allow M407 because every row is meant",
        "UPDATE t\n-- lint: allow M407 because every row is meant\nSET a = 1;",
        f"/* lint: allow M407 because every row is meant */ {BAD}",
        f"-- lint: allow M407 in this file because every row is meant\nSELECT 1;\n{BAD}",
        f"-- lint: allow M407, M511 because of x\nWITH a AS ({BAD[:-1]}) INSERT INTO t VALUES (1);",
    ],
)
def test_allowed(text: str) -> None:
    """A comment before, in or behind a statement allows, and one for the file."""
    assert codes(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"-- lint: allow M407\n{BAD}", ["M110", "M407"]),
        (f"-- lint: allow M407 because\n{BAD}", ["M110", "M407"]),
        (f"-- lint: allow everything because I say so\n{BAD}", ["M110", "M407"]),
        (f"-- lint: allow M999 because x\n{BAD}", ["M110", "M407"]),
        (f"-- lint: allow M405 because x\n{BAD}", ["M111", "M407"]),
        (f"-- lint: allow M407 because x\nSELECT 1;\n{BAD}", ["M111", "M407"]),
        (f"{BAD}\n-- lint: allow M407 because x", ["M110", "M407"]),
        (f"SELECT '-- lint: allow M407 because x';\n{BAD}", ["M407"]),
        (f"-- we lint: allow M407 because x\n{BAD}", ["M407"]),
    ],
)
def test_not_allowed(text: str, found: list[str]) -> None:
    """Without a reason, for another code or statement, or in a string, nothing is allowed, and the comment is found."""
    assert sorted(codes(text)) == found


def test_what_the_settings_ignore_needs_no_comment() -> None:
    """An ignored rule finds nothing, and a comment that would allow it is not called needless."""
    ignoring = LintSettings(ignore={"M407": "x"})
    assert codes(BAD, ignoring) == []
    assert codes(f"-- lint: allow M407 because x\n{BAD}", ignoring) == []


def test_severity_and_selection() -> None:
    """The settings give a rule another severity, and choose rules by the beginnings of their codes."""
    (found,) = linted(["-- a\n" + T + BAD], LintSettings(severity={"M407": "note"}))
    assert (found.code, found.severity) == ("M407", "note")
    assert codes(BAD, LintSettings(select=("M1", "M5"))) == []


def test_what_is_given_is_there() -> None:
    """A table, a function or a schema that the settings call given is not missed."""
    text = "SELECT auth.uid(), a FROM auth.users;"
    assert set(codes(text)) == {"M202"}
    assert codes(text, LintSettings(given=frozenset({"function auth.uid", "relation auth.*"}))) == []
