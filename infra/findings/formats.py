"""The formats of findings: text for people, JSON, GitHub's workflow commands, and SARIF."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from infra.findings import machines
from infra.findings.text import as_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.findings.finding import Finding, RuleText

Form = Literal["text", "json", "github", "sarif"]
FORMS: tuple[Form, ...] = get_args(Form)


def render(
    findings: Sequence[Finding],
    *,
    form: Form,
    tool: str,
    rules: Mapping[str, RuleText],
    notes: Sequence[str] = (),
    color: bool = False,
) -> str:
    """Return findings in the given order as text that ends with a newline, or "" for nothing to print.

    `tool` is the name of the command, `rules` has each of its codes, `notes` are sentences without a place.
    """
    if form == "json":
        return machines.as_json(findings, tool=tool, notes=notes)
    if form == "github":
        return machines.as_workflow_commands(findings, tool=tool, notes=notes)
    if form == "sarif":
        return machines.as_sarif(findings, tool=tool, rules=rules, notes=notes)
    return as_text(findings, notes=notes, color=color)
