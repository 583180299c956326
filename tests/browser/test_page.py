"""The page of the schema as its readers use it: searched, followed, in light and dark, narrow and wide, on paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from selenium.webdriver import Keys

from infra.schema_docs.pages.page import page as page_of
from tests.browser import expected
from tests.browser.test_pictures import contrast
from tests.unit.schema_docs.pages.samples import hostile

if TYPE_CHECKING:
    from tests.browser.window import Window

PAGE = Path(__file__).parents[2] / "docs" / "schema" / "schema.html"
CARDS, WIDE = 640, 1400  # up to here a column is a card, from here its row fits; between them tables scroll
SCHEMES = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])


def results(window: Window) -> list[str]:
    """Give what the search shows: kind and name of each result."""
    return window.ask(
        "return [...document.querySelectorAll('#results a')].map("
        "(one) => one.querySelector('.kind').textContent + ' ' + one.querySelector('.what').textContent)"
    )


def test_a_slash_searches_and_enter_goes_there(window: Window) -> None:
    """`/` focuses the search; typing shows what fits, the name itself first; arrows choose, and Enter goes there."""
    window.open(PAGE)
    window.press("/", "userbase")
    assert results(window)[0] == "table userbase"
    assert "column userbase.email" in results(window)
    window.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_UP, Keys.ENTER)
    assert window.anchor == "userbase:id"
    assert window.attribute(":target", "data-name") == "userbase.id"
    top = window.ask("return arguments[0].getBoundingClientRect().top", window.find(":target"))
    assert 0 <= top < 1000


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("corpora", "table corpora"),
        ("DEMO_SESSIONS", "table demo_sessions"),
        ("email", "column userbase.email"),
        ("userbase.email", "column userbase.email"),
        ("uq_run_checkpoint", "unique uq_run_checkpoint_time"),
        ("ix_userbase_email", "unique index ix_userbase_email"),
        ("pgcrypto", "extension pgcrypto"),
        ("address used to sign in", "column userbase.email"),
        ("references", 'table "references"'),
        ("varchar(500) file", "column demo_exports.file_path"),
        ("07-init", "module 07-init-indexes"),
    ],
)
def test_the_search_finds_names_types_and_comments(typed: str, found: str, window: Window) -> None:
    """Tables, columns, rules, extensions, modules, types and words of comments are found; the best one comes first."""
    window.open(PAGE)
    window.press("/", typed)
    assert results(window)[0] == found


def test_a_search_in_vain_says_so_and_escape_ends_it(window: Window) -> None:
    """What is not there is said to be not found; Escape empties the search and leaves it."""
    window.open(PAGE)
    window.press("/", "nowhere to be found")
    assert window.find("#status").text == "nothing found"
    window.press(Keys.ENTER)
    assert window.anchor == ""
    window.press(Keys.ESCAPE)
    assert window.attribute("#search", "value") == ""
    assert window.ask("return document.activeElement.id") != "search"
    assert results(window) == []


def test_everything_that_the_models_declare_is_on_the_page(window: Window) -> None:
    """Each column has a row: type, whether it may be null, comment, and where model and module declare it."""
    window.open(PAGE)
    rows: dict[str, Any] = window.ask("""
        return Object.fromEntries([...document.querySelectorAll('[data-search=column]')].map((row) => [
          row.dataset.name.replaceAll('"', ''), [...row.cells].map((cell) => cell.textContent.trim()),
        ]));
    """)
    columns = [(table, column) for table in expected.tables() for column in table.columns]
    assert len(rows) == len(columns)
    for table, column in columns:
        shown = rows[f"{table.name}.{column.name}"]
        assert shown[1] == expected.type_of(column)
        assert shown[2] == ("null" if column.nullable else "not null")
        assert shown[5] == column.comment
        for source in shown[6].replace("models/", " models/").replace("sql/", " sql/").split():
            path, _, line = source.partition(":")
            assert column.name in PAGE.parents[2].joinpath(path).read_text(encoding="utf-8").splitlines()[int(line) - 1]
        assert "models/" in shown[6]
        assert "sql/" in shown[6]
    for table in expected.tables():
        for source, column, target, referred in expected.keys(table):
            assert f"→ {target}.{referred}" in rows[f"{source}.{column}"][4]


def test_links_and_pictures_lead_to_what_they_name(window: Window) -> None:
    """Every link within the page has its target; a column's link and a title in a picture can be clicked."""
    window.open(PAGE)
    lost = window.ask("""
        return [...document.querySelectorAll('a[href^="#"]')].map((one) => one.getAttribute('href').slice(1))
          .filter((anchor) => !document.getElementById(decodeURIComponent(anchor)));
    """)
    assert lost == []
    window.find("tr[data-name='secrets.user_id'] a.target").click()
    assert window.anchor == "userbase:id"
    window.ask("document.querySelector('.picture').scrollIntoView()")
    window.find(".picture [data-table='public.secrets'] a text").click()
    assert window.anchor == "secrets"


def test_the_page_needs_nothing_else_and_complains_of_nothing(window: Window) -> None:
    """No other file is asked for, and the console stays empty: the policy of the page allows what it does."""
    window.open(PAGE)
    window.complaints()  # what earlier pages said
    window.chrome.refresh()
    assert window.ask("return performance.getEntriesByType('resource').map((one) => one.name)") == []
    assert window.complaints() == []


@SCHEMES
@pytest.mark.parametrize("width", [320, 400, 900, 1400, 2200])
def test_the_page_fits_every_width(width: int, dark: bool, window: Window) -> None:  # noqa: FBT001
    """No width makes the page itself scroll sideways, and every text of it is readable on its ground."""
    window.open(PAGE, width=width, dark=dark)
    assert window.ask("return document.documentElement.scrollWidth") <= width
    cut = window.ask("""
        return [...document.querySelectorAll('.wide:has(> table.columns)')]
          .filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.getAttribute('aria-label'));
    """)
    assert cut == [] or CARDS < width < WIDE
    colours: list[list[list[float]]] = window.ask("""
        const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
        const ground = (element) => {
          for (let one = element; one; one = one.parentElement) {
            const colour = numbers(getComputedStyle(one).backgroundColor);
            if (colour.length < 4 || colour[3] > 0) return colour;
          }
        };
        return [...document.querySelectorAll('nav a, h1, h2, h3, th, td, p, a.place, .badge, code, button')]
          .slice(0, 400).map((one) => [numbers(getComputedStyle(one).color), ground(one)]);
    """)
    assert [pair for pair in colours if contrast(*pair) < 4.5] == []
    luminous = sum(window.ask("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"))
    assert (luminous < 100) is dark


def test_the_button_changes_light_and_dark(window: Window) -> None:
    """The button goes over to the other colours and back, whatever the system prefers; pictures go along."""
    window.open(PAGE, dark=True)
    colour = (
        "return getComputedStyle(document.querySelector('.ground')).fill + document.getElementById('theme').textContent"
    )
    assert window.ask(colour) == "rgb(13, 17, 23)Light"
    window.find("#theme").click()
    assert window.ask(colour) == "rgb(255, 255, 255)Dark"
    window.find("#theme").click()
    assert window.ask(colour) == "rgb(13, 17, 23)Light"


def test_the_page_prints_without_what_is_for_screens(window: Window) -> None:
    """On paper there are neither contents nor buttons, the ground is light, and pictures fit the sheet."""
    window.open(PAGE, width=800, dark=True, media="print")
    shown = window.ask("""
        const display = (selector) => getComputedStyle(document.querySelector(selector)).display;
        const picture = document.querySelector('.picture svg').getBoundingClientRect();
        const ground = getComputedStyle(document.body).backgroundColor;
        return [display('nav'), display('#theme'), ground, picture.right <= 800];
    """)
    assert shown == ["none", "none", "rgb(255, 255, 255)", True]


def test_markup_in_names_and_comments_stays_text(window: Window, tmp_path: Path) -> None:
    """Whatever stands in a name, type, default, comment or path is shown and never run; its search works too."""
    told, pictures = hostile()
    path = tmp_path / "hostile.html"
    path.write_text(page_of(told, pictures, modules=1, root="."), encoding="utf-8")
    window.open(path)
    assert window.ask("return window.hurt === undefined && document.scripts.length") == 1
    assert window.ask("return document.querySelectorAll('img, b, iframe').length") == 0
    window.press("/", "hurt")
    assert any("<img src=x onerror=hurt=1>" in one for one in results(window))
    assert window.ask("return window.hurt === undefined && document.querySelectorAll('img').length") == 0
