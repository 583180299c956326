"""The pictures as a browser renders them: every text and line is measured."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest

from infra.schema_docs.diagram.drawing import lay_out
from infra.schema_docs.diagram.svg import render_svg
from tests.browser.contrast import contrast
from tests.browser.expected import type_of
from tests.unit.schema_docs.diagram.scenes import awkward

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.expected import Documents
    from tests.browser.window import Window

pytest_plugins = ["tests.browser.chromium"]

SLACK = 0.6  # pixels

# Everything of a picture as it is rendered: boxes and texts with their corners, lines with the corners of both ends.
MEASURE = """
const corners = (element) => { const r = element.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; };
const unquoted = (text) => text.replaceAll('"', '').replace(/^public\\./, '');
const at = (path, length) => {
  const point = path.getPointAtLength(length).matrixTransform(path.getScreenCTM()); return [point.x, point.y];
};
return {
  whole: corners(document.documentElement),
  boxes: [...document.querySelectorAll('.table')].map((table) => ({
    table: unquoted(table.dataset.table),
    stub: table.classList.contains('stub'),
    title: unquoted(table.querySelector('.title').textContent),
    corners: corners(table.querySelector('.frame')),
    texts: [...table.querySelectorAll('text')].map((text) => ({text: text.textContent, corners: corners(text)})),
    columns: [...table.querySelectorAll('.column')].map((column) => ({
      name: unquoted(column.querySelector('.column-name').textContent),
      type: column.querySelector('.type').textContent,
      keys: column.querySelector('.key')?.textContent ?? '',
      required: column.querySelector('.nn') !== null,
      corners: corners(column.querySelector('.column-name')),
    })),
  })),
  lines: [...document.querySelectorAll('.link')].map((link) => {
    const path = link.querySelector('.way');
    return {
      from: unquoted(link.dataset.from), to: unquoted(link.dataset.to), title: link.querySelector('title').textContent,
      start: at(path, 0), end: at(path, path.getTotalLength()), arrow: corners(link.querySelector('.arrow')),
      visible: getComputedStyle(path).stroke !== 'none',
    };
  }),
  legend: [...document.querySelectorAll('.legend text')].map(
    (text) => ({text: text.textContent, corners: corners(text)})),
};
"""


def measure(window: Window) -> dict[str, Any]:
    """Return the measures of the picture that the browser shows."""
    return window.evaluate(MEASURE)


def inside(inner: list[float], outer: list[float]) -> bool:
    """Return whether a rectangle is in another."""
    return (
        inner[0] >= outer[0] - SLACK
        and inner[1] >= outer[1] - SLACK
        and inner[2] <= outer[2] + SLACK
        and inner[3] <= outer[3] + SLACK
    )


def overlap(first: list[float], second: list[float]) -> bool:
    """Return whether two rectangles share more than an edge."""
    return (
        min(first[2], second[2]) - max(first[0], second[0]) > SLACK
        and min(first[3], second[3]) - max(first[1], second[1]) > SLACK
    )


def faults(measures: dict[str, Any]) -> list[str]:
    """Return a sentence for every box that overlaps another, and every text outside its box or touching another."""
    sentences = [
        f"{first['table']} overlaps {second['table']}"
        for first, second in combinations(measures["boxes"], 2)
        if overlap(first["corners"], second["corners"])
    ]
    for box in measures["boxes"]:
        if not inside(box["corners"], measures["whole"]):
            sentences.append(f"{box['table']} leaves the picture")
        sentences += [
            f"{text['text']} leaves {box['table']}"
            for text in box["texts"]
            if not inside(text["corners"], box["corners"])
        ]
        sentences += [
            f"{first['text']} touches {second['text']} in {box['table']}"
            for first, second in combinations(box["texts"], 2)
            if overlap(first["corners"], second["corners"])
        ]
    sentences += [
        f"{text['text']} leaves the picture"
        for text in measures["legend"]
        if not inside(text["corners"], measures["whole"])
    ]
    return sentences


def wrong_ends(measures: dict[str, Any]) -> list[str]:
    """Return a sentence for every line that does not lead from a side of one box to a side of the other."""
    boxes = {box["table"]: box for box in measures["boxes"]}
    sentences: list[str] = []
    for line in measures["lines"]:
        for end, table in ((line["start"], line["from"]), (line["end"], line["to"])):
            left, top, right, bottom = boxes[table]["corners"]
            if not (top < end[1] < bottom and min(abs(end[0] - left), abs(end[0] - right)) <= 1):
                sentences.append(f"{line['title']}: {end} is not at a side of {table}")
        if not line["visible"] or not line["arrow"][0] - 1 <= line["end"][0] <= line["arrow"][2] + 1:
            sentences.append(f"{line['title']}: no arrow")
    return sentences


def column_at(box: dict[str, Any], height: float) -> str:
    """Return the name of the column of a box whose text is at a height, '' when there is none."""
    return next(
        (column["name"] for column in box["columns"] if column["corners"][1] <= height <= column["corners"][3]), ""
    )


def test_every_table_column_and_type_is_shown(picture: str, documents: Documents, window: Window) -> None:
    """The rendered text has every table of the picture, with its columns in order, their types and keys."""
    measures = measure(window.open(documents.folder / f"{picture}.svg"))
    boxes = {box["table"]: box for box in measures["boxes"] if not box["stub"]}
    tables = documents.tables(picture)
    assert set(boxes) == {table.name for table in tables}
    for table in tables:
        box = boxes[table.name]
        assert box["title"] == table.name
        assert [column["name"] for column in box["columns"]] == [column.name for column in table.columns]
        for shown, column in zip(box["columns"], table.columns, strict=True):
            assert shown["type"] == type_of(column), f"{table.name}.{column.name}"
            assert shown["required"] == (not column.nullable), f"{table.name}.{column.name}"
            assert ("PK" in shown["keys"].split()) == column.primary_key, f"{table.name}.{column.name}"
            assert ("FK" in shown["keys"].split()) == bool(column.foreign_keys), f"{table.name}.{column.name}"


def test_nothing_overlaps_and_no_text_leaves_its_box(picture: str, documents: Documents, window: Window) -> None:
    """With the fonts of this machine boxes stand apart, and texts stay in their boxes without touching each other."""
    assert faults(measure(window.open(documents.folder / f"{picture}.svg"))) == []


def test_every_foreign_key_is_a_line_between_the_right_columns(
    picture: str, documents: Documents, window: Window
) -> None:
    """Each foreign key of the models has a line, from the referring column to the column referred to."""
    measures = measure(window.open(documents.folder / f"{picture}.svg"))
    assert wrong_ends(measures) == []
    boxes = {box["table"]: box for box in measures["boxes"]}
    shown = sorted(
        (
            line["from"],
            column_at(boxes[line["from"]], line["start"][1]),
            line["to"],
            column_at(boxes[line["to"]], line["end"][1]),
        )
        for line in measures["lines"]
    )
    assert shown == sorted(documents.foreign_keys(picture))


def test_awkward_names_stay_in_their_boxes(window: Window, tmp_path: Path) -> None:
    """Long, wide, quoted names and markup, cycles and self-references are drawn without faults."""
    path = tmp_path / "awkward.svg"
    path.write_text(render_svg(lay_out(awkward())), encoding="utf-8")
    measures = measure(window.open(path))
    assert faults(measures) == []
    assert wrong_ends(measures) == []
    assert "<script>alert(1)</script>" in [box["title"] for box in measures["boxes"]]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_is_readable_in_light_and_dark(dark: bool, documents: Documents, window: Window) -> None:  # noqa: FBT001 (a case)
    """Every text has a contrast of 4.5 to its background, as WCAG 2.2 requires (1.4.3)."""
    window.open(documents.folder / "schema.svg", dark=dark)
    pairs = window.evaluate("""
        const fill = (element) => getComputedStyle(element).fill.match(/[\\d.]+/g).map(Number);
        return [...document.querySelectorAll('text')].map((text) => {
          const table = text.closest('.table');
          const title = text.classList.contains('title');
          const ground = !table ? '.ground' : null;
          const on = ground ? document.querySelector(ground) : table.querySelectorAll('rect')[title ? 1 : 0];
          return [text.textContent, fill(text), fill(on)];
        });
    """)
    assert len(pairs) > 2 * sum(len(table.columns) for table in documents.tables())
    assert [text for text, colour, ground in pairs if contrast(colour, ground) < 4.5] == []
    background = window.evaluate("return getComputedStyle(document.querySelector('.ground')).fill")
    assert background == ("rgb(13, 17, 23)" if dark else "rgb(255, 255, 255)")
