"""Blocks of code in Markdown that end where they end, whatever text of modules and databases is in them."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def fenced(language: str, lines: Sequence[str], *, longest: int | None = None) -> list[str]:
    """Return lines as a block; of more than `longest` characters the first lines, and how many more there are."""
    texts = [part for line in lines for part in line.split("\n")]
    ends = accumulate(len(text) + 1 for text in texts)
    shown = texts if longest is None else texts[: sum(end <= longest for end in ends)]
    fence = "`" * max(3, 1 + max((len(run) for text in shown for run in re.findall("`+", text)), default=0))
    left_out = [f"and {len(texts) - len(shown)} more lines"] if len(shown) < len(texts) else []
    return [f"{fence}{language}", *shown, fence, *left_out]
