"""The page's HTML, read by a parser; what its script does is tested in a browser."""

from __future__ import annotations

import sys
from collections import Counter
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from infra.catalog.structure import structure_of
from infra.errors import InfraError
from infra.schema_docs import schema_files
from infra.schema_docs.pages.page import render_page
from tests.unit.schema_docs.pages.samples import MARKUP, SCRIPT, hostile, sample_contents, simple

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from infra.schema_docs.pages.entries import PageContents

VOID = {"meta", "input", "br"}
LOADING = {"src", "srcset", "data", "action", "poster", "background", "ping"}


class PageReader(HTMLParser):
    """A page's elements with their attributes, its text, and the elements that are not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.text = ""
        self.misplaced: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Add an element."""
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Add an element of a picture that is closed at once."""
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        """Close an element."""
        if not self.open or self.open.pop() != tag:
            self.misplaced.append(tag)

    def handle_data(self, data: str) -> None:
        """Add text."""
        self.text += data


def simple_sample() -> tuple[PageContents, dict[str, str]]:
    """Return contents without anything special."""
    return sample_contents(simple()), {"": ""}


def read(contents: PageContents, pictures: dict[str, str] | None = None) -> PageReader:
    """Render a page and read it."""
    return PageReader(render_page(contents, pictures or {"": ""}, modules=1, root="../.."))


@pytest.mark.parametrize("sample", [simple_sample, hostile])
def test_the_page_is_whole(sample: Callable[[], tuple[PageContents, dict[str, str]]]) -> None:
    """Every element is closed, ids are unique, each link within the page has its target."""
    contents, pictures = sample()
    reader = read(contents, pictures)
    assert reader.misplaced == []
    assert reader.open == []
    ids = Counter(attributes["id"] for _, attributes in reader.elements if "id" in attributes)
    assert [name for name, count in ids.items() if count > 1] == []
    links = {attributes["href"] for _, attributes in reader.elements if attributes.get("href", "").startswith("#")}
    assert {link[1:] for link in links} <= set(ids)


def test_nothing_is_loaded_from_anywhere() -> None:
    """No element names a file of its own, and the policy allows none: only links leave the page."""
    reader = read(sample_contents(simple()))
    loading = [
        (tag, attributes)
        for tag, attributes in reader.elements
        if LOADING & attributes.keys() or tag in {"link", "base", "iframe"}
    ]
    assert loading == []
    policy = next(attributes["content"] for _, attributes in reader.elements if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe-inline" not in policy.partition("script-src")[2]


def test_texts_of_the_schema_stay_text() -> None:
    """Markup and the template's own delimiters are shown as they were written, and add no elements."""
    contents, pictures = hostile()
    reader = read(contents, pictures)
    kinds = Counter(kind for kind, _ in reader.elements)
    assert (kinds["script"], kinds["img"], kinds["style"]) == (1, 0, 1)
    assert not any(name.startswith("on") for _, attributes in reader.elements for name in attributes)
    assert reader.text.count(MARKUP) > 5
    assert reader.text.count(SCRIPT) > 5


def test_it_is_the_same_each_time() -> None:
    """The same contents give the same bytes."""
    structure = simple()
    contents = [sample_contents(structure), sample_contents(structure)]
    first, second = (render_page(content, {"": ""}, modules=1, root=".") for content in contents)
    assert first == second


def test_without_the_template_engine_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the dependencies of development are missing, the error names the command that installs them."""
    monkeypatch.delitem(sys.modules, "infra.schema_docs.pages.page")
    monkeypatch.setitem(sys.modules, "jinja2", None)
    empty = schema_files.BuiltSchema((), {}, structure_of({}, {}))
    with pytest.raises(InfraError) as refused:
        schema_files.document_files(empty, None, output=tmp_path)
    assert str(refused.value) == "docs: jinja2 is not installed; run make development"
