"""The order of the boxes in each layer, so that few lines cross: each next to what it is linked with."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from infra.schema_docs.diagram.measures import GAP_BETWEEN_BOXES, GAP_BETWEEN_LINES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infra.schema_docs.diagram.nets import End, Node, Web

_SWEEPS = 16


def ordered(web: Web, heights: Mapping[Node, int]) -> list[list[Node]]:
    """Give the layers with their nodes from top to bottom: the best order of some that are tried."""
    layers = [list(layer) for layer in web.layers]
    best, fewest = layers, crossings(web, layers, heights)
    for sweep in range(_SWEEPS):
        layers = [list(layer) for layer in layers]
        numbers = range(1, len(layers)) if sweep % 2 == 0 else range(len(layers) - 2, -1, -1)
        for number in numbers:
            _sort(web, layers, number, heights, from_left=sweep % 2 == 0)
        count = crossings(web, layers, heights)
        if count < fewest:
            best, fewest = layers, count
    return best


def crossings(web: Web, layers: list[list[Node]], heights: Mapping[Node, int]) -> int:
    """Count the crossings between the layers, each pair of lines once."""
    stacked = [stack(layer, heights) for layer in layers]
    count = 0
    for gap in range(len(layers) - 1):
        pairs = sorted(
            (stacked[gap][left.node] + left.port, stacked[gap + 1][right.node] + right.port)
            for left, right in _pairs(web, gap)
        )
        seen: list[int] = []
        for _, right in pairs:
            count += len(seen) - bisect_left(seen, right + 1)
            insort(seen, right)
    return count


def stack(layer: list[Node], heights: Mapping[Node, int]) -> dict[Node, int]:
    """Put the nodes of a layer under each other, its middle at 0, and give where each begins."""
    top, tops = 0, dict[object, int]()
    for node in layer:
        tops[node] = top
        top += heights[node] + (GAP_BETWEEN_BOXES if heights[node] else GAP_BETWEEN_LINES)
    return {node: tops[node] - top // 2 for node in layer}


def _pairs(web: Web, gap: int) -> Iterator[tuple[End, End]]:
    for net in web.gaps[gap].values():
        for left in net.lefts:
            for right in net.rights:
                yield left, right


def _sort(web: Web, layers: list[list[Node]], number: int, heights: Mapping[Node, int], *, from_left: bool) -> None:
    """Sort a layer by where the other ends of each node's lines are; what has none keeps its place."""
    other = number - 1 if from_left else number + 1
    tops, own = stack(layers[other], heights), stack(layers[number], heights)
    wanted: dict[Node, list[int]] = {}
    for left, right in _pairs(web, min(number, other)):
        there, here = (left, right) if from_left else (right, left)
        wanted.setdefault(here.node, []).append(tops[there.node] + there.port - here.port + heights[here.node] // 2)
    layers[number].sort(
        key=lambda node: sum(wanted[node]) / len(wanted[node]) if node in wanted else own[node] + heights[node] / 2
    )
