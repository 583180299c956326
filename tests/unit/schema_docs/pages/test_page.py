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
from infra.schema_docs.pages.page import page
from models import Base, metadata
from tests.unit.schema_docs.pages.samples import MARKUP, SCRIPT, hostile, simple, told

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from infra.schema_docs.pages.entries import PageContents

VOID = {"meta", "input", "br"}
LOADING = {"src", "srcset", "data", "action", "poster", "background", "ping"}


class Reader(HTMLParser):
    """Reads a page: its elements with their attributes, its text, and whether every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.text = ""
        self.wrong: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element of a picture that is closed at once."""
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        """Close an element."""
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data


def plain() -> tuple[PageContents, dict[str, str]]:
    """Give contents that are nothing special."""
    return told(simple()), {"": ""}


def read(contents: PageContents, pictures: dict[str, str] | None = None) -> Reader:
    """Make a page and read it."""
    return Reader(page(contents, pictures or {"": ""}, modules=1, root="../.."))


@pytest.mark.parametrize("sample", [plain, hostile])
def test_the_page_is_whole(sample: Callable[[], tuple[PageContents, dict[str, str]]]) -> None:
    """Every element is closed, ids are unique, each link within the page has its target."""
    contents, pictures = sample()
    found = read(contents, pictures)
    assert found.wrong == []
    assert found.open == []
    ids = Counter(attributes["id"] for _, attributes in found.elements if "id" in attributes)
    assert [one for one, count in ids.items() if count > 1] == []
    links = {attributes["href"] for _, attributes in found.elements if attributes.get("href", "").startswith("#")}
    assert {link[1:] for link in links} <= set(ids)


def test_nothing_is_loaded_from_anywhere() -> None:
    """No element names a file of its own, and the policy allows none: only links leave the page."""
    found = read(told(simple()))
    assert [one for one in found.elements if LOADING & one[1].keys() or one[0] in {"link", "base", "iframe"}] == []
    policy = next(attributes["content"] for _, attributes in found.elements if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe-inline" not in policy.partition("script-src")[2]


def test_all_that_others_write_is_text() -> None:
    """Markup and the template's own signs are shown as they were written; there are no more elements than without."""
    contents, pictures = hostile()
    found = read(contents, pictures)
    kinds = Counter(kind for kind, _ in found.elements)
    assert (kinds["script"], kinds["img"], kinds["style"]) == (1, 0, 1)
    assert not any(name.startswith("on") for _, attributes in found.elements for name in attributes)
    assert found.text.count(MARKUP) > 5
    assert found.text.count(SCRIPT) > 5


def test_it_is_the_same_each_time() -> None:
    """The same contents give the same bytes."""
    structure = simple()
    assert page(told(structure), {"": ""}, modules=1, root=".") == page(told(structure), {"": ""}, modules=1, root=".")


def test_without_the_template_engine_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the dependencies of development are missing, the command says so in a sentence."""
    monkeypatch.delitem(sys.modules, "infra.schema_docs.pages.page")
    monkeypatch.setitem(sys.modules, "jinja2", None)
    nothing = schema_files.BuiltSchema((), {}, structure_of({}, {}))
    with pytest.raises(InfraError) as refused:
        schema_files.documents(nothing, metadata, Base, output=tmp_path)
    assert str(refused.value) == "docs: jinja2 is not installed; run make development"
