"""A picture with everything in its place: boxes with their corners, lines with their points, ready to be rendered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from infra.schema_docs.diagram.layers import assign_layers, layers_needed
from infra.schema_docs.diagram.legend import legend_height, legend_width
from infra.schema_docs.diagram.measures import GAP_BETWEEN_BOXES, MARGIN
from infra.schema_docs.diagram.nets import End, NetKey, layered_graph, net_key
from infra.schema_docs.diagram.order import order_layers
from infra.schema_docs.diagram.place import place_nodes
from infra.schema_docs.diagram.route import Trunk, assign_tracks, gap_width, has_coinciding_lines, track_position

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.schema_docs.diagram.nets import LayeredGraph, Net, Node
    from infra.schema_docs.diagram.scene import Box, Link, Scene

Point = tuple[int, int]


@dataclass(frozen=True)
class PlacedBox:
    """A box and where it stands, in pixels from the top left corner of the picture."""

    box: Box
    x: int
    y: int
    width: int

    @property
    def bottom(self) -> int:
        """Return the y of the lower edge."""
        return self.y + self.box.height


@dataclass(frozen=True)
class Line:
    """A link and the points that it goes through, from the referring row to the row referred to."""

    link: Link
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Drawing:
    """A whole picture and its size in pixels."""

    scene: Scene
    boxes: tuple[PlacedBox, ...]
    lines: tuple[Line, ...]
    width: int
    height: int


@dataclass(frozen=True)
class _Layout:
    """Boxes by table, layers with their nodes and the tops of these, gaps with their trunks and tracks."""

    boxes: Mapping[str, Box]
    graph: LayeredGraph
    layers: list[list[Node]]
    tops: list[dict[Node, int]]
    trunks: list[list[Trunk]]
    tracks: list[dict[NetKey, int]]

    @cached_property
    def layer_of(self) -> dict[str, int]:
        """Return the layer of each box."""
        return {node: number for number, layer in enumerate(self.layers) for node in layer if isinstance(node, str)}

    def height_of(self, layer: int, end: End) -> int:
        """Return how far down an end is."""
        return self.tops[layer][end.node] + end.port


@dataclass(frozen=True)
class _LayerPositions:
    """Where the layers stand: their left sides, their widths, and how far down they begin."""

    lefts: Sequence[int]
    widths: Sequence[int]
    top: int

    def side(self, layer: int, *, right: bool) -> int:
        """Return the x of the left or the right side of a layer."""
        return self.lefts[layer] + (self.widths[layer] if right else 0)


def lay_out(scene: Scene) -> Drawing:
    """Return the drawing of a scene, in which every box and line has its place; equal scenes give equal drawings."""
    layout = _layout(scene, {box.table: box for box in scene.boxes})
    columns = _add_unlinked(scene, layout)
    widths = [max((layout.boxes[name].width for name in column), default=0) for column in columns]
    lefts: list[int] = []
    right = x = MARGIN
    for number, layer_width in enumerate(widths):
        lefts.append(x)
        right = x + layer_width
        x = right + (gap_width(layout.tracks[number]) if number < len(layout.tracks) else 2 * GAP_BETWEEN_BOXES)
    if widths and any(layout.trunks[len(widths) - 1 :]):  # tables of the last layer that refer to themselves
        right = x
    picture_width = max(right + MARGIN, legend_width())
    top = legend_height(scene, picture_width)
    placed = {
        name: PlacedBox(layout.boxes[name], lefts[number], y + top, widths[number])
        for number, column in enumerate(columns)
        for name, y in column.items()
    }
    lines = [Line(link, _points(link, layout, _LayerPositions(lefts, widths, top))) for link in scene.links]
    lowest = max([top, *(box.bottom for box in placed.values()), *(y for line in lines for _, y in line.points)])
    return Drawing(scene, tuple(placed[box.table] for box in scene.boxes), tuple(lines), picture_width, lowest + MARGIN)


def _layout(scene: Scene, boxes: Mapping[str, Box]) -> _Layout:
    """Return the layout of the linked boxes; their rows are kept apart only where two lines would look like one."""
    graph = layered_graph(scene, assign_layers(scene))
    heights: dict[Node, int] = {
        node: boxes[node].height if isinstance(node, str) else 0 for layer in graph.layers for node in layer
    }
    order = order_layers(graph, heights)
    layout = _with_trunks(boxes, graph, order, place_nodes(graph, order, heights, apart=False))
    if any(has_coinciding_lines(*gap) for gap in zip(layout.trunks, layout.tracks, strict=True)):
        layout = _with_trunks(boxes, graph, order, place_nodes(graph, order, heights, apart=True))
    return layout


def _with_trunks(
    boxes: Mapping[str, Box], graph: LayeredGraph, order: list[list[Node]], tops: list[dict[Node, int]]
) -> _Layout:
    layout = _Layout(boxes, graph, order, tops, [], [])
    for gap, nets in enumerate(graph.gaps):
        layout.trunks.append([_trunk(layout, gap, net) for net in nets.values()])
        layout.tracks.append(assign_tracks(layout.trunks[-1]))
    return layout


def _trunk(layout: _Layout, gap: int, net: Net) -> Trunk:
    return Trunk(
        net.key,
        tuple(layout.height_of(gap, end) for end in net.lefts),
        tuple(layout.height_of(gap + 1, end) for end in net.rights),
    )


def _add_unlinked(scene: Scene, layout: _Layout) -> list[dict[str, int]]:
    """Return the tops of all boxes, layer by layer; boxes without links stand below, where there is most room."""
    columns = [{node: y for node, y in layer.items() if isinstance(node, str)} for layer in layout.tops]
    lowest = [
        max((y + (layout.boxes[node].height if isinstance(node, str) else 0) for node, y in layer.items()), default=0)
        for layer in layout.tops
    ]
    unlinked = [box for box in scene.boxes if not any(box.table in column for column in columns)]
    for _ in range(layers_needed(unlinked) - len(columns)):
        columns.append({})
        lowest.append(-GAP_BETWEEN_BOXES)
    for box in sorted(unlinked, key=lambda box: -box.height):
        number = lowest.index(min(lowest))
        columns[number][box.table] = lowest[number] + GAP_BETWEEN_BOXES
        lowest[number] += GAP_BETWEEN_BOXES + box.height
    return columns


def _points(link: Link, layout: _Layout, positions: _LayerPositions) -> tuple[Point, ...]:
    """Return the points of a link: out of its row, along the trunks of its net, into the row referred to."""
    key = net_key(link, layout.layer_of)
    source, target = layout.layer_of[link.source], layout.layer_of[link.target]
    end = End(link.target, layout.boxes[link.target].port(link.target_columns[0]))
    y = positions.top + layout.height_of(source, End(link.source, layout.boxes[link.source].port(link.columns[0])))
    points = [(positions.side(source, right=key.backward or source == target), y)]
    gaps = range(source, target) if key.backward else range(source - 1, target - 1, -1)
    for gap in gaps or [source]:
        x = positions.side(gap, right=True) + track_position(layout.tracks[gap].get(key, 0))
        beyond = gap + 1 if key.backward else gap
        points.append((x, y))
        y = positions.top + layout.height_of(beyond, end if beyond == target else End(key, 0))
        points.append((x, y))
    points.append((positions.side(target, right=not key.backward), y))
    return _corners(points)


def _corners(points: list[Point]) -> tuple[Point, ...]:
    """Return the points without those at which the line does not turn."""
    corners = [points[0]]
    for point, following in pairwise(points[1:]):
        level = corners[-1][1] == point[1] == following[1]
        upright = corners[-1][0] == point[0] == following[0]
        if not level and not upright:
            corners.append(point)
    return (*corners, points[-1])
