"""The vertical place of each node: as level with what it is linked with as its neighbours in the layer allow."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from infra.schema_docs.diagram.measures import GAP_BETWEEN_BOXES, GAP_BETWEEN_LINES, ROW_HEIGHT, TITLE_HEIGHT
from infra.schema_docs.diagram.order import stack_nodes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.schema_docs.diagram.nets import LayeredGraph, Node

    Tops = list[dict[Node, int]]

_SWEEPS = 12
FIRST_ROW = TITLE_HEIGHT + ROW_HEIGHT // 2
LEVELS = 3  # where rows have to be apart, those of a layer are level only with those of every third layer


def place_nodes(graph: LayeredGraph, layers: Sequence[list[Node]], heights: Mapping[Node, int], *, apart: bool) -> Tops:
    """Return the top of each node, layer by layer; the highest is at 0.

    `apart`: rows of neighbouring layers are never level, so that two different lines can never look like one.
    """
    tops = [stack_nodes(layer, heights) for layer in layers]
    for sweep in range(_SWEEPS):
        numbers = range(len(layers)) if sweep % 2 == 0 else range(len(layers) - 1, -1, -1)
        for number in numbers:
            tops[number] = _place_layer(layers[number], _straight_tops(graph, tops, number), tops[number], heights)
    if apart:
        tops = [_on_level(layer, tops[number], heights, number) for number, layer in enumerate(layers)]
    highest = min((top for layer in tops for top in layer.values()), default=0)
    highest -= highest % ROW_HEIGHT
    return [{node: top - highest for node, top in layer.items()} for layer in tops]


def node_gap(above: int, below: int) -> int:
    """Return the gap between two nodes of a layer, by their heights; a net that passes has the height 0."""
    if above and below:
        return GAP_BETWEEN_BOXES
    return GAP_BETWEEN_LINES + (GAP_BETWEEN_BOXES - GAP_BETWEEN_LINES) // 2 if above or below else GAP_BETWEEN_LINES


def _straight_tops(graph: LayeredGraph, tops: Tops, number: int) -> dict[Node, list[int]]:
    """Return for each node of a layer the tops at which each of its lines would be straight."""
    straight: dict[Node, list[int]] = {}
    for gap, layer_is_right in ((number - 1, True), (number, False)):
        if not 0 <= gap < len(tops) - 1:
            continue
        for net in graph.gaps[gap].values():
            for left in net.lefts:
                for right in net.rights:
                    near, far = (right, left) if layer_is_right else (left, right)
                    neighbour = tops[gap if layer_is_right else gap + 1]
                    straight.setdefault(near.node, []).append(neighbour[far.node] + far.port - near.port)
    return straight


def _place_layer(
    layer: list[Node], straight: Mapping[Node, list[int]], current: Mapping[Node, int], heights: Mapping[Node, int]
) -> dict[Node, int]:
    """Return the tops of a layer's nodes, in their order, with the least sum of squared distances to straight lines.

    This is isotonic regression by the pool adjacent violators algorithm: nodes that would overlap are joined to a
    block, which stands at their mean.
    """
    starts = _starts(layer, heights)
    blocks: list[tuple[float, int, int]] = []  # where the block would begin, its weight, its number of nodes
    for node in layer:
        tops = straight.get(node, [current[node]])
        mean, weight, count = sum(tops) / len(tops) - starts[node], len(tops), 1
        while blocks and blocks[-1][0] > mean:
            above, above_weight, above_count = blocks.pop()
            mean = (mean * weight + above * above_weight) / (weight + above_weight)
            weight, count = weight + above_weight, count + above_count
        blocks.append((mean, weight, count))
    offsets = [round(mean) for mean, _, count in blocks for _ in range(count)]
    return {node: offset + starts[node] for node, offset in zip(layer, offsets, strict=True)}


def _starts(layer: list[Node], heights: Mapping[Node, int]) -> dict[Node, int]:
    """Return where each node would begin if all stood as close to each other as they may."""
    starts = dict.fromkeys(layer[:1], 0)
    for above, below in pairwise(layer):
        starts[below] = starts[above] + heights[above] + node_gap(heights[above], heights[below])
    return starts


def _on_level(layer: list[Node], tops: Mapping[Node, int], heights: Mapping[Node, int], number: int) -> dict[Node, int]:
    """Return the tops with each node lowered to a level of its layer, which is none of the neighbouring layers."""
    level = number % LEVELS * (ROW_HEIGHT // LEVELS)
    lowered: dict[Node, int] = {}
    least = min(tops.values(), default=0)
    for place, node in enumerate(layer):
        gap = node_gap(heights[layer[place - 1]], heights[node]) if place else 0
        top = max(tops[node], least + gap)
        row = top + (FIRST_ROW if heights[node] else 0)
        lowered[node] = top + (level - row) % ROW_HEIGHT
        least = lowered[node] + heights[node]
    return lowered
