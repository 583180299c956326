"""What the signs and colours of a picture mean: where each part of that stands above it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from infra.schema_docs.diagram.measures import FONT, MARGIN, PAD, ROW, width

if TYPE_CHECKING:
    from infra.schema_docs.diagram.scene import Scene

SIGNS = (
    "PK primary key · FK foreign key · U unique · U1 unique together · NN not null",
    "arrow: the row referred to · crow's foot: many rows refer to it · dashed: may be null",
)
SWATCH = FONT
FIRST_LINE = MARGIN + FONT  # where the title stands


class LegendEntry(NamedTuple):
    """A module in the legend, and where its patch of colour and its name begin."""

    module: str
    x: int
    y: int


def least_width() -> int:
    """Give the width that the signs need."""
    return 2 * MARGIN + max(map(width, SIGNS))


def legend_entries(scene: Scene, whole_width: int) -> list[LegendEntry]:
    """Give the modules whose tables are in a picture, in lines that are no wider than it."""
    present = {box.module for box in scene.boxes}
    found: list[LegendEntry] = []
    x, y = MARGIN, FIRST_LINE + ROW * (len(SIGNS) + 1)
    for module in scene.modules:
        if module not in present:
            continue
        wide = SWATCH + PAD + width(module)
        if x > MARGIN and x + wide > whole_width - MARGIN:
            x, y = MARGIN, y + ROW
        found.append(LegendEntry(module, x, y))
        x += wide + 2 * PAD
    return found


def room(scene: Scene, whole_width: int) -> int:
    """Give how much of the picture's height title and legend take."""
    return max([FIRST_LINE + ROW * len(SIGNS), *(entry.y for entry in legend_entries(scene, whole_width))]) + ROW
