"""A drawing as SVG: text that can be selected, light and dark, a title for whatever has one."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from infra.schema_docs.diagram import colours
from infra.schema_docs.diagram.legend import FIRST_LINE, SIGNS, SWATCH, legend_entries
from infra.schema_docs.diagram.measures import CELL, FONT, HEAD, MARGIN, PAD, ROW, width

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.schema_docs.diagram.drawing import Drawing, Line, Placed, Point
    from infra.schema_docs.diagram.scene import Row

RADIUS = 5
BASELINE = FONT // 3
FOOT, ARROW = 10, 8
NAMESPACE = "http://www.w3.org/2000/svg"


def svg(drawing: Drawing, *, name: str = "erd", style: bool = True, link_to: Callable[[str], str] | None = None) -> str:
    """Give the picture; without `style` the page that it stands in has the rules. `link_to` makes titles links."""
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
    ET.SubElement(root, "desc", id=f"{name}-description").text = described(drawing)
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


def described(drawing: Drawing) -> str:
    """Say in words what is to be seen, for those who cannot see it."""
    own = [placed.box.title for placed in drawing.boxes if not placed.box.stub]
    links = "; ".join(str(line.link) for line in drawing.lines)
    return f"{len(own)} tables: {', '.join(own)}. " + (f"Foreign keys: {links}." if links else "No foreign keys.")


def standalone_style(modules: int) -> str:
    """Give the rules of a picture that stands alone: light, and dark where the reader prefers that."""
    light, dark = colours.style(lambda one, _: one, modules), colours.style(lambda _, one: one, modules)
    return f"\n{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


def _legend(root: ET.Element, drawing: Drawing) -> None:
    """Say what is shown, and what signs and colours mean."""
    group = ET.SubElement(root, "g", {"class": "legend"})
    _text(group, (MARGIN, FIRST_LINE), drawing.scene.title, "name")
    for number, signs in enumerate(SIGNS, 1):
        _text(group, (MARGIN, FIRST_LINE + ROW * number), signs, "faint")
    for module, x, y in legend_entries(drawing.scene, drawing.width):
        kind = f"m{drawing.scene.modules.index(module)}"
        patch = {"x": str(x), "y": str(y - SWATCH + 2), "width": str(SWATCH), "height": str(SWATCH), "rx": "2"}
        ET.SubElement(group, "rect", {"class": kind, **patch})
        _text(group, (x + SWATCH + PAD, y), module, "module")


def _box(parent: ET.Element, placed: Placed, number: int, link_to: Callable[[str], str] | None) -> None:
    box = placed.box
    group = ET.SubElement(parent, "g", {"class": "table stub" if box.stub else "table", "data-table": box.table})
    if box.comment:
        ET.SubElement(group, "title").text = box.comment
    frame = {"x": str(placed.x), "y": str(placed.y), "width": str(placed.width), "height": str(box.height), "rx": "4"}
    ET.SubElement(group, "rect", {"class": "body", **frame})
    ET.SubElement(group, "rect", {"class": f"m{number}", **frame, "height": str(HEAD)})
    title = ET.SubElement(group, "a", href=link_to(box.table)) if link_to else group
    middle = placed.y + HEAD // 2 + BASELINE
    _text(title, (placed.x + PAD, middle), box.title, "title")
    if box.stub:
        _text(group, (placed.x + placed.width - PAD - width(box.module), middle), box.module, "faint")
    for place, row in enumerate(box.rows):
        _row(group, placed, row, placed.y + HEAD + ROW * place)
    ET.SubElement(group, "rect", {"class": "frame", **frame})


def _row(parent: ET.Element, placed: Placed, row: Row, top: int) -> None:
    left, right = placed.x + PAD, placed.x + placed.width - PAD
    middle = top + ROW // 2 + BASELINE
    line = ET.SubElement(parent, "g", {"class": "column", "data-column": row.column})
    if row.comment:
        ET.SubElement(line, "title").text = row.comment
    ends = {"x1": str(placed.x), "x2": str(placed.x + placed.width), "y1": str(top), "y2": str(top)}
    ET.SubElement(line, "line", {"class": "rule", **ends})
    if row.keys:
        _text(line, (left, middle), " ".join(row.keys), "key")
    _text(line, (left + placed.box.keys_width, middle), row.column, "column-name")
    types = right - int(2 * CELL) - PAD - max(width(other.type) for other in placed.box.rows)
    _text(line, (types, middle), row.type, "type")
    if row.required:
        _text(line, (right - int(2 * CELL), middle), "NN", "nn")


def _text(parent: ET.Element, at: Point, text: str, kind: str) -> None:
    ET.SubElement(parent, "text", {"class": kind, "x": str(at[0]), "y": str(at[1])}).text = text


def _line(parent: ET.Element, line: Line, number: int) -> None:
    link = line.link
    kinds = ["link", f"l{number}", *(["optional"] if link.optional else [])]
    group = ET.SubElement(
        parent, "g", {"class": " ".join(kinds), "data-from": link.source, "data-to": link.target, "data-key": link.name}
    )
    ET.SubElement(group, "title").text = str(link)
    ET.SubElement(group, "path", {"class": "way", "d": _way(line.points)})
    ET.SubElement(group, "path", {"class": "sign", "d": _foot(line) if link.many else _bar(line)})
    ET.SubElement(group, "path", {"class": "arrow", "d": _arrow(line)})


def _way(points: tuple[Point, ...]) -> str:
    """Give the path through the points, its corners rounded as far as there is room."""
    parts = ["M{} {}".format(*points[0])]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        radius = min(RADIUS, _length(before, corner) // 2, _length(corner, after) // 2)
        parts.append("L{} {}".format(*_toward(corner, before, radius)))
        parts.append("Q{} {} {} {}".format(*corner, *_toward(corner, after, radius)))
    return "".join([*parts, "L{} {}".format(*points[-1])])


def _length(one: Point, other: Point) -> int:
    return abs(one[0] - other[0]) + abs(one[1] - other[1])


def _toward(start: Point, end: Point, length: int) -> Point:
    """Give the point so far from the start in the direction of the end; both are level or upright."""
    return start[0] + _sign(end[0] - start[0]) * length, start[1] + _sign(end[1] - start[1]) * length


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def _foot(line: Line) -> str:
    """Give the crow's foot at the referring row: many rows may refer to one."""
    (x, y), outward = line.points[0], _sign(line.points[1][0] - line.points[0][0])
    tip = x + outward * FOOT
    return f"M{x} {y - 5}L{tip} {y}L{x} {y + 5}"


def _bar(line: Line) -> str:
    """Give the bar at the referring row: one row at most refers to each."""
    (x, y), outward = line.points[0], _sign(line.points[1][0] - line.points[0][0])
    return f"M{x + outward * FOOT} {y - 5}L{x + outward * FOOT} {y + 5}"


def _arrow(line: Line) -> str:
    """Give the arrow at the row that is referred to."""
    (x, y), outward = line.points[-1], _sign(line.points[-2][0] - line.points[-1][0])
    return f"M{x} {y}L{x + outward * ARROW} {y - 4}L{x + outward * ARROW} {y + 4}Z"
