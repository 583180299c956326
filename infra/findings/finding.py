"""A finding is one thing that is wrong at one place, with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Place:
    """Where a finding is: lines and columns count from 1, columns in characters; 0 is none."""

    path: str  # as the user gave it
    line: int = 0
    column: int = 0
    label: str = ""  # what is there
    text: str = ""  # the whole line, without its end, for the caret

    def __str__(self) -> str:
        return ":".join([self.path, *(str(number) for number in (self.line, self.column) if number)])


@dataclass(frozen=True)
class Finding:
    """What a rule or a comparison found: one sentence, one remedy."""

    code: str
    severity: Severity
    place: Place
    message: str
    remedy: str
    detail: tuple[str, ...] = ()  # further lines: both definitions, a diff
    others: tuple[Place, ...] = ()  # where else it is declared


@dataclass(frozen=True)
class RuleText:
    """What is said of a code whether or not it was found."""

    title: str
    severity: Severity = "error"
    help: str = ""


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Sort by place, then by code."""
    return sorted(findings, key=lambda one: (one.place.path, one.place.line, one.place.column, one.code, one.message))


def exit_status(findings: Iterable[Finding]) -> int:
    """Give 1 where there is an error or a warning, else 0; what could not run is an InfraError, and 2."""
    return int(any(one.severity != "note" for one in findings))
