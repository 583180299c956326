"""The order of the nodes in each layer, chosen so that few lines cross (the barycentre heuristic)."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from infra.schema_docs.diagram.measures import GAP_BETWEEN_BOXES, GAP_BETWEEN_LINES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infra.schema_docs.diagram.nets import End, LayeredGraph, Node

_SWEEPS = 16


def order_layers(graph: LayeredGraph, heights: Mapping[Node, int]) -> list[list[Node]]:
    """Return the layers with their nodes from top to bottom, in the order with the fewest crossings that was tried."""
    layers = [list(layer) for layer in graph.layers]
    best, fewest = layers, count_crossings(graph, layers, heights)
    for sweep in range(_SWEEPS):
        layers = [list(layer) for layer in layers]
        numbers = range(1, len(layers)) if sweep % 2 == 0 else range(len(layers) - 2, -1, -1)
        for number in numbers:
            _sort_layer(graph, layers, number, heights, from_left=sweep % 2 == 0)
        count = count_crossings(graph, layers, heights)
        if count < fewest:
            best, fewest = layers, count
    return best


def count_crossings(graph: LayeredGraph, layers: list[list[Node]], heights: Mapping[Node, int]) -> int:
    """Return how many pairs of lines cross between the layers."""
    tops = [stack_nodes(layer, heights) for layer in layers]
    count = 0
    for gap in range(len(layers) - 1):
        pairs = sorted(
            (tops[gap][left.node] + left.port, tops[gap + 1][right.node] + right.port)
            for left, right in _lines(graph, gap)
        )
        rights: list[int] = []
        for _, right in pairs:
            count += len(rights) - bisect_left(rights, right + 1)
            insort(rights, right)
    return count


def stack_nodes(layer: list[Node], heights: Mapping[Node, int]) -> dict[Node, int]:
    """Return the top of each node when all stand below each other, with the middle of the layer at 0."""
    top, tops = 0, dict[object, int]()
    for node in layer:
        tops[node] = top
        top += heights[node] + (GAP_BETWEEN_BOXES if heights[node] else GAP_BETWEEN_LINES)
    return {node: tops[node] - top // 2 for node in layer}


def _lines(graph: LayeredGraph, gap: int) -> Iterator[tuple[End, End]]:
    for net in graph.gaps[gap].values():
        for left in net.lefts:
            for right in net.rights:
                yield left, right


def _sort_layer(
    graph: LayeredGraph, layers: list[list[Node]], number: int, heights: Mapping[Node, int], *, from_left: bool
) -> None:
    """Sort a layer by the mean of where each node's lines end in the next layer; a node without lines stays."""
    neighbour = number - 1 if from_left else number + 1
    neighbour_tops, own_tops = stack_nodes(layers[neighbour], heights), stack_nodes(layers[number], heights)
    middles: dict[Node, list[int]] = {}
    for left, right in _lines(graph, min(number, neighbour)):
        far, near = (left, right) if from_left else (right, left)
        middle = neighbour_tops[far.node] + far.port - near.port + heights[near.node] // 2
        middles.setdefault(near.node, []).append(middle)
    layers[number].sort(
        key=lambda node: (
            sum(middles[node]) / len(middles[node]) if node in middles else own_tops[node] + heights[node] / 2
        )
    )
