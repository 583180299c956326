"""Nets: the links that lead to the same row share one line between two layers, as in channel routing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.schema_docs.diagram.scene import Box, Link, Scene


class NetKey(NamedTuple):
    """What identifies a net: the row that it leads to, and whether it leads there from left to right.

    In the layers between its ends a net stands for itself, as a node without height (a dummy node).
    """

    target: str
    column: str
    backward: bool


Node = str | NetKey
"""What stands in a layer: a box, by its table's name, or a net that passes."""


class End(NamedTuple):
    """Where a net ends at a layer: a node, and how far below its top."""

    node: Node
    port: int


@dataclass(frozen=True)
class Net:
    """The links that lead to one row, in one gap between two layers, with their ends at the left and right layer."""

    key: NetKey
    lefts: list[End] = field(default_factory=list[End])
    rights: list[End] = field(default_factory=list[End])


@dataclass(frozen=True)
class LayeredGraph:
    """The layers with their nodes, and the nets of each gap; gap n is on the right of layer n."""

    layers: list[list[Node]]
    gaps: list[dict[NetKey, Net]]


def net_key(link: Link, layer_of: Mapping[str, int]) -> NetKey:
    """Return the key of the net that a link belongs to; `layer_of` has the layer of each box."""
    return NetKey(link.target, link.target_columns[0], layer_of[link.source] < layer_of[link.target])


def layered_graph(scene: Scene, layers: Sequence[Sequence[str]]) -> LayeredGraph:
    """Return the links gathered into nets, each with a node in every layer that it passes."""
    boxes = {box.table: box for box in scene.boxes}
    layer_of = {name: number for number, layer in enumerate(layers) for name in layer}
    graph = LayeredGraph([list(layer) for layer in layers], [{} for _ in layers])
    for link in scene.links:
        _add_link(graph, link, layer_of, boxes)
    return graph


def _add_link(graph: LayeredGraph, link: Link, layer_of: Mapping[str, int], boxes: Mapping[str, Box]) -> None:
    key = net_key(link, layer_of)
    start = End(link.source, boxes[link.source].port(link.columns[0]))
    end = End(link.target, boxes[link.target].port(link.target_columns[0]))
    first, last = sorted((layer_of[link.source], layer_of[link.target]))
    if first == last:  # the table refers to itself: the line leaves and comes back on the right
        net = graph.gaps[first].setdefault(key, Net(key))
        _add_end(net.lefts, end)
        _add_end(net.lefts, start)
        return
    at_left, at_right = (start, end) if key.backward else (end, start)
    for gap in range(first, last):
        net = graph.gaps[gap].setdefault(key, Net(key))
        _add_end(net.lefts, at_left if gap == first else End(key, 0))
        _add_end(net.rights, at_right if gap + 1 == last else End(key, 0))
        if gap > first and key not in graph.layers[gap]:
            graph.layers[gap].append(key)


def _add_end(ends: list[End], end: End) -> None:
    if end not in ends:
        ends.append(end)
