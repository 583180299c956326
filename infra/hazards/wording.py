"""The lines in which a plan shows the locks and hazards of its statements, and the refusals of what is not allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.hazards.hazard import lock_notes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from infra.hazards.hazard import Hazard
    from infra.hazards.measured import MeasuredStatement


def hazard_lines(statements: Sequence[MeasuredStatement], hazards: Sequence[Hazard]) -> Iterator[str]:
    """Yield the locks of statements, and each hazard with its safe form; `! ` is before one that is not allowed."""
    yield from (f"locks: {note}" for note in lock_notes(statements))
    for hazard in hazards:
        if hazard.reason:
            yield f"allowed, line {hazard.line}: {hazard.text}, because {hazard.reason}"
            continue
        yield f"! line {hazard.line}: {hazard.text}"
        yield from (f"    {line}" for line in _safe_form(hazard))


def hazard_refusals(hazards: Sequence[Hazard], *, today: date) -> Iterator[tuple[str, str, str]]:
    """Yield the place, the words and the remedy of each hazard that no comment allows."""
    for hazard in hazards:
        if not hazard.reason:
            problem = f" ({hazard.problem})" if hazard.problem else ""
            safe = [f"\n  {line}" for line in _safe_form(hazard)]
            remedy = f"allow it by a comment before the statement, `{hazard.comment(today)}`"
            if safe:
                remedy = f"write it in its safe form, or {remedy}{''.join(safe)}"
            yield f"{hazard.path}:{hazard.line}", f"{hazard.text}{problem}", remedy


def _safe_form(hazard: Hazard) -> list[str]:
    return ["in its safe form:", *(f"  {line}" for line in hazard.safe)] if hazard.safe else []
