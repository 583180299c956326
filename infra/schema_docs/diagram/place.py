"""Where in its layer each box stands: as straight beside what it is linked with as the others let it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from infra.schema_docs.diagram.measures import GAP_BETWEEN_BOXES, GAP_BETWEEN_LINES, HEAD, ROW
from infra.schema_docs.diagram.order import stack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.schema_docs.diagram.nets import Node, Web

    Tops = list[dict[Node, int]]

_SWEEPS = 12
FIRST_ROW = HEAD + ROW // 2
LEVELS = 3  # rows of a layer are level with those of every third layer only, when they have to be apart


def tops(web: Web, layers: Sequence[list[Node]], heights: Mapping[Node, int], *, apart: bool) -> Tops:
    """Give the top of each node, layer by layer; the highest is at 0.

    `apart`: rows of neighbouring layers are never level, so that two lines that are two can never seem to be one.
    """
    found = [stack(layer, heights) for layer in layers]
    for sweep in range(_SWEEPS):
        numbers = range(len(layers)) if sweep % 2 == 0 else range(len(layers) - 1, -1, -1)
        for number in numbers:
            found[number] = _placed(layers[number], _wanted(web, found, number), found[number], heights)
    if apart:
        found = [_on_level(layer, found[number], heights, number) for number, layer in enumerate(layers)]
    highest = min((top for layer in found for top in layer.values()), default=0)
    highest -= highest % ROW
    return [{node: top - highest for node, top in layer.items()} for layer in found]


def distance(above: int, below: int) -> int:
    """Give the room between two nodes of a layer, by their heights; lines have none."""
    if above and below:
        return GAP_BETWEEN_BOXES
    return GAP_BETWEEN_LINES + (GAP_BETWEEN_BOXES - GAP_BETWEEN_LINES) // 2 if above or below else GAP_BETWEEN_LINES


def _wanted(web: Web, found: Tops, number: int) -> dict[Node, list[int]]:
    """Give for each node of a layer the tops at which each of its lines would be straight."""
    wanted: dict[Node, list[int]] = {}
    for gap, here_is_right in ((number - 1, True), (number, False)):
        if not 0 <= gap < len(found) - 1:
            continue
        for net in web.gaps[gap].values():
            for left in net.lefts:
                for right in net.rights:
                    here, there = (right, left) if here_is_right else (left, right)
                    other = found[gap if here_is_right else gap + 1]
                    wanted.setdefault(here.node, []).append(other[there.node] + there.port - here.port)
    return wanted


def _placed(
    layer: list[Node], wanted: Mapping[Node, list[int]], now: Mapping[Node, int], heights: Mapping[Node, int]
) -> dict[Node, int]:
    """Place a layer's nodes, in their order, with the least sum of squares of how far each is from where it would be.

    Pool adjacent violators: nodes that would overlap are joined to a block, which stands at their mean.
    """
    starts = _starts(layer, heights)
    blocks: list[tuple[float, int, int]] = []  # where it would begin, how heavy it is, how many nodes it has
    for node in layer:
        tops = wanted.get(node, [now[node]])
        mean, weight, count = sum(tops) / len(tops) - starts[node], len(tops), 1
        while blocks and blocks[-1][0] > mean:
            other, other_weight, other_count = blocks.pop()
            mean = (mean * weight + other * other_weight) / (weight + other_weight)
            weight, count = weight + other_weight, count + other_count
        blocks.append((mean, weight, count))
    offsets = [round(mean) for mean, _, count in blocks for _ in range(count)]
    return {node: offset + starts[node] for node, offset in zip(layer, offsets, strict=True)}


def _starts(layer: list[Node], heights: Mapping[Node, int]) -> dict[Node, int]:
    """Give where each node would begin if all stood as near to each other as they may."""
    starts = dict.fromkeys(layer[:1], 0)
    for above, below in pairwise(layer):
        starts[below] = starts[above] + heights[above] + distance(heights[above], heights[below])
    return starts


def _on_level(layer: list[Node], tops: Mapping[Node, int], heights: Mapping[Node, int], number: int) -> dict[Node, int]:
    """Move each node down until its rows are level with others of its layer, and never with those of the next ones."""
    wanted = number % LEVELS * (ROW // LEVELS)
    result: dict[Node, int] = {}
    least = min(tops.values(), default=0)
    for place, node in enumerate(layer):
        room = distance(heights[layer[place - 1]], heights[node]) if place else 0
        top = max(tops[node], least + room)
        row = top + (FIRST_ROW if heights[node] else 0)
        result[node] = top + (wanted - row) % ROW
        least = result[node] + heights[node]
    return result
