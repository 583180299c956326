"""Findings for programs: JSON, GitHub's workflow commands, and SARIF 2.1.0, which code hosts and editors read."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from infra.findings.text import count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.findings.finding import Finding, Place, RuleText, Severity

JSON_VERSION = 1
COMMANDS: dict[Severity, str] = {"error": "error", "warning": "warning", "note": "notice"}
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

# GitHub's toolkit, docs/commands.md: what must be escaped in the data of a command, and in its properties.
IN_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
IN_PROPERTIES = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def as_json(findings: Sequence[Finding], *, tool: str, notes: Sequence[str]) -> str:
    """Return one object: the version of the format, the tool, every finding with all its fields, and the notes."""
    objects = [asdict(finding) for finding in findings]
    return _dump({"version": JSON_VERSION, "tool": tool, "findings": objects, "notes": list(notes)})


def as_workflow_commands(findings: Sequence[Finding], *, tool: str, notes: Sequence[str]) -> str:
    """Return a command for each finding, which GitHub shows at its line of a pull request."""
    lines = [_command(finding) for finding in findings]
    lines += [f"::notice title={tool.translate(IN_PROPERTIES)}::{note.translate(IN_DATA)}" for note in notes]
    if findings:
        lines.append(count(findings))
    return "".join(f"{line}\n" for line in lines)


def _command(finding: Finding) -> str:
    place = finding.place
    properties = {"file": Path(place.path).as_posix(), "line": place.line, "col": place.column, "title": finding.code}
    escaped = ",".join(f"{key}={str(value).translate(IN_PROPERTIES)}" for key, value in properties.items() if value)
    return f"::{COMMANDS[finding.severity]} {escaped}::{_without_place(finding).translate(IN_DATA)}"


def _without_place(finding: Finding) -> str:
    """Return a finding without its place: message, detail, other places and remedy, a line each."""
    others = [f"see {other} {other.label}".rstrip() for other in finding.others]
    remedy = [f"remedy: {finding.remedy}"] if finding.remedy else []
    return "\n".join([finding.message, *finding.detail, *others, *remedy])


def as_sarif(findings: Sequence[Finding], *, tool: str, rules: Mapping[str, RuleText], notes: Sequence[str]) -> str:
    """Return a log with one run (OASIS, SARIF 2.1.0); `rules` must have the code of every finding."""
    numbers = {code: number for number, code in enumerate(sorted(rules))}
    run: dict[str, Any] = {
        "tool": {"driver": {"name": tool, "rules": [_rule(code, rules[code]) for code in numbers]}},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [{"level": "note", "message": {"text": note}} for note in notes],
            }
        ],
        "results": [_result(finding, numbers[finding.code]) for finding in findings],
    }
    return _dump({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(code: str, rule: RuleText) -> dict[str, object]:
    return {
        "id": code,
        "shortDescription": {"text": rule.title},
        "defaultConfiguration": {"level": rule.severity},
        **({"help": {"text": rule.help, "markdown": rule.help}} if rule.help else {}),
    }


def _result(finding: Finding, number: int) -> dict[str, object]:
    related = [
        {"id": number, **_location(other), "message": {"text": other.label or "see also"}}
        for number, other in enumerate(finding.others, 1)
    ]
    return {
        "ruleId": finding.code,
        "ruleIndex": number,
        "level": finding.severity,
        "message": {"text": _without_place(finding)},
        "locations": [_location(finding.place)],
        **({"relatedLocations": related} if related else {}),
    }


def _location(place: Place) -> dict[str, Any]:
    path = Path(place.path)
    uri = path.as_uri() if path.is_absolute() else quote(path.as_posix())
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri}}
    if place.line:
        region: dict[str, Any] = {"startLine": place.line}
        if place.column:
            region["startColumn"] = place.column
        if place.text:
            region["snippet"] = {"text": place.text}
        physical["region"] = region
    return {"physicalLocation": physical}


def _dump(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
