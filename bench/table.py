"""The table that a run prints, which is Markdown, so that docs/performance.md can hold it as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.rounds import processor, quickest, ratio, usual

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.rounds import Cost

HEAD = ("what", "measured", "beside", "ratio", "goal", "")


@dataclass(frozen=True)
class Row:
    """One line: what, its figure, what it is held against, the ratio of the two, the goal, and whether it is met."""

    what: str
    measured: str
    beside: str = ""
    ratio: str = ""
    goal: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        """Give the line's texts."""
        verdict = {None: "", True: "met", False: "missed"}[self.met]
        return self.what, self.measured, self.beside, self.ratio, self.goal, verdict


def seconds(costs: Sequence[Cost]) -> str:
    """Give the quickest and the usual time, and the processor's where it was other processes that worked."""
    used = f", cpu {processor(costs):.2f}" if processor(costs) else ""
    return f"{quickest(costs):.3g} s (median {usual(costs):.3g}{used})"


def compared(what: str, costs: Sequence[Cost], beside: str, others: Sequence[Cost], goal: float | None = None) -> Row:
    """Give the line of something that is held against something else of the same run."""
    found = ratio(costs, others)
    return Row(
        what,
        seconds(costs),
        beside,
        f"{found.of_minima:.2f}x (median {found.median:.2f}x)",
        f"at most {goal:g}x" if goal else "",
        max(found.of_minima, found.median) <= goal if goal else None,
    )


def limited(what: str, measured: float, unit: str, goal: float, *, note: str = "") -> Row:
    """Give the line of a figure that has a limit of its own."""
    return Row(what, f"{measured:.3g} {unit}".strip(), note, "", f"at most {goal:g} {unit}".strip(), measured <= goal)


def rendered(rows: Sequence[Row]) -> str:
    """Give the table, its columns aligned."""
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    texts = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    texts.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(texts)
