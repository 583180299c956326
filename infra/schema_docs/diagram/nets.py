"""Links that lead to the same row, gathered: one trunk between two layers takes all of them along."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.schema_docs.diagram.scene import Box, Link, Scene


class Via(NamedTuple):
    """Where a net passes a layer without touching a box of it."""

    target: str
    column: str
    backward: bool


Node = str | Via


class End(NamedTuple):
    """Where a net touches a layer: a box at a row, so far below its top, or the place where it passes."""

    node: Node
    port: int


@dataclass(frozen=True)
class Net:
    """What leads to one row, in one gap between two layers: its ends at the layers left and right of the gap."""

    of: Via
    lefts: list[End] = field(default_factory=list[End])
    rights: list[End] = field(default_factory=list[End])


@dataclass(frozen=True)
class Web:
    """All layers with what passes them, and for each gap (the first one is right of the first layer) its nets."""

    layers: list[list[Node]]
    gaps: list[dict[Via, Net]]


def via_of(link: Link, place: Mapping[str, int]) -> Via:
    """Give the net that a link belongs to; backward is from left to right."""
    return Via(link.target, link.target_columns[0], place[link.source] < place[link.target])


def web(scene: Scene, layers: Sequence[Sequence[str]]) -> Web:
    """Gather the links into nets, and give each net a place in the layers that it passes."""
    boxes = {box.table: box for box in scene.boxes}
    place = {name: number for number, layer in enumerate(layers) for name in layer}
    found = Web([list(layer) for layer in layers], [{} for _ in layers])
    for link in scene.links:
        _lead(found, link, place, boxes)
    return found


def _lead(found: Web, link: Link, place: Mapping[str, int], boxes: Mapping[str, Box]) -> None:
    via = via_of(link, place)
    start = End(link.source, boxes[link.source].port(link.columns[0]))
    end = End(link.target, boxes[link.target].port(link.target_columns[0]))
    first, last = sorted((place[link.source], place[link.target]))
    if first == last:  # refers to itself: out and in again on the right
        net = found.gaps[first].setdefault(via, Net(via))
        _add(net.lefts, end)
        _add(net.lefts, start)
        return
    at_left, at_right = (start, end) if via.backward else (end, start)
    for gap in range(first, last):
        net = found.gaps[gap].setdefault(via, Net(via))
        _add(net.lefts, at_left if gap == first else End(via, 0))
        _add(net.rights, at_right if gap + 1 == last else End(via, 0))
        if gap > first and via not in found.layers[gap]:
            found.layers[gap].append(via)


def _add(ends: list[End], end: End) -> None:
    if end not in ends:
        ends.append(end)
