"""A drawing as SVG: selectable text, light and dark colours, and comments as the titles of elements."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from infra.schema_docs.diagram import colours
from infra.schema_docs.diagram.legend import FIRST_LINE, SIGNS, SWATCH, legend_entries
from infra.schema_docs.diagram.measures import (
    CELL_WIDTH,
    FONT_SIZE,
    MARGIN,
    PADDING,
    ROW_HEIGHT,
    TITLE_HEIGHT,
    text_width,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.schema_docs.diagram.drawing import Drawing, Line, PlacedBox, Point
    from infra.schema_docs.diagram.scene import Row

RADIUS = 5
BASELINE = FONT_SIZE // 3
FOOT_LENGTH, ARROW_LENGTH = 10, 8
NAMESPACE = "http://www.w3.org/2000/svg"


def render_svg(
    drawing: Drawing, *, name: str = "erd", style: bool = True, link_to: Callable[[str], str] | None = None
) -> str:
    """Return the picture as an SVG element.

    `name` begins the ids of its title and description. Without `style` the page around it must have the rules.
    `link_to` returns the address that the title of a table's box links to.
    """
    root = ET.Element(
        "svg",
        {
            "xmlns": NAMESPACE,
            "class": "erd",
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-description",
            "viewBox": f"0 0 {drawing.width} {drawing.height}",
            "width": str(drawing.width),
            "height": str(drawing.height),
        },
    )
    ET.SubElement(root, "title", id=f"{name}-title").text = drawing.scene.title
    ET.SubElement(root, "desc", id=f"{name}-description").text = describe(drawing)
    if style:
        ET.SubElement(root, "style").text = standalone_style(len(drawing.scene.modules))
    ET.SubElement(root, "rect", {"class": "ground", "width": "100%", "height": "100%"})
    _legend(root, drawing)
    targets = list(dict.fromkeys(line.link.target for line in drawing.lines))
    lines = ET.SubElement(root, "g", {"class": "lines"})
    for line in drawing.lines:
        _line(lines, line, targets.index(line.link.target) % colours.HUES)
    boxes = ET.SubElement(root, "g", {"class": "boxes"})
    for placed in drawing.boxes:
        _box(boxes, placed, drawing.scene.modules.index(placed.box.module), link_to)
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode") + "\n"


def describe(drawing: Drawing) -> str:
    """Return the picture's content in words, for readers who cannot see it."""
    tables = [placed.box.title for placed in drawing.boxes if not placed.box.stub]
    links = "; ".join(str(line.link) for line in drawing.lines)
    return f"{len(tables)} tables: {', '.join(tables)}. " + (f"Foreign keys: {links}." if links else "No foreign keys.")


def standalone_style(modules: int) -> str:
    """Return the rules of a picture that stands alone: light, and dark where the reader prefers that."""
    light = colours.stylesheet(lambda light, _dark: light, modules)
    dark = colours.stylesheet(lambda _light, dark: dark, modules)
    return f"\n{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


def _legend(root: ET.Element, drawing: Drawing) -> None:
    """Add the title, and what signs and colours mean."""
    group = ET.SubElement(root, "g", {"class": "legend"})
    _text(group, (MARGIN, FIRST_LINE), drawing.scene.title, "name")
    for number, signs in enumerate(SIGNS, 1):
        _text(group, (MARGIN, FIRST_LINE + ROW_HEIGHT * number), signs, "faint")
    for module, x, y in legend_entries(drawing.scene, drawing.width):
        kind = f"m{drawing.scene.modules.index(module)}"
        patch = {"x": str(x), "y": str(y - SWATCH + 2), "width": str(SWATCH), "height": str(SWATCH), "rx": "2"}
        ET.SubElement(group, "rect", {"class": kind, **patch})
        _text(group, (x + SWATCH + PADDING, y), module, "module")


def _box(parent: ET.Element, placed: PlacedBox, number: int, link_to: Callable[[str], str] | None) -> None:
    box = placed.box
    group = ET.SubElement(parent, "g", {"class": "table stub" if box.stub else "table", "data-table": box.table})
    if box.comment:
        ET.SubElement(group, "title").text = box.comment
    frame = {"x": str(placed.x), "y": str(placed.y), "width": str(placed.width), "height": str(box.height), "rx": "4"}
    ET.SubElement(group, "rect", {"class": "body", **frame})
    ET.SubElement(group, "rect", {"class": f"m{number}", **frame, "height": str(TITLE_HEIGHT)})
    title = ET.SubElement(group, "a", href=link_to(box.table)) if link_to else group
    middle = placed.y + TITLE_HEIGHT // 2 + BASELINE
    _text(title, (placed.x + PADDING, middle), box.title, "title")
    if box.stub:
        _text(group, (placed.x + placed.width - PADDING - text_width(box.module), middle), box.module, "faint")
    for place, row in enumerate(box.rows):
        _row(group, placed, row, placed.y + TITLE_HEIGHT + ROW_HEIGHT * place)
    ET.SubElement(group, "rect", {"class": "frame", **frame})


def _row(parent: ET.Element, placed: PlacedBox, row: Row, top: int) -> None:
    left, right = placed.x + PADDING, placed.x + placed.width - PADDING
    middle = top + ROW_HEIGHT // 2 + BASELINE
    line = ET.SubElement(parent, "g", {"class": "column", "data-column": row.column})
    if row.comment:
        ET.SubElement(line, "title").text = row.comment
    ends = {"x1": str(placed.x), "x2": str(placed.x + placed.width), "y1": str(top), "y2": str(top)}
    ET.SubElement(line, "line", {"class": "rule", **ends})
    if row.keys:
        _text(line, (left, middle), " ".join(row.keys), "key")
    _text(line, (left + placed.box.keys_width, middle), row.column, "column-name")
    types = right - int(2 * CELL_WIDTH) - PADDING - max(text_width(other.type) for other in placed.box.rows)
    _text(line, (types, middle), row.type, "type")
    if row.required:
        _text(line, (right - int(2 * CELL_WIDTH), middle), "NN", "nn")


def _text(parent: ET.Element, at: Point, text: str, kind: str) -> None:
    ET.SubElement(parent, "text", {"class": kind, "x": str(at[0]), "y": str(at[1])}).text = text


def _line(parent: ET.Element, line: Line, number: int) -> None:
    link = line.link
    kinds = ["link", f"l{number}", *(["optional"] if link.optional else [])]
    group = ET.SubElement(
        parent, "g", {"class": " ".join(kinds), "data-from": link.source, "data-to": link.target, "data-key": link.name}
    )
    ET.SubElement(group, "title").text = str(link)
    ET.SubElement(group, "path", {"class": "way", "d": _path(line.points)})
    ET.SubElement(group, "path", {"class": "sign", "d": _foot(line) if link.many else _bar(line)})
    ET.SubElement(group, "path", {"class": "arrow", "d": _arrow(line)})


def _path(points: tuple[Point, ...]) -> str:
    """Return the path through the points, its corners rounded as far as there is room."""
    parts = ["M{} {}".format(*points[0])]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        radius = min(RADIUS, _length(before, corner) // 2, _length(corner, after) // 2)
        parts.append("L{} {}".format(*_toward(corner, before, radius)))
        parts.append("Q{} {} {} {}".format(*corner, *_toward(corner, after, radius)))
    return "".join([*parts, "L{} {}".format(*points[-1])])


def _length(start: Point, end: Point) -> int:
    return abs(start[0] - end[0]) + abs(start[1] - end[1])


def _toward(start: Point, end: Point, length: int) -> Point:
    """Return the point at a distance from the start towards the end; the line between them is level or upright."""
    return start[0] + _sign(end[0] - start[0]) * length, start[1] + _sign(end[1] - start[1]) * length


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def _foot(line: Line) -> str:
    """Return the crow's foot at the referring row: many rows may refer to the same row."""
    (x, y), outward = line.points[0], _sign(line.points[1][0] - line.points[0][0])
    tip = x + outward * FOOT_LENGTH
    return f"M{x} {y - 5}L{tip} {y}L{x} {y + 5}"


def _bar(line: Line) -> str:
    """Return the bar at the referring row: at most one row refers to each row."""
    (x, y), outward = line.points[0], _sign(line.points[1][0] - line.points[0][0])
    return f"M{x + outward * FOOT_LENGTH} {y - 5}L{x + outward * FOOT_LENGTH} {y + 5}"


def _arrow(line: Line) -> str:
    """Return the arrow at the row that is referred to."""
    (x, y), outward = line.points[-1], _sign(line.points[-2][0] - line.points[-1][0])
    return f"M{x} {y}L{x + outward * ARROW_LENGTH} {y - 4}L{x + outward * ARROW_LENGTH} {y + 4}Z"
