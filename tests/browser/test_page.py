"""The page of a schema in a browser: search, links, light and dark colours, every width, and print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from selenium.webdriver import Keys

from infra.schema_docs.pages.page import render_page
from tests.browser.expected import type_of
from tests.unit.schema_docs.pages.samples import hostile

if TYPE_CHECKING:
    from tests.browser.expected import Documents
    from tests.browser.window import Window

pytest_plugins = ["tests.browser.chromium"]

ROOT = Path(__file__).parents[2]


def page_of(documents: Documents) -> Path:
    """Return the path of the page."""
    return documents.folder / "schema.html"


def results(window: Window) -> list[str]:
    """Return the results of the search: kind and name of each."""
    return window.evaluate(
        "return [...document.querySelectorAll('#results a')].map("
        "(link) => link.querySelector('.kind').textContent + ' ' + link.querySelector('.what').textContent)"
    )


def test_a_slash_searches_and_enter_goes_there(documents: Documents, window: Window) -> None:
    """`/` focuses the search; typing shows what matches, an equal name first; arrows select, and Enter goes there."""
    window.open(page_of(documents))
    window.press("/", "customers")
    assert results(window)[0] == "table customers"
    assert "column customers.email" in results(window)
    window.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_UP, Keys.ENTER)
    assert window.anchor == "customers:id"
    assert window.attribute(":target", "data-name") == "customers.id"
    top = window.evaluate("return arguments[0].getBoundingClientRect().top", window.find(":target"))
    assert 0 <= top < 1000


@pytest.mark.parametrize(
    ("typed", "result"),
    [
        ("products", "table products"),
        ("ORDER_LINES", "table order_lines"),
        ("email", "column customers.email"),
        ("customers.email", "column customers.email"),
        ("uq_categories", "unique uq_categories_parent_name"),
        ("ix_customers_email", "unique index ix_customers_email"),
        ("pgcrypto", "extension pgcrypto"),
        ("address used to sign in", "column customers.email"),
        ("order", 'table "order"'),
        ("varchar(2) country", "column addresses.country"),
        ("07-init", "module 07-init-indexes"),
    ],
)
def test_the_search_finds_names_types_and_comments(
    typed: str, result: str, documents: Documents, window: Window
) -> None:
    """Tables, columns, constraints, extensions, modules, types and comments are found, the best match first."""
    window.open(page_of(documents))
    window.press("/", typed)
    assert results(window)[0] == result


def test_a_search_without_results_says_so_and_escape_ends_it(documents: Documents, window: Window) -> None:
    """A search without results shows "nothing found"; Escape clears the field and removes its focus."""
    window.open(page_of(documents))
    window.press("/", "nowhere to be found")
    assert window.find("#status").text == "nothing found"
    window.press(Keys.ENTER)
    assert window.anchor == ""
    window.press(Keys.ESCAPE)
    assert window.attribute("#search", "value") == ""
    assert window.evaluate("return document.activeElement.id") != "search"
    assert results(window) == []


def test_everything_that_the_models_declare_is_on_the_page(documents: Documents, window: Window) -> None:
    """Each column has a row with type, nullability and comment, and its table links to the files that declare it."""
    window.open(page_of(documents))
    rows: dict[str, Any] = window.evaluate("""
        return Object.fromEntries([...document.querySelectorAll('[data-search=column]')].map((row) => [
          row.dataset.name.replaceAll('"', ''),
          [...[...row.cells].slice(0, 6).map((cell) => cell.textContent.trim()),
           [...row.closest('article').querySelectorAll('a.place')].map((link) => link.textContent)],
        ]));
    """)
    columns = [(table, column) for table in documents.tables() for column in table.columns]
    assert len(rows) == len(columns)
    for table, column in columns:
        shown = rows[f"{table.name}.{column.name}"]
        assert shown[1] == type_of(column)
        assert shown[2] == ("null" if column.nullable else "not null")
        assert shown[5] == column.comment
        assert ["models/" in shown[6][0], "sql/" in shown[6][1]] == [True, True]
        for path in shown[6]:
            assert column.name in ROOT.joinpath(path).read_text(encoding="utf-8")
    for source, column, target, referred in documents.foreign_keys():
        assert f"→ {target}.{referred}" in rows[f"{source}.{column}"][4].replace('"', "")


def test_links_and_pictures_lead_to_what_they_name(documents: Documents, window: Window) -> None:
    """Every link within the page has its target; the link of a column and a title in a picture can be clicked."""
    window.open(page_of(documents))
    dangling = window.evaluate("""
        return [...document.querySelectorAll('a[href^="#"]')].map((link) => link.getAttribute('href').slice(1))
          .filter((anchor) => !document.getElementById(decodeURIComponent(anchor)));
    """)
    assert dangling == []
    source, column, target, referred = documents.example_key
    window.find(f"tr[data-name='{source}.{column}'] a.target").click()
    assert window.anchor == f"{target}:{referred}"
    window.evaluate("document.querySelector('.picture').scrollIntoView()")
    window.find(f".picture [data-table='public.{source}'] a text").click()
    assert window.anchor == source


def test_the_page_loads_nothing_and_the_console_stays_empty(documents: Documents, window: Window) -> None:
    """The page loads no other file, and its content security policy allows everything that it does."""
    window.open(page_of(documents))
    window.console_messages()  # those of earlier pages
    window.chrome.refresh()
    assert window.evaluate("return performance.getEntriesByType('resource').map((entry) => entry.name)") == []
    assert window.console_messages() == []


def test_the_button_changes_light_and_dark(documents: Documents, window: Window) -> None:
    """The button switches to the other colours and back, of page and pictures, whatever the system prefers."""
    window.open(page_of(documents), dark=True)
    colour = (
        "return getComputedStyle(document.querySelector('.ground')).fill + document.getElementById('theme').textContent"
    )
    assert window.evaluate(colour) == "rgb(13, 17, 23)Light"
    window.find("#theme").click()
    assert window.evaluate(colour) == "rgb(255, 255, 255)Dark"
    window.find("#theme").click()
    assert window.evaluate(colour) == "rgb(13, 17, 23)Light"


def test_the_print_has_no_controls(documents: Documents, window: Window) -> None:
    """In print there are neither contents nor buttons, the background is light, and pictures fit the sheet."""
    window.open(page_of(documents), width=800, dark=True, media="print")
    shown = window.evaluate("""
        const display = (selector) => getComputedStyle(document.querySelector(selector)).display;
        const picture = document.querySelector('.picture svg').getBoundingClientRect();
        const ground = getComputedStyle(document.body).backgroundColor;
        return [display('nav'), display('#theme'), ground, picture.right <= 800];
    """)
    assert shown == ["none", "none", "rgb(255, 255, 255)", True]


def test_markup_in_names_and_comments_stays_text(window: Window, tmp_path: Path) -> None:
    """Markup in a name, type, default, comment or path is shown and never run, also in the search."""
    contents, pictures = hostile()
    path = tmp_path / "hostile.html"
    path.write_text(render_page(contents, pictures, modules=1, root="."), encoding="utf-8")
    window.open(path)
    assert window.evaluate("return window.hurt === undefined && document.scripts.length") == 1
    assert window.evaluate("return document.querySelectorAll('img, b, iframe').length") == 0
    window.press("/", "hurt")
    assert any("<img src=x onerror=hurt=1>" in result for result in results(window))
    assert window.evaluate("return window.hurt === undefined && document.querySelectorAll('img').length") == 0
