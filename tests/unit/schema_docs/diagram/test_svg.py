"""The text of a picture: well-formed, escaped, with titles; the same each time."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from infra.schema_docs.diagram import colours
from infra.schema_docs.diagram.drawing import drawing
from infra.schema_docs.diagram.svg import NAMESPACE, svg
from tests.unit.schema_docs.diagram.scenes import awkward, box, link, random_scene, scene

PARTS = f"{{{NAMESPACE}}}"


def test_it_is_xml_with_every_text_escaped() -> None:
    """Markup in names is text; nothing in it becomes an element."""
    root = ET.fromstring(svg(drawing(awkward())))
    kinds = {element.tag.removeprefix(PARTS) for element in root.iter()}
    assert kinds == {"svg", "title", "desc", "style", "rect", "g", "text", "path", "line"}
    assert "<script>alert(1)</script>" in [text.text for text in root.iter(f"{PARTS}text")]


def test_those_who_cannot_see_it_are_told() -> None:
    """The picture has a name and a description, of the ids that it was given; lines have a title."""
    root = ET.fromstring(svg(drawing(scene([box("a"), box("b", "a")], [link("b", "a", "a")])), name="one"))
    assert root.get("role") == "img"
    named = {name: element.text for element in root if (name := element.get("id"))}
    assert root.get("aria-labelledby") == " ".join(named) == "one-title one-description"
    assert named["one-description"] == "2 tables: a, b. Foreign keys: b (a) → a (id)."
    titles = [
        group.findtext(f"{PARTS}title") for group in root.iter(f"{PARTS}g") if "link" in (group.get("class") or "")
    ]
    assert titles == ["b (a) → a (id)"]


def test_signs_say_how_many_refer() -> None:
    """A crow's foot stands where many rows refer to one, a bar where one row does; a stub names its module."""
    boxes = [box("a"), box("b", "a", stub=True), box("c", "a")]
    root = ET.fromstring(svg(drawing(scene(boxes, [link("b", "a", "a"), link("c", "a", "a", many=False)]))))
    signs = [path.get("d", "") for path in root.iter(f"{PARTS}path") if path.get("class") == "sign"]
    assert [sign.count("L") for sign in signs] == [2, 1]
    assert [text.text for text in root.iter(f"{PARTS}text") if text.get("class") == "faint"][2:] == ["02-a"]


def test_titles_can_be_links_and_the_style_the_page_s() -> None:
    """In a page each title leads to its table, and the page has the rules."""
    text = svg(drawing(scene([box("a")], [])), style=False, link_to=lambda table: f"#x-{table}")
    assert '<a href="#x-a">' in text
    assert "<style" not in text


def test_it_is_the_same_each_time() -> None:
    """The same scene gives the same bytes."""
    assert svg(drawing(random_scene(7))) == svg(drawing(random_scene(7)))


def test_neighbouring_modules_have_different_colours() -> None:
    """Twelve modules have twelve colours, in light and in dark."""
    for of in (colours.header, colours.line):
        assert len({of(number) for number in range(colours.HUES)}) == colours.HUES
        assert all(one != other for one, other in pairwise(of(number) for number in range(40)))


@pytest.mark.parametrize("scope", ["", ".erd"])
def test_every_rule_keeps_to_its_scope(scope: str) -> None:
    """The rules of a picture within a page reach nothing else of the page."""
    style = colours.style(lambda light, dark: f"light-dark({light}, {dark})", 3, scope)
    selectors = [one for part in style.split("}") if part.strip() for one in part.split("{")[0].split(",")]
    assert len(selectors) > 30
    assert all(selector.strip().startswith(scope or (".", "text")) for selector in selectors)
