"""Findings as text for people: the place, a sentence, the line with a caret, the remedy."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from infra.findings.finding import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from infra.findings.finding import Finding, Place, Severity

WIDEST_LINE = 120  # characters of a source line that are shown
BEFORE_THE_CARET = 60  # of these, the ones before the caret in a longer line
COLOURS: dict[Severity, str] = {"error": "31", "warning": "33", "note": "36"}


def as_text(findings: Sequence[Finding], *, notes: Sequence[str] = (), color: bool = False) -> str:
    """Return every finding with its line and remedy, the notes, and a count; "" for no findings and no notes."""
    lines = [line for finding in findings for line in _lines(finding, color=color)]
    lines += [f"note: {_printable(note)}" for note in notes]
    if findings:
        lines.append(count(findings))
    return "".join(f"{line}\n" for line in lines)


def count(findings: Sequence[Finding]) -> str:
    """Return how many findings there are: `3 findings: 2 errors, 1 note`."""
    numbers = Counter(finding.severity for finding in findings)
    parts = ", ".join(_number(numbers[severity], severity) for severity in SEVERITIES if numbers[severity])
    return f"{_number(len(findings), 'finding')}: {parts}"


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _lines(finding: Finding, *, color: bool) -> Iterable[str]:
    kind = finding.code if finding.severity == "error" else f"{finding.code} ({finding.severity})"
    place = _printable(str(finding.place))
    if color:
        place = f"\x1b[1m{place}\x1b[0m"
        kind = f"\x1b[{COLOURS[finding.severity]}m{kind}\x1b[0m"
    yield f"{place}: {kind} {_printable(finding.message)}"
    yield from _with_caret(finding.place)
    for line in finding.detail:
        yield f"  {_printable(line)}".rstrip()
    for other in finding.others:
        label = f" {other.label}" if other.label else ""
        yield _printable(f"  see {other}{label}")
    if finding.remedy:
        yield f"  remedy: {_printable(finding.remedy)}"


def _with_caret(place: Place) -> Iterable[str]:
    """Yield the line, shortened around the column if it is long, and below it a caret; tabs stay tabs to align both."""
    if not place.line or not place.text.strip():
        return
    text, column = _printable(place.text), max(place.column, 1)
    cut = max(0, column - BEFORE_THE_CARET) if len(text) > WIDEST_LINE else 0
    window = text[cut : cut + WIDEST_LINE]
    lead, tail = "…" if cut else "", "…" if cut + WIDEST_LINE < len(text) else ""
    yield f"  {lead}{window}{tail}".rstrip()
    if place.column:
        blank = "".join(
            "\t" if character == "\t" else " " for character in (lead + window)[: column - 1 - cut + len(lead)]
        )
        yield f"  {blank}^"


def _printable(text: str) -> str:
    """Return a text with each control character replaced, since one in a file or a name could control the terminal."""
    return "".join(
        character if character.isprintable() or character == "\t" else "\N{REPLACEMENT CHARACTER}" for character in text
    )
