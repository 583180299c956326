"""The table that a run prints: Markdown, so that docs/performance.md can contain it unchanged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.rounds import median_seconds, minimum_processor, minimum_seconds, ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.rounds import Cost

HEAD = ("what", "measured", "beside", "ratio", "goal", "")


@dataclass(frozen=True)
class Row:
    """A row: what was measured, its figure, what it is compared with, their ratio, the goal, and whether it is met."""

    what: str
    measured: str
    beside: str = ""
    ratio: str = ""
    goal: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        """Return the texts of the row's cells."""
        verdict = {None: "", True: "met", False: "missed"}[self.met]
        return self.what, self.measured, self.beside, self.ratio, self.goal, verdict


def time_text(costs: Sequence[Cost]) -> str:
    """Return the least and the median seconds, and processor seconds where child processes did the work."""
    processor = f", cpu {minimum_processor(costs):.2f}" if minimum_processor(costs) else ""
    return f"{minimum_seconds(costs):.3g} s (median {median_seconds(costs):.3g}{processor})"


def comparison_row(
    what: str, costs: Sequence[Cost], beside: str, others: Sequence[Cost], goal: float | None = None
) -> Row:
    """Return the row of a cost that is compared with another cost of the same run; `goal` is the highest ratio."""
    ratios = ratio(costs, others)
    return Row(
        what,
        time_text(costs),
        beside,
        f"{ratios.of_minima:.2f}x (median {ratios.median:.2f}x)",
        f"at most {goal:g}x" if goal else "",
        max(ratios.of_minima, ratios.median) <= goal if goal else None,
    )


def limit_row(what: str, measured: float, unit: str, goal: float, *, note: str = "") -> Row:
    """Return the row of a figure that has a limit, both in the same unit."""
    return Row(what, f"{measured:.3g} {unit}".strip(), note, "", f"at most {goal:g} {unit}".strip(), measured <= goal)


def render_table(rows: Sequence[Row]) -> str:
    """Return the table in Markdown, with aligned columns."""
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    texts = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    texts.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(texts)
