"""Where everything stands in a picture: the rules of a readable one hold for scenes of any shape."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest

from infra.schema_docs.diagram.drawing import Drawing, Line, drawing
from infra.schema_docs.diagram.legend import legend_entries, room
from infra.schema_docs.diagram.measures import MARGIN, width
from tests.unit.schema_docs.diagram.scenes import awkward, box, link, random_scene, scene

SEEDS = range(60)


def overlaps(found: Drawing) -> list[tuple[str, str]]:
    """Name the boxes that are nearer to each other than lines are."""
    return [
        (one.box.table, other.box.table)
        for one, other in combinations(found.boxes, 2)
        if one.x < other.x + other.width + 10
        and other.x < one.x + one.width + 10
        and one.y < other.bottom + 10
        and other.y < one.bottom + 10
    ]


def through_boxes(found: Drawing) -> list[str]:
    """Name the lines that go through a box."""
    return [
        f"{line.link} through {placed.box.table}"
        for line in found.lines
        for (x, y), (to_x, to_y) in pairwise(line.points)
        for placed in found.boxes
        if min(x, to_x) < placed.x + placed.width
        and max(x, to_x) > placed.x
        and min(y, to_y) < placed.bottom
        and max(y, to_y) > placed.y
    ]


def segments(line: Line, *, level: bool) -> list[tuple[int, int, int]]:
    """Give the level or the upright parts of a line: where it is, from where to where."""
    axis = 1 if level else 0
    return [
        (start[axis], min(start[1 - axis], end[1 - axis]), max(start[1 - axis], end[1 - axis]))
        for start, end in pairwise(line.points)
        if start[axis] == end[axis] and start != end
    ]


def look_like_one(found: Drawing) -> list[str]:
    """Name lines to different rows that lie upon each other, but for those that begin or end in the same row."""
    wrong: list[str] = []
    for one, other in combinations(found.lines, 2):
        if (one.link.target, one.link.target_columns) == (other.link.target, other.link.target_columns):
            continue
        if {one.points[0], one.points[-1]} & {other.points[0], other.points[-1]}:
            continue
        for level in (True, False):
            wrong += [
                f"{one.link} and {other.link}"
                for at, start, end in segments(one, level=level)
                for place, begin, stop in segments(other, level=level)
                if abs(at - place) < 3 and start < stop and begin < end
            ]
    return wrong


@pytest.mark.parametrize("seed", SEEDS)
def test_a_picture_of_any_shape_is_readable(seed: int) -> None:
    """Boxes stand apart, lines go round them, and lines that lead elsewhere can be told apart."""
    found = drawing(random_scene(seed))
    assert overlaps(found) == []
    assert through_boxes(found) == []
    assert look_like_one(found) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_every_line_leads_from_row_to_row(seed: int) -> None:
    """A line begins at a side of the referring box, at its column's row, ends at that referred to, and turns square."""
    found = drawing(random_scene(seed))
    boxes = {placed.box.table: placed for placed in found.boxes}
    assert len(found.lines) == len(found.scene.links)
    for line in found.lines:
        ends = (
            (line.points[0], line.link.source, line.link.columns[0]),
            (line.points[-1], line.link.target, line.link.target_columns[0]),
        )
        for (x, y), table, column in ends:
            placed = boxes[table]
            assert x in {placed.x, placed.x + placed.width}
            assert y == placed.y + placed.box.port(column)
        assert all((x == to_x) != (y == to_y) for (x, y), (to_x, to_y) in pairwise(line.points))


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_is_within_the_picture(seed: int) -> None:
    """Boxes and lines keep the margin, and stand below title and legend."""
    found = drawing(random_scene(seed))
    top = room(found.scene, found.width)
    for placed in found.boxes:
        assert placed.x >= MARGIN
        assert placed.x + placed.width <= found.width - MARGIN
        assert top <= placed.y
        assert placed.bottom <= found.height - MARGIN
    for line in found.lines:
        assert all(0 < x < found.width and top <= y < found.height for x, y in line.points)


def test_the_same_scene_gives_the_same_drawing() -> None:
    """Nothing depends on chance or on the order of sets."""
    assert [drawing(random_scene(seed)) for seed in (1, 2)] == [drawing(random_scene(seed)) for seed in (1, 2)]


def test_what_is_referred_to_stands_left() -> None:
    """Without circles every line leads to the left."""
    found = drawing(scene([box("c", "b"), box("a"), box("b", "a")], [link("c", "b", "b"), link("b", "a", "a")]))
    places = {placed.box.table: placed.x for placed in found.boxes}
    assert places["a"] < places["b"] < places["c"]
    assert all(line.points[0][0] > line.points[-1][0] for line in found.lines)


def test_lines_do_not_cross_where_they_need_not() -> None:
    """Two pairs of tables stand beside each other, whatever the order of their names."""
    boxes = [box("a"), box("b"), box("y", "to"), box("z", "to")]
    found = drawing(scene(boxes, [link("y", "to", "b"), link("z", "to", "a")]))
    places = {placed.box.table: placed.y for placed in found.boxes}
    assert (places["a"] < places["b"]) == (places["z"] < places["y"])


def test_an_empty_scene_is_a_title() -> None:
    """A schema without tables is an empty picture, not an error; one without links has its boxes in columns."""
    assert drawing(scene([], [])).boxes == ()
    found = drawing(scene([box(f"t{number}") for number in range(9)], []))
    assert overlaps(found) == []
    assert len({placed.x for placed in found.boxes}) > 1


def test_a_picture_has_a_sensible_shape() -> None:
    """Many tables that refer to one are not one endless column."""
    boxes = [box("hub"), *(box(f"t{number:02}", "hub_id", *"abcdef") for number in range(40))]
    found = drawing(scene(boxes, [link(one.table, "hub_id", "hub") for one in boxes[1:]]))
    assert 0.4 < found.width / found.height < 2.5
    assert through_boxes(found) == []


def test_a_big_schema_is_drawn_in_seconds() -> None:
    """Three hundred tables in chains and stars are drawn in a few seconds."""
    boxes = [box(f"t{number:03}", "a", "b", "c", "d") for number in range(300)]
    links = [link(one.table, "a", boxes[number // 3].table) for number, one in enumerate(boxes) if number]
    links += [link(one.table, "b", boxes[number // 7].table) for number, one in enumerate(boxes) if number % 5 == 1]
    found = drawing(scene(boxes, links))
    assert overlaps(found) == []


def test_the_legend_wraps() -> None:
    """Modules that do not fit into a line go on in the next one, and all of them are named."""
    boxes = [box(f"t{number}", module=f"{number:02}-a-module-with-a-name") for number in range(20)]
    found = legend_entries(scene(boxes, []), 700)
    assert len(found) == 20
    assert len({entry.y for entry in found}) > 4
    assert all(entry.x + width(entry.module) < 700 for entry in found)


def test_awkward_scenes_follow_the_rules_too() -> None:
    """Long names, circles and references to itself are nothing special."""
    found = drawing(awkward())
    assert overlaps(found) == []
    assert through_boxes(found) == []
