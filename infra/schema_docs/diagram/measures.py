"""How large things are in a picture, in pixels; every other size follows from these."""

from __future__ import annotations

from unicodedata import combining, east_asian_width

FONT = 12
ROW = 18  # height of a column's line
HEAD = 27  # height of a box's title
CELL = 7.5  # width of a character: no monospaced font in the style's list is wider than 0.62 of its size
PAD = 8
GAP_BETWEEN_BOXES = 26
GAP_BETWEEN_LINES = 12  # beside each other, or where one passes a box
MARGIN = 24


def width(text: str) -> int:
    """Give the most that a text may need; East Asian characters are two cells wide, combining ones none."""
    cells = sum(0 if combining(one) else 2 if east_asian_width(one) in "WF" else 1 for one in text)
    return int(cells * CELL) + 1
