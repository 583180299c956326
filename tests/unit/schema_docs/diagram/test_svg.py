"""The SVG of a picture: well-formed, escaped, with titles, and the same each time."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from infra.schema_docs.diagram import colours
from infra.schema_docs.diagram.drawing import lay_out
from infra.schema_docs.diagram.svg import NAMESPACE, render_svg
from tests.unit.schema_docs.diagram.scenes import awkward, box, link, random_scene, scene

PREFIX = f"{{{NAMESPACE}}}"


def test_it_is_xml_with_every_text_escaped() -> None:
    """Markup in names is text; nothing in it becomes an element."""
    root = ET.fromstring(render_svg(lay_out(awkward())))
    kinds = {element.tag.removeprefix(PREFIX) for element in root.iter()}
    assert kinds == {"svg", "title", "desc", "style", "rect", "g", "text", "path", "line"}
    assert "<script>alert(1)</script>" in [text.text for text in root.iter(f"{PREFIX}text")]


def test_screen_readers_get_a_name_and_a_description() -> None:
    """The picture has a title and a description, whose ids begin with the given name; lines have a title."""
    root = ET.fromstring(render_svg(lay_out(scene([box("a"), box("b", "a")], [link("b", "a", "a")])), name="x"))
    assert root.get("role") == "img"
    named = {name: element.text for element in root if (name := element.get("id"))}
    assert root.get("aria-labelledby") == " ".join(named) == "x-title x-description"
    assert named["x-description"] == "2 tables: a, b. Foreign keys: b (a) → a (id)."
    titles = [
        group.findtext(f"{PREFIX}title") for group in root.iter(f"{PREFIX}g") if "link" in (group.get("class") or "")
    ]
    assert titles == ["b (a) → a (id)"]


def test_signs_show_how_many_rows_refer() -> None:
    """A crow's foot stands where many rows may refer, a bar where one row may; a stub names its module."""
    boxes = [box("a"), box("b", "a", stub=True), box("c", "a")]
    root = ET.fromstring(render_svg(lay_out(scene(boxes, [link("b", "a", "a"), link("c", "a", "a", many=False)]))))
    signs = [path.get("d", "") for path in root.iter(f"{PREFIX}path") if path.get("class") == "sign"]
    assert [sign.count("L") for sign in signs] == [2, 1]
    assert [text.text for text in root.iter(f"{PREFIX}text") if text.get("class") == "faint"][2:] == ["02-a"]


def test_titles_can_be_links_and_the_style_left_to_the_page() -> None:
    """In a page each title leads to its table, and the picture has no rules of its own."""
    text = render_svg(lay_out(scene([box("a")], [])), style=False, link_to=lambda table: f"#x-{table}")
    assert '<a href="#x-a">' in text
    assert "<style" not in text


def test_it_is_the_same_each_time() -> None:
    """The same scene gives the same bytes."""
    assert render_svg(lay_out(random_scene(7))) == render_svg(lay_out(random_scene(7)))


def test_neighbouring_modules_have_different_colours() -> None:
    """Twelve modules have twelve colours, in light and in dark."""
    for pair_of in (colours.title_colours, colours.line_colours):
        assert len({pair_of(number) for number in range(colours.HUES)}) == colours.HUES
        assert all(pair != following for pair, following in pairwise(pair_of(number) for number in range(40)))


@pytest.mark.parametrize("scope", ["", ".erd"])
def test_every_rule_keeps_to_its_scope(scope: str) -> None:
    """The rules of a picture within a page apply to nothing else of the page."""
    style = colours.stylesheet(lambda light, dark: f"light-dark({light}, {dark})", 3, scope)
    selectors = [selector for part in style.split("}") if part.strip() for selector in part.split("{")[0].split(",")]
    assert len(selectors) > 30
    assert all(selector.strip().startswith(scope or (".", "text")) for selector in selectors)
