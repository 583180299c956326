"""Shows findings in one of four forms: text for people, json, GitHub's workflow commands, and SARIF."""

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
    """Give findings, in the order in which they come, as a text that ends in a line end, or "" where there is nothing.

    `tool` names what looked, `rules` has every code that it knows, `notes` are sentences of no particular place.
    """
    if form == "json":
        return machines.as_json(findings, tool=tool, notes=notes)
    if form == "github":
        return machines.as_workflow_commands(findings, tool=tool, notes=notes)
    if form == "sarif":
        return machines.as_sarif(findings, tool=tool, rules=rules, notes=notes)
    return as_text(findings, notes=notes, color=color)
