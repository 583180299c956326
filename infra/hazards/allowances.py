"""Comments at statements that allow hazards: `-- hazard: allow rewrite until 2026-12-31: the reason`, in Python with #.

The comment is in the lines directly before the statement, or at the end of its first line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COMMENT = re.compile(r"(?:--|#)\s*hazard:\s*(?P<content>.*)")
_CONTENT = re.compile(
    r"allow\s+(?P<kinds>\w+(?:\s*,\s*\w+)*)\s+until\s+(?P<until>\d{4}-\d\d-\d\d)\s*:\s*(?P<reason>\S.*)"
)
FORM = "hazard: allow {kind} until {until}: the reason"


@dataclass(frozen=True)
class HazardAllowance:
    """What a comment allows: kinds of hazards, until a day, for a reason; `problem` says why it allows nothing."""

    kinds: tuple[str, ...] = ()
    reason: str = ""
    problem: str = ""


def comments_at(lines: Sequence[str], line: int) -> tuple[str, ...]:
    """Return the comments on hazards at a statement that begins in a line (from 1) of a file."""
    before: list[str] = []
    for text in reversed(lines[: line - 1]):
        if not text.lstrip().startswith(("--", "#")):
            break
        before.append(text)
    own = lines[line - 1 : line]
    return tuple(match["content"].strip() for text in (*reversed(before), *own) for match in _COMMENT.finditer(text))


def hazard_allowances(comments: Sequence[str], *, today: date) -> Iterator[HazardAllowance]:
    """Yield what the comments at a statement allow on a day."""
    for comment in comments:
        match = _CONTENT.fullmatch(comment)
        until = _day(match["until"]) if match else None
        if match is None or until is None:
            form = FORM.format(kind="rewrite", until=f"{today.year + 1}-12-31")
            yield HazardAllowance(problem=f"`hazard: {comment}` is not understood; write `{form}`")
            continue
        kinds = tuple(re.split(r"\s*,\s*", match["kinds"]))
        problem = f"it was allowed until {until} only" if until < today else ""
        yield HazardAllowance(kinds, match["reason"], problem)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
