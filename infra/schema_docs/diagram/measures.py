"""The sizes of a picture's parts, in pixels; every other size follows from these."""

from __future__ import annotations

from unicodedata import combining, east_asian_width

FONT_SIZE = 12
ROW_HEIGHT = 18
TITLE_HEIGHT = 27
CELL_WIDTH = 7.5  # of a character: no monospaced font in the stylesheet's list is wider than 0.62 of its size
PADDING = 8
GAP_BETWEEN_BOXES = 26
GAP_BETWEEN_LINES = 12  # beside each other, or where one passes a box
MARGIN = 24


def text_width(text: str) -> int:
    """Return the greatest width that a text may need; East Asian characters take two cells, combining ones none."""
    cells = sum(0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1 for character in text)
    return int(cells * CELL_WIDTH) + 1
