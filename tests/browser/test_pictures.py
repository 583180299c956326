"""What a reader sees in the pictures: they are rendered, and every text and line is measured where it is."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.schema_docs.diagram.drawing import drawing
from infra.schema_docs.diagram.svg import svg
from models import MODULES
from tests.browser import expected
from tests.unit.schema_docs.diagram.scenes import awkward

if TYPE_CHECKING:
    from tests.browser.window import Window

ROOT = Path(__file__).parents[2]
PICTURES = {"schema": "", **{module: module for module in MODULES}}
SLACK = 0.6  # pixels

# Everything of a picture as it is rendered: boxes and texts with their corners, lines with the corners of both ends.
MEASURE = """
const corners = (element) => { const r = element.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; };
const plain = (text) => text.replaceAll('"', '').replace(/^public\\./, '');
const at = (path, length) => {
  const point = path.getPointAtLength(length).matrixTransform(path.getScreenCTM()); return [point.x, point.y];
};
return {
  whole: corners(document.documentElement),
  boxes: [...document.querySelectorAll('.table')].map((table) => ({
    table: plain(table.dataset.table),
    stub: table.classList.contains('stub'),
    title: plain(table.querySelector('.title').textContent),
    corners: corners(table.querySelector('.frame')),
    texts: [...table.querySelectorAll('text')].map((text) => ({text: text.textContent, corners: corners(text)})),
    columns: [...table.querySelectorAll('.column')].map((column) => ({
      name: plain(column.querySelector('.column-name').textContent),
      type: column.querySelector('.type').textContent,
      keys: column.querySelector('.key')?.textContent ?? '',
      required: column.querySelector('.nn') !== null,
      corners: corners(column.querySelector('.column-name')),
    })),
  })),
  lines: [...document.querySelectorAll('.link')].map((link) => {
    const way = link.querySelector('.way');
    return {
      from: plain(link.dataset.from), to: plain(link.dataset.to), title: link.querySelector('title').textContent,
      start: at(way, 0), end: at(way, way.getTotalLength()), arrow: corners(link.querySelector('.arrow')),
      visible: getComputedStyle(way).stroke !== 'none',
    };
  }),
  legend: [...document.querySelectorAll('.legend text')].map(
    (text) => ({text: text.textContent, corners: corners(text)})),
};
"""


def measured(window: Window) -> dict[str, Any]:
    """Measure the picture that the browser shows."""
    return window.ask(MEASURE)


def inside(inner: list[float], outer: list[float]) -> bool:
    """Say whether one rectangle is in another."""
    return (
        inner[0] >= outer[0] - SLACK
        and inner[1] >= outer[1] - SLACK
        and inner[2] <= outer[2] + SLACK
        and inner[3] <= outer[3] + SLACK
    )


def overlap(one: list[float], other: list[float]) -> bool:
    """Say whether two rectangles share more than an edge."""
    return (
        min(one[2], other[2]) - max(one[0], other[0]) > SLACK and min(one[3], other[3]) - max(one[1], other[1]) > SLACK
    )


def faults(found: dict[str, Any]) -> list[str]:
    """Name every box that overlaps another one, every text that leaves its box or touches another text."""
    wrong = [
        f"{one['table']} overlaps {other['table']}"
        for one, other in combinations(found["boxes"], 2)
        if overlap(one["corners"], other["corners"])
    ]
    for box in found["boxes"]:
        if not inside(box["corners"], found["whole"]):
            wrong.append(f"{box['table']} leaves the picture")
        wrong += [
            f"{text['text']} leaves {box['table']}"
            for text in box["texts"]
            if not inside(text["corners"], box["corners"])
        ]
        wrong += [
            f"{one['text']} touches {other['text']} in {box['table']}"
            for one, other in combinations(box["texts"], 2)
            if overlap(one["corners"], other["corners"])
        ]
    wrong += [
        f"{text['text']} leaves the picture" for text in found["legend"] if not inside(text["corners"], found["whole"])
    ]
    return wrong


def wrong_ends(found: dict[str, Any]) -> list[str]:
    """Name every line that does not lead from a side of the referring box, at its column, to the referred one's."""
    boxes = {box["table"]: box for box in found["boxes"]}
    wrong: list[str] = []
    for line in found["lines"]:
        for end, table in ((line["start"], line["from"]), (line["end"], line["to"])):
            left, top, right, bottom = boxes[table]["corners"]
            if not (top < end[1] < bottom and min(abs(end[0] - left), abs(end[0] - right)) <= 1):
                wrong.append(f"{line['title']}: {end} is not at a side of {table}")
        if not line["visible"] or not line["arrow"][0] - 1 <= line["end"][0] <= line["arrow"][2] + 1:
            wrong.append(f"{line['title']}: no arrow")
    return wrong


def column_at(box: dict[str, Any], height: float) -> str:
    """Name the column of a box whose text is at that height."""
    return next((one["name"] for one in box["columns"] if one["corners"][1] <= height <= one["corners"][3]), "")


@pytest.mark.parametrize("picture", PICTURES)
def test_every_table_column_and_type_is_seen(picture: str, window: Window) -> None:
    """The rendered text has every table of the models that belongs there, with its columns in order, types and keys."""
    found = measured(window.open(ROOT / "docs" / "schema" / f"{picture}.svg"))
    boxes = {box["table"]: box for box in found["boxes"] if not box["stub"]}
    tables = expected.tables(PICTURES[picture])
    assert set(boxes) == {table.name for table in tables}
    for table in tables:
        box = boxes[table.name]
        assert box["title"] == table.name
        assert [column["name"] for column in box["columns"]] == expected.columns(table)
        for shown, column in zip(box["columns"], table.columns, strict=True):
            assert shown["type"] == expected.type_of(column), f"{table.name}.{column.name}"
            assert shown["required"] == (not column.nullable), f"{table.name}.{column.name}"
            assert ("PK" in shown["keys"].split()) == column.primary_key, f"{table.name}.{column.name}"
            assert ("FK" in shown["keys"].split()) == bool(column.foreign_keys), f"{table.name}.{column.name}"


@pytest.mark.parametrize("picture", PICTURES)
def test_nothing_overlaps_and_no_text_leaves_its_box(picture: str, window: Window) -> None:
    """With the fonts of this machine, boxes stand apart, and texts stay in their boxes without touching."""
    assert faults(measured(window.open(ROOT / "docs" / "schema" / f"{picture}.svg"))) == []


@pytest.mark.parametrize("picture", PICTURES)
def test_every_foreign_key_is_a_line_between_the_right_columns(picture: str, window: Window) -> None:
    """Each foreign key of the models has one line, from the referring column to the one it refers to."""
    found = measured(window.open(ROOT / "docs" / "schema" / f"{picture}.svg"))
    assert wrong_ends(found) == []
    boxes = {box["table"]: box for box in found["boxes"]}
    shown = sorted(
        (
            line["from"],
            column_at(boxes[line["from"]], line["start"][1]),
            line["to"],
            column_at(boxes[line["to"]], line["end"][1]),
        )
        for line in found["lines"]
    )
    own = {table.name for table in expected.tables(PICTURES[picture])}
    wanted = [key for table in expected.tables() for key in expected.keys(table) if own & {key[0], key[2]}]
    assert shown == sorted(wanted)


def test_awkward_names_stay_in_their_boxes(window: Window, tmp_path: Path) -> None:
    """Long, wide, quoted and marked-up names, circles and references to itself are drawn as well as others."""
    path = tmp_path / "awkward.svg"
    path.write_text(svg(drawing(awkward())), encoding="utf-8")
    found = measured(window.open(path))
    assert faults(found) == []
    assert wrong_ends(found) == []
    assert "<script>alert(1)</script>" in [box["title"] for box in found["boxes"]]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_is_readable_in_light_and_dark(dark: bool, window: Window) -> None:  # noqa: FBT001 (a case)
    """Every text has a contrast of 4.5 to the ground that it stands on, as WCAG asks."""
    window.open(ROOT / "docs" / "schema" / "schema.svg", dark=dark)
    pairs = window.ask("""
        const fill = (element) => getComputedStyle(element).fill.match(/[\\d.]+/g).map(Number);
        return [...document.querySelectorAll('text')].map((text) => {
          const table = text.closest('.table');
          const title = text.classList.contains('title');
          const ground = !table ? '.ground' : null;
          const on = ground ? document.querySelector(ground) : table.querySelectorAll('rect')[title ? 1 : 0];
          return [text.textContent, fill(text), fill(on)];
        });
    """)
    assert len(pairs) > 600
    assert [text for text, one, other in pairs if contrast(one, other) < 4.5] == []
    ground = window.ask("return getComputedStyle(document.querySelector('.ground')).fill")
    assert ground == ("rgb(13, 17, 23)" if dark else "rgb(255, 255, 255)")


def contrast(one: list[float], other: list[float]) -> float:
    """Give the contrast of two colours (WCAG 2.2, relative luminance)."""
    lights = sorted(_luminance(colour) for colour in (one, other))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(colour: list[float]) -> float:
    channels = [value / 255 for value in colour[:3]]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
