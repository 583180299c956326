"""The legend above a picture: what the signs and colours mean, and where each part of it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from infra.schema_docs.diagram.measures import FONT_SIZE, MARGIN, PADDING, ROW_HEIGHT, text_width

if TYPE_CHECKING:
    from infra.schema_docs.diagram.scene import Scene

SIGNS = (
    "PK primary key · FK foreign key · U unique · U1 unique together · NN not null",
    "arrow: the row referred to · crow's foot: many rows refer to it · dashed: may be null",
)
SWATCH = FONT_SIZE
FIRST_LINE = MARGIN + FONT_SIZE  # the base line of the title


class LegendEntry(NamedTuple):
    """A module in the legend, and where its colour swatch and its name begin."""

    module: str
    x: int
    y: int


def legend_width() -> int:
    """Return the width that the explanation of the signs needs, margins included."""
    return 2 * MARGIN + max(map(text_width, SIGNS))


def legend_entries(scene: Scene, picture_width: int) -> list[LegendEntry]:
    """Return the modules whose tables are in a picture, wrapped to its width."""
    present = {box.module for box in scene.boxes}
    entries: list[LegendEntry] = []
    x, y = MARGIN, FIRST_LINE + ROW_HEIGHT * (len(SIGNS) + 1)
    for module in scene.modules:
        if module not in present:
            continue
        entry_width = SWATCH + PADDING + text_width(module)
        if x > MARGIN and x + entry_width > picture_width - MARGIN:
            x, y = MARGIN, y + ROW_HEIGHT
        entries.append(LegendEntry(module, x, y))
        x += entry_width + 2 * PADDING
    return entries


def legend_height(scene: Scene, picture_width: int) -> int:
    """Return the height that title and legend take at the top of a picture."""
    last_sign = FIRST_LINE + ROW_HEIGHT * len(SIGNS)
    return max([last_sign, *(entry.y for entry in legend_entries(scene, picture_width))]) + ROW_HEIGHT
