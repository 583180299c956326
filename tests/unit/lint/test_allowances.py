"""Comments allow findings at a statement or in a file, with a reason, and only where there is a finding."""

from __future__ import annotations

import pytest

from infra.lint.options import LintSettings
from tests.unit.lint.texts import lint_texts

BAD = "UPDATE t SET a = 1;"
T = "CREATE TABLE t (a int);\n"


def codes(text: str, settings: LintSettings | None = None) -> list[str]:
    """Return the codes of the findings in a text, after a table t."""
    return [finding.code for finding in lint_texts(["-- first\n" + T + text], settings)]


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
def test_a_comment_with_a_reason_allows_a_finding(text: str) -> None:
    """A comment before, in or behind a statement allows its findings, and one for the file allows those in it."""
    assert codes(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
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
def test_a_comment_that_is_wrong_allows_nothing(text: str, expected: list[str]) -> None:
    """A comment that is incomplete, or for another code or statement, allows nothing and is reported."""
    assert sorted(codes(text)) == expected


def test_what_the_settings_ignore_needs_no_comment() -> None:
    """An ignored rule has no findings, and a comment that would allow one is not reported as unused."""
    settings = LintSettings(ignore={"M407": "x"})
    assert codes(BAD, settings) == []
    assert codes(f"-- lint: allow M407 because x\n{BAD}", settings) == []


def test_the_settings_change_severities_and_select_rules() -> None:
    """The settings change the severity of a rule, and select rules by the beginnings of their codes."""
    (finding,) = lint_texts(["-- a\n" + T + BAD], LintSettings(severity={"M407": "note"}))
    assert (finding.code, finding.severity) == ("M407", "note")
    assert codes(BAD, LintSettings(select=("M1", "M5"))) == []


def test_objects_that_the_settings_name_exist() -> None:
    """A table or a function that `given` in the settings names is not reported as missing."""
    text = "SELECT auth.uid(), a FROM auth.users;"
    assert set(codes(text)) == {"M202"}
    assert codes(text, LintSettings(given=frozenset({"function auth.uid", "relation auth.*"}))) == []
