"""The layout of a picture: the rules that make it readable hold for scenes of any shape."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest

from infra.schema_docs.diagram.drawing import Drawing, Line, lay_out
from infra.schema_docs.diagram.legend import legend_entries, legend_height
from infra.schema_docs.diagram.measures import MARGIN, text_width
from tests.unit.schema_docs.diagram.scenes import awkward, box, link, random_scene, scene

SEEDS = range(60)


def overlaps(drawing: Drawing) -> list[tuple[str, str]]:
    """Return the pairs of boxes that are nearer to each other than lines are."""
    return [
        (first.box.table, second.box.table)
        for first, second in combinations(drawing.boxes, 2)
        if first.x < second.x + second.width + 10
        and second.x < first.x + first.width + 10
        and first.y < second.bottom + 10
        and second.y < first.bottom + 10
    ]


def through_boxes(drawing: Drawing) -> list[str]:
    """Return the lines that go through a box, as text."""
    return [
        f"{line.link} through {placed.box.table}"
        for line in drawing.lines
        for (x, y), (to_x, to_y) in pairwise(line.points)
        for placed in drawing.boxes
        if min(x, to_x) < placed.x + placed.width
        and max(x, to_x) > placed.x
        and min(y, to_y) < placed.bottom
        and max(y, to_y) > placed.y
    ]


def segments(line: Line, *, level: bool) -> list[tuple[int, int, int]]:
    """Return the level or the upright parts of a line: its position, its start, its end."""
    axis = 1 if level else 0
    return [
        (start[axis], min(start[1 - axis], end[1 - axis]), max(start[1 - axis], end[1 - axis]))
        for start, end in pairwise(line.points)
        if start[axis] == end[axis] and start != end
    ]


def coinciding(drawing: Drawing) -> list[str]:
    """Return the lines to different rows that lie upon each other, except those that begin or end in the same row."""
    pairs: list[str] = []
    for first, second in combinations(drawing.lines, 2):
        if (first.link.target, first.link.target_columns) == (second.link.target, second.link.target_columns):
            continue
        if {first.points[0], first.points[-1]} & {second.points[0], second.points[-1]}:
            continue
        for level in (True, False):
            pairs += [
                f"{first.link} and {second.link}"
                for at, start, end in segments(first, level=level)
                for place, begin, stop in segments(second, level=level)
                if abs(at - place) < 3 and start < stop and begin < end
            ]
    return pairs


@pytest.mark.parametrize("seed", SEEDS)
def test_a_picture_of_any_shape_is_readable(seed: int) -> None:
    """Boxes stand apart, lines go round them, and lines to different rows do not lie upon each other."""
    drawing = lay_out(random_scene(seed))
    assert overlaps(drawing) == []
    assert through_boxes(drawing) == []
    assert coinciding(drawing) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_every_line_leads_from_row_to_row(seed: int) -> None:
    """A line leads from a side of the referring box, at its column's row, to that of the other, with right angles."""
    drawing = lay_out(random_scene(seed))
    boxes = {placed.box.table: placed for placed in drawing.boxes}
    assert len(drawing.lines) == len(drawing.scene.links)
    for line in drawing.lines:
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
def test_everything_is_within_the_margins(seed: int) -> None:
    """Boxes and lines keep the margin, and stand below title and legend."""
    drawing = lay_out(random_scene(seed))
    top = legend_height(drawing.scene, drawing.width)
    for placed in drawing.boxes:
        assert placed.x >= MARGIN
        assert placed.x + placed.width <= drawing.width - MARGIN
        assert top <= placed.y
        assert placed.bottom <= drawing.height - MARGIN
    for line in drawing.lines:
        assert all(0 < x < drawing.width and top <= y < drawing.height for x, y in line.points)


def test_the_same_scene_gives_the_same_drawing() -> None:
    """A drawing depends neither on chance nor on the order of sets."""
    assert [lay_out(random_scene(seed)) for seed in (1, 2)] == [lay_out(random_scene(seed)) for seed in (1, 2)]


def test_what_is_referred_to_stands_left() -> None:
    """Without cycles every line leads to the left."""
    drawing = lay_out(scene([box("c", "b"), box("a"), box("b", "a")], [link("c", "b", "b"), link("b", "a", "a")]))
    places = {placed.box.table: placed.x for placed in drawing.boxes}
    assert places["a"] < places["b"] < places["c"]
    assert all(line.points[0][0] > line.points[-1][0] for line in drawing.lines)


def test_lines_do_not_cross_where_they_need_not() -> None:
    """Linked tables stand in the same order in both layers, whatever the order of their names."""
    boxes = [box("a"), box("b"), box("y", "to"), box("z", "to")]
    drawing = lay_out(scene(boxes, [link("y", "to", "b"), link("z", "to", "a")]))
    places = {placed.box.table: placed.y for placed in drawing.boxes}
    assert (places["a"] < places["b"]) == (places["z"] < places["y"])


def test_an_empty_scene_is_a_title() -> None:
    """A schema without tables is an empty picture, not an error; one without links has its boxes in columns."""
    assert lay_out(scene([], [])).boxes == ()
    drawing = lay_out(scene([box(f"t{number}") for number in range(9)], []))
    assert overlaps(drawing) == []
    assert len({placed.x for placed in drawing.boxes}) > 1


def test_a_picture_has_a_sensible_shape() -> None:
    """Many tables that refer to one are not one endless column."""
    boxes = [box("hub"), *(box(f"t{number:02}", "hub_id", *"abcdef") for number in range(40))]
    drawing = lay_out(scene(boxes, [link(source.table, "hub_id", "hub") for source in boxes[1:]]))
    assert 0.4 < drawing.width / drawing.height < 2.5
    assert through_boxes(drawing) == []


def test_a_big_schema_is_drawn_in_seconds() -> None:
    """Three hundred tables in chains and stars are drawn in a few seconds."""
    boxes = [box(f"t{number:03}", "a", "b", "c", "d") for number in range(300)]
    links = [link(f"t{number:03}", "a", f"t{number // 3:03}") for number in range(1, 300)]
    links += [link(f"t{number:03}", "b", f"t{number // 7:03}") for number in range(1, 300, 5)]
    drawing = lay_out(scene(boxes, links))
    assert overlaps(drawing) == []


def test_the_legend_wraps() -> None:
    """Modules that do not fit into a line continue in the next one, and all of them are named."""
    boxes = [box(f"t{number}", module=f"{number:02}-a-module-with-a-name") for number in range(20)]
    entries = legend_entries(scene(boxes, []), 700)
    assert len(entries) == 20
    assert len({entry.y for entry in entries}) > 4
    assert all(entry.x + text_width(entry.module) < 700 for entry in entries)


def test_awkward_scenes_follow_the_rules_too() -> None:
    """Long names, cycles and self-references are laid out without overlaps as well."""
    drawing = lay_out(awkward())
    assert overlaps(drawing) == []
    assert through_boxes(drawing) == []
