"""Every rule reports its violations at file and line, and nothing in similar SQL that is correct."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infra.lint.explanations import explain, sections
from infra.lint.linter import rule_texts
from infra.lint.rule import RULES
from tests.unit.lint.cases import CASES, Case
from tests.unit.lint.texts import lint_texts, places

ROOT = Path(__file__).parents[3]
TESTED_ELSEWHERE = {"M101", "M102", "M103", "M104", "M107", "M110", "M111"}  # in test_files.py and test_allowances.py

EVERY_CASE = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}-{case.bad[-1][-30:].strip()}")


@EVERY_CASE
def test_a_violation_is_reported_at_its_line(case: Case) -> None:
    """The rule reports the violation once, in the module and line of the case, with a message and a remedy."""
    findings = lint_texts(case.bad)
    assert places(findings, case.code) == [case.at]
    assert all(finding.message and finding.remedy for finding in findings)


@EVERY_CASE
def test_similar_sql_that_is_correct_is_not_reported(case: Case) -> None:
    """The rule reports nothing in the similar SQL, which the parser accepts."""
    findings = [finding for finding in lint_texts(case.good) if finding.code in {case.code, "M108"}]
    assert [f"{finding.place}: {finding.message}" for finding in findings] == []


def test_every_rule_has_a_case() -> None:
    """No rule is without a case, and no case without a rule."""
    assert {case.code for case in CASES} | TESTED_ELSEWHERE == RULES.keys()


def test_every_rule_has_its_section() -> None:
    """docs/lint.md has each rule once under its title, with its text, its severity, a bad and a good example."""
    assert list(sections()) == sorted(RULES)
    for code, text in sections().items():
        assert text.startswith(f"### {code}: {RULES[code].title}\n"), code
        assert len(re.findall("^```sql$|^Bad: |^Good: ", text, re.MULTILINE)) >= 2, code
        assert f"({RULES[code].severity})" in text, code
        assert RULES[code].text in " ".join(text.split()), code
        assert explain(code.lower()) == text


def test_the_text_of_every_rule_is_a_sentence() -> None:
    """A rule's docstring, which ends as a sentence, is its text in the formats for machines."""
    for code, rule_text in rule_texts().items():
        assert rule_text.help.endswith("."), code


def test_every_defect_of_the_old_scripts_is_accounted_for() -> None:
    """docs/lint.md has S1 to S27 and M1 to M6 once each, with the codes of the cases that have this defect."""
    page = ROOT.joinpath("docs/lint.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([SM]\d{1,2}) \| [^|]+ \| ([^|]+) \|$", page, re.MULTILINE)
    assert [name for name, _ in rows] == [f"S{n}" for n in range(1, 28)] + [f"M{n}" for n in range(1, 7)]
    for name, found_by in rows:
        codes = {case.code for case in CASES if name in case.legacy}
        assert set(re.findall(r"M\d{3}", found_by)) == codes, name
        assert found_by.strip(), name


def test_the_message_of_a_table_used_too_early() -> None:
    """A reference to a table that is created later is reported as a sentence with both places."""
    findings = lint_texts(["SELECT 1;\nSELECT * FROM t;", "CREATE TABLE t (a int);"])
    (finding,) = [finding for finding in findings if finding.code == "M201"]
    assert (str(finding.place), finding.message) == ("sql/01-x.sql:2:15", "refers to t, first created in 02-x")
    assert [str(place) for place in finding.others] == ["sql/02-x.sql:1:14"]
