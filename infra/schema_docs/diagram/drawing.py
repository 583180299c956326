"""A picture with everything in its place: boxes with their corners, lines with their points; ready to be rendered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from infra.schema_docs.diagram.layers import layers as layers_of
from infra.schema_docs.diagram.layers import pillars
from infra.schema_docs.diagram.legend import least_width, room
from infra.schema_docs.diagram.measures import GAP_BETWEEN_BOXES, MARGIN
from infra.schema_docs.diagram.nets import End, Via, via_of, web
from infra.schema_docs.diagram.order import ordered
from infra.schema_docs.diagram.place import tops
from infra.schema_docs.diagram.route import Trunk, gap_width, look_like_one, track_position, tracks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.schema_docs.diagram.nets import Net, Node, Web
    from infra.schema_docs.diagram.scene import Box, Link, Scene

Point = tuple[int, int]


@dataclass(frozen=True)
class Placed:
    """A box and its corners."""

    box: Box
    x: int
    y: int
    width: int

    @property
    def bottom(self) -> int:
        """Give where it ends."""
        return self.y + self.box.height


@dataclass(frozen=True)
class Line:
    """A link and the points that it goes through, from the referring row to the row referred to."""

    link: Link
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Drawing:
    """A whole picture, and how large it is."""

    scene: Scene
    boxes: tuple[Placed, ...]
    lines: tuple[Line, ...]
    width: int
    height: int


@dataclass(frozen=True)
class _Plan:
    """Boxes by table, layers with their nodes and tops, gaps with their trunks and tracks."""

    boxes: Mapping[str, Box]
    web: Web
    layers: list[list[Node]]
    tops: list[dict[Node, int]]
    trunks: list[list[Trunk]]
    tracks: list[dict[Via, int]]

    @cached_property
    def places(self) -> dict[str, int]:
        """Give the layer of each box."""
        return {node: number for number, layer in enumerate(self.layers) for node in layer if isinstance(node, str)}

    def level(self, layer: int, end: End) -> int:
        """Give how far down an end is."""
        return self.tops[layer][end.node] + end.port


@dataclass(frozen=True)
class _Across:
    """Where the layers stand: their left sides, their widths, and how far down they begin."""

    lefts: Sequence[int]
    widths: Sequence[int]
    top: int

    def side(self, layer: int, *, right: bool) -> int:
        """Give one side of a layer."""
        return self.lefts[layer] + (self.widths[layer] if right else 0)


def drawing(scene: Scene) -> Drawing:
    """Give every box and line of a scene its place; the same scene always gives the same drawing."""
    plan = _planned(scene, {box.table: box for box in scene.boxes})
    columns = _with_unlinked(scene, plan)
    widths = [max((plan.boxes[name].width for name in column), default=0) for column in columns]
    lefts: list[int] = []
    right = x = MARGIN
    for number, wide in enumerate(widths):
        lefts.append(x)
        right = x + wide
        x = right + (gap_width(plan.tracks[number]) if number < len(plan.tracks) else 2 * GAP_BETWEEN_BOXES)
    if widths and any(plan.trunks[len(widths) - 1 :]):  # what the last boxes have on their right
        right = x
    whole_width = max(right + MARGIN, least_width())
    top = room(scene, whole_width)
    placed = {
        name: Placed(plan.boxes[name], lefts[number], y + top, widths[number])
        for number, column in enumerate(columns)
        for name, y in column.items()
    }
    lines = [Line(link, _points(link, plan, _Across(lefts, widths, top))) for link in scene.links]
    lowest = max([top, *(one.bottom for one in placed.values()), *(y for line in lines for _, y in line.points)])
    return Drawing(scene, tuple(placed[box.table] for box in scene.boxes), tuple(lines), whole_width, lowest + MARGIN)


def _planned(scene: Scene, boxes: Mapping[str, Box]) -> _Plan:
    """Lay the linked boxes out; rows are kept apart where else two lines would seem to be one."""
    start = web(scene, layers_of(scene))
    heights: dict[Node, int] = {
        node: boxes[node].height if isinstance(node, str) else 0 for layer in start.layers for node in layer
    }
    order = ordered(start, heights)
    plan = _with_trunks(boxes, start, order, tops(start, order, heights, apart=False))
    if any(look_like_one(*pair) for pair in zip(plan.trunks, plan.tracks, strict=True)):
        plan = _with_trunks(boxes, start, order, tops(start, order, heights, apart=True))
    return plan


def _with_trunks(boxes: Mapping[str, Box], start: Web, order: list[list[Node]], found: list[dict[Node, int]]) -> _Plan:
    plan = _Plan(boxes, start, order, found, [], [])
    for gap, nets in enumerate(start.gaps):
        plan.trunks.append([_trunk(plan, gap, net) for net in nets.values()])
        plan.tracks.append(tracks(plan.trunks[-1]))
    return plan


def _trunk(plan: _Plan, gap: int, net: Net) -> Trunk:
    return Trunk(
        net.of,
        tuple(plan.level(gap, end) for end in net.lefts),
        tuple(plan.level(gap + 1, end) for end in net.rights),
    )


def _with_unlinked(scene: Scene, plan: _Plan) -> list[dict[str, int]]:
    """Give the tops of all boxes, layer by layer; what is linked with nothing stands where there is room below."""
    columns = [{node: y for node, y in layer.items() if isinstance(node, str)} for layer in plan.tops]
    lowest = [
        max((y + (plan.boxes[node].height if isinstance(node, str) else 0) for node, y in layer.items()), default=0)
        for layer in plan.tops
    ]
    missing = [box for box in scene.boxes if not any(box.table in column for column in columns)]
    for _ in range(pillars(missing) - len(columns)):
        columns.append({})
        lowest.append(-GAP_BETWEEN_BOXES)
    for box in sorted(missing, key=lambda one: -one.height):
        number = lowest.index(min(lowest))
        columns[number][box.table] = lowest[number] + GAP_BETWEEN_BOXES
        lowest[number] += GAP_BETWEEN_BOXES + box.height
    return columns


def _points(link: Link, plan: _Plan, across: _Across) -> tuple[Point, ...]:
    """Give the way of a link: out of its row, along the trunks of its net, into the row referred to."""
    via = via_of(link, plan.places)
    source, target = plan.places[link.source], plan.places[link.target]
    end = End(link.target, plan.boxes[link.target].port(link.target_columns[0]))
    y = across.top + plan.level(source, End(link.source, plan.boxes[link.source].port(link.columns[0])))
    points = [(across.side(source, right=via.backward or source == target), y)]
    gaps = range(source, target) if via.backward else range(source - 1, target - 1, -1)
    for gap in gaps or [source]:
        x = across.side(gap, right=True) + track_position(plan.tracks[gap].get(via, 0))
        beyond = gap + 1 if via.backward else gap
        points.append((x, y))
        y = across.top + plan.level(beyond, end if beyond == target else End(via, 0))
        points.append((x, y))
    points.append((across.side(target, right=not via.backward), y))
    return _without_straight(points)


def _without_straight(points: list[Point]) -> tuple[Point, ...]:
    """Leave out points at which a line does not turn."""
    kept = [points[0]]
    for point, after in pairwise(points[1:]):
        level = kept[-1][1] == point[1] == after[1]
        upright = kept[-1][0] == point[0] == after[0]
        if not level and not upright:
            kept.append(point)
    return (*kept, points[-1])
