"""A finding: one thing that is wrong at one place, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.errors import SourcePlace

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Place:
    """The position of a finding: lines and columns count from 1, columns in characters; 0 for none."""

    path: str  # as the user gave it
    line: int = 0
    column: int = 0
    label: str = ""  # what is at this place, as in `see path:line label`
    text: str = ""  # the whole line, without its end, for the caret

    @staticmethod
    def at(source: SourcePlace) -> Place:
        """Return the place of a position in a module."""
        return Place(source.path, source.line, source.column, text=source.text)

    def __str__(self) -> str:
        return ":".join([self.path, *(str(number) for number in (self.line, self.column) if number)])


@dataclass(frozen=True)
class Finding:
    """What a rule or a comparison found: a message of one sentence, and one remedy."""

    code: str
    severity: Severity
    place: Place
    message: str
    remedy: str
    detail: tuple[str, ...] = ()  # further lines: both definitions, a diff
    others: tuple[Place, ...] = ()  # further places, such as another declaration


@dataclass(frozen=True)
class RuleText:
    """The general description of a code, independent of a finding."""

    title: str
    severity: Severity = "error"
    help: str = ""


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings sorted by place, then by code and message."""
    return sorted(
        findings,
        key=lambda finding: (
            finding.place.path,
            finding.place.line,
            finding.place.column,
            finding.code,
            finding.message,
        ),
    )


def exit_status(findings: Iterable[Finding]) -> int:
    """Return 1 if there is an error or a warning, else 0; a command that could not run exits with 2."""
    return int(any(finding.severity != "note" for finding in findings))
