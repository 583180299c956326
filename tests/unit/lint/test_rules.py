"""Every rule finds what it is for, at its file and line, and leaves alone what only looks like it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.lint.explanations import explain, sections
from infra.lint.linter import rule_texts
from infra.lint.rule import RULES
from tests.unit.lint.cases import CASES, Case
from tests.unit.lint.linted import linted, places

ROOT = Path(__file__).parents[3]
IN_FILES = {"M101", "M102", "M103", "M104", "M107", "M110", "M111"}  # have tests of their own

EACH = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}-{case.bad[-1][-30:].strip()}")


@EACH
def test_what_is_wrong_is_found_at_its_line(case: Case) -> None:
    """The rule finds it in the module and line of the case, once, with a sentence and a remedy."""
    found = linted(case.bad)
    assert places(found, case.code) == [case.at]
    assert all(one.message and one.remedy for one in found)


@EACH
def test_what_only_looks_wrong_is_left_alone(case: Case) -> None:
    """The rule finds nothing in the near miss, which the parser takes."""
    found = linted(case.good)
    assert [str(one.place) + one.message for one in found if one.code in {case.code, "M108"}] == []


def test_every_rule_has_a_case() -> None:
    """No rule is without a case, and no case without a rule."""
    assert {case.code for case in CASES} | IN_FILES == RULES.keys()


def test_every_rule_has_its_section() -> None:
    """docs/lint.md has each rule once under its title, with why, a bad and a good example, and how to allow it."""
    found = sections()
    assert list(found) == sorted(RULES)
    for code, text in found.items():
        assert text.startswith(f"### {code}: {RULES[code].title}\n"), code
        assert len(re.findall("^```sql$|^Bad: |^Good: ", text, re.MULTILINE)) >= 2, code
        assert f"({RULES[code].severity})" in text, code
        assert explain(code.lower()) == text


def test_every_rule_says_in_a_sentence_why() -> None:
    """A rule's docstring is in what machines are told of it."""
    for code, text in rule_texts().items():
        assert text.help.endswith("."), code


def test_every_defect_of_the_old_scripts_is_accounted_for() -> None:
    """docs/lint.md has S1 to S27 and M1 to M6 once each; where it names a code, a case of that code says so too."""
    page = ROOT.joinpath("docs/lint.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([SM]\d{1,2}) \| [^|]+ \| ([^|]+) \|$", page, re.MULTILINE)
    assert [name for name, _ in rows] == [f"S{n}" for n in range(1, 28)] + [f"M{n}" for n in range(1, 7)]
    for name, caught in rows:
        codes = {case.code for case in CASES if name in case.legacy}
        assert set(re.findall(r"M\d{3}", caught)) == codes, name
        assert caught.strip(), name


def test_the_message_of_a_table_used_too_early() -> None:
    """A reference forward reads as a sentence with both places."""
    (found,) = [one for one in linted(["SELECT 1;\nSELECT * FROM t;", "CREATE TABLE t (a int);"]) if one.code == "M201"]
    assert (str(found.place), found.message) == ("sql/01-x.sql:2:15", "refers to t, first created in 02-x")
    assert [str(place) for place in found.others] == ["sql/02-x.sql:1:14"]
