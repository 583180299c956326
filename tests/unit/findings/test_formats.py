"""The formats of findings: all of them have the same findings, whatever characters their texts contain."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.findings.finding import Finding, Place, RuleText, exit_status, in_order
from infra.findings.formats import FORMS, Form, render
from infra.findings.text import WIDEST_LINE

RULES = {"M102": RuleText("A gap", "warning"), "M101": RuleText("A name", help="Why: 100%")}
FIRST = Finding(
    "M101",
    "error",
    Place("sql/05-x.sql", 6, 5, text="\tab ä cd"),
    "refers to corpora, first created in 06",
    "move it",
    detail=("- one", "+ two"),
    others=(Place("sql/06-y.sql", 3, 1, "created here"),),
)
SECOND = Finding("M102", "warning", Place("sql"), "leaves out number 03", "number them: 01, 02")
NOTE = Finding("M102", "note", Place("sql/07 ü.sql", 2), "50% of\nit", "")


def show(*findings: Finding, form: Form = "text", notes: tuple[str, ...] = (), color: bool = False) -> str:
    return render(findings, form=form, tool="platform-postgres lint", rules=RULES, notes=notes, color=color)


def test_text_has_place_line_caret_detail_others_remedy_and_a_count() -> None:
    """A finding reads from its place to its remedy; the last line counts by severity."""
    assert show(FIRST, SECOND, NOTE, notes=("column order differs",)) == (
        "sql/05-x.sql:6:5: M101 refers to corpora, first created in 06\n"
        "  \tab ä cd\n"
        "  \t   ^\n"
        "  - one\n"
        "  + two\n"
        "  see sql/06-y.sql:3:1 created here\n"
        "  remedy: move it\n"
        "sql: M102 (warning) leaves out number 03\n"
        "  remedy: number them: 01, 02\n"
        "sql/07 ü.sql:2: M102 (note) 50% of\N{REPLACEMENT CHARACTER}it\n"
        "note: column order differs\n"
        "3 findings: 1 error, 1 warning, 1 note\n"
    )


def test_text_of_nothing_is_nothing() -> None:
    """Where nothing was found, nothing is printed; notes alone have no count."""
    assert show() == ""
    assert show(notes=("a",)) == "note: a\n"


def test_a_long_line_is_cut_around_the_caret() -> None:
    """A line of thousands of characters is cut around the column, with the caret below the right character."""
    line = "x" * 5000 + "HERE" + "y" * 5000
    shown, caret = show(Finding("M101", "error", Place("a.sql", 1, 5001, text=line), "m", "")).splitlines()[1:3]
    assert shown.startswith("  …x")
    assert shown.endswith("y…")
    assert len(shown) <= WIDEST_LINE + 4
    assert shown[caret.index("^") :].startswith("HERE")


def test_no_control_character_reaches_the_terminal() -> None:
    """An escape sequence in a line, a name or a message cannot change what the terminal shows."""
    finding = Finding("M101", "error", Place("a\x1b[2J.sql", 1, 1, text="\x1b[31mred"), "\x07", "\x9b")
    assert not {"\x1b", "\x07", "\x9b"} & set(show(finding))
    assert "\x1b[31mM101" in show(FIRST, color=True)
    assert "\x1b" not in show(FIRST)


def test_json_has_everything_and_a_version() -> None:
    """The object has its version, the tool, all fields of each finding, and the notes."""
    shown = json.loads(show(FIRST, NOTE, form="json", notes=("n",)))
    assert (shown["version"], shown["tool"], shown["notes"]) == (1, "platform-postgres lint", ["n"])
    first, note = shown["findings"]
    assert first == {
        "code": "M101",
        "severity": "error",
        "place": {"path": "sql/05-x.sql", "line": 6, "column": 5, "label": "", "text": "\tab ä cd"},
        "message": "refers to corpora, first created in 06",
        "remedy": "move it",
        "detail": ["- one", "+ two"],
        "others": [{"path": "sql/06-y.sql", "line": 3, "column": 1, "label": "created here", "text": ""}],
    }
    assert note["message"] == "50% of\nit"


def test_github_commands_escape_what_would_end_them() -> None:
    """Properties escape per cent, line ends, colons and commas; data escape per cent and line ends only."""
    odd = Finding("M101", "error", Place("a,b:c%.sql", 1, 2), "a: 1%, b", "do\r\nit")
    assert show(odd, SECOND, NOTE, form="github", notes=("x%",)) == (
        "::error file=a%2Cb%3Ac%25.sql,line=1,col=2,title=M101::a: 1%25, b%0Aremedy: do%0D%0Ait\n"
        "::warning file=sql,title=M102::leaves out number 03%0Aremedy: number them: 01, 02\n"
        "::notice file=sql/07 ü.sql,line=2,title=M102::50%25 of%0Ait\n"
        "::notice title=platform-postgres lint::x%25\n"
        "3 findings: 1 error, 1 warning, 1 note\n"
    )


def test_sarif_is_what_the_standard_asks_for() -> None:
    """The log has version and schema; every result has a rule by index, a level, a message and a place."""
    log: dict[str, Any] = json.loads(show(FIRST, SECOND, NOTE, form="sarif", notes=("n",)))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "platform-postgres lint"
    assert [rule["id"] for rule in driver["rules"]] == ["M101", "M102"]
    assert driver["rules"][0]["help"]["text"] == "Why: 100%"
    assert driver["rules"][1]["defaultConfiguration"] == {"level": "warning"}
    for result, finding in zip(run["results"], (FIRST, SECOND, NOTE), strict=True):
        assert result["ruleId"] == finding.code == driver["rules"][result["ruleIndex"]]["id"]
        assert result["level"] in {"none", "note", "warning", "error"}
        assert result["message"]["text"].startswith(finding.message)
    first, second, note = (result["locations"][0]["physicalLocation"] for result in run["results"])
    assert first == {
        "artifactLocation": {"uri": "sql/05-x.sql"},
        "region": {"startLine": 6, "startColumn": 5, "snippet": {"text": "\tab ä cd"}},
    }
    assert second == {"artifactLocation": {"uri": "sql"}}
    assert note == {"artifactLocation": {"uri": "sql/07%20%C3%BC.sql"}, "region": {"startLine": 2}}
    (related,) = run["results"][0]["relatedLocations"]
    assert related["message"] == {"text": "created here"}
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"] == {"text": "n"}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_ends_its_last_line(form: Form) -> None:
    """Whatever the form, the output ends with one line end."""
    shown = show(FIRST, form=form)
    assert shown.endswith("\n")
    assert not shown.endswith("\n\n")


def test_findings_are_in_the_order_of_their_places() -> None:
    """Lines are compared as numbers, and one place's findings by code."""
    places = [("b", 1), ("a", 10), ("a", 9)]
    findings = [Finding("M101", "error", Place(path, line), "", "") for path, line in places]
    assert [(finding.place.path, finding.place.line) for finding in in_order(findings)] == [
        ("a", 9),
        ("a", 10),
        ("b", 1),
    ]


def test_notes_alone_are_no_failure() -> None:
    """An error or a warning fails, notes and nothing do not."""
    assert [exit_status(findings) for findings in ([FIRST], [SECOND], [NOTE], [], [NOTE, SECOND])] == [1, 1, 0, 0, 1]
