"""The page of the schema as its readers use it: searched, followed, in light and dark, narrow and wide, on paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By

from infra.documentation.page import page as page_of
from tests.browser import expected
from tests.browser.test_pictures import contrast
from tests.unit.documentation.samples import hostile

if TYPE_CHECKING:
    from collections.abc import Callable

    from selenium.webdriver import Chrome

PAGE = Path(__file__).parents[2] / "docs" / "schema" / "schema.html"
SCHEMES = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])


def results(browser: Chrome) -> list[str]:
    """Give what the search shows: kind and name of each result."""
    return browser.execute_script(
        "return [...document.querySelectorAll('#results a')].map("
        "(one) => one.querySelector('.kind').textContent + ' ' + one.querySelector('.what').textContent)"
    )


def press(browser: Chrome, *keys: str) -> None:
    """Type on the keyboard, wherever the focus is."""
    ActionChains(browser).send_keys(*keys).perform()


def at(browser: Chrome) -> str:
    """Give the anchor in the browser's address."""
    return unquote(browser.current_url.partition("#")[2])


def test_a_slash_searches_and_enter_goes_there(look: Callable[..., Chrome]) -> None:
    """`/` focuses the search; typing shows what fits, the name itself first; arrows choose, and Enter goes there."""
    browser = look(PAGE)
    press(browser, "/", "userbase")
    assert results(browser)[0] == "table userbase"
    assert "column userbase.email" in results(browser)
    press(browser, Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_UP, Keys.ENTER)
    assert at(browser) == "userbase:id"
    target = browser.find_element(By.CSS_SELECTOR, ":target")
    assert target.get_attribute("data-name") == "userbase.id"
    top = browser.execute_script("return arguments[0].getBoundingClientRect().top", target)
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
def test_the_search_finds_names_types_and_comments(typed: str, found: str, look: Callable[..., Chrome]) -> None:
    """Tables, columns, rules, extensions, modules, types and words of comments are found; the best one comes first."""
    browser = look(PAGE)
    press(browser, "/", typed)
    assert results(browser)[0] == found


def test_a_search_in_vain_says_so_and_escape_ends_it(look: Callable[..., Chrome]) -> None:
    """What is not there is said to be not found; Escape empties the search and leaves it."""
    browser = look(PAGE)
    press(browser, "/", "nowhere to be found")
    assert browser.find_element(By.ID, "status").text == "nothing found"
    press(browser, Keys.ENTER)
    assert at(browser) == ""
    press(browser, Keys.ESCAPE)
    search = browser.find_element(By.ID, "search")
    assert search.get_attribute("value") == ""
    assert browser.switch_to.active_element != search
    assert results(browser) == []


def test_everything_that_the_models_declare_is_on_the_page(look: Callable[..., Chrome]) -> None:
    """Each column has a row with its type, whether it may be null, its comment, and where model and module declare it."""
    browser = look(PAGE)
    rows: dict[str, Any] = browser.execute_script("""
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


def test_links_and_pictures_lead_to_what_they_name(look: Callable[..., Chrome]) -> None:
    """Every link within the page has its target; a column's link and a title in a picture can be clicked."""
    browser = look(PAGE)
    lost = browser.execute_script("""
        return [...document.querySelectorAll('a[href^="#"]')].map((one) => one.getAttribute('href').slice(1))
          .filter((anchor) => !document.getElementById(decodeURIComponent(anchor)));
    """)
    assert lost == []
    browser.find_element(By.CSS_SELECTOR, "tr[data-name='secrets.user_id'] a.target").click()
    assert at(browser) == "userbase:id"
    browser.execute_script("document.querySelector('.picture').scrollIntoView()")
    browser.find_element(By.CSS_SELECTOR, ".picture [data-table='public.secrets'] a text").click()
    assert at(browser) == "secrets"


def test_the_page_needs_nothing_else_and_complains_of_nothing(look: Callable[..., Chrome]) -> None:
    """No other file is asked for, and the console stays empty: the policy of the page allows what it does."""
    browser = look(PAGE)
    browser.get_log("browser")  # what earlier pages said
    browser.refresh()
    assert browser.execute_script("return performance.getEntriesByType('resource').map((one) => one.name)") == []
    assert browser.get_log("browser") == []


@SCHEMES
@pytest.mark.parametrize("width", [320, 400, 900, 1400, 2200])
def test_the_page_fits_every_width(width: int, dark: bool, look: Callable[..., Chrome]) -> None:  # noqa: FBT001
    """No width makes the page itself scroll sideways, and every text of it is readable on its ground."""
    browser = look(PAGE, size=(width, 1000), dark=dark)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    colours: list[list[list[float]]] = browser.execute_script("""
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
    luminous = sum(browser.execute_script("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"))
    assert (luminous < 100) is dark


def test_the_button_changes_light_and_dark(look: Callable[..., Chrome]) -> None:
    """The button goes over to the other colours and back, whatever the system prefers; pictures go along."""
    browser = look(PAGE, dark=True)
    colour = "return getComputedStyle(document.querySelector('.ground')).fill + document.getElementById('theme').textContent"
    assert browser.execute_script(colour) == "rgb(13, 17, 23)Light"
    browser.find_element(By.ID, "theme").click()
    assert browser.execute_script(colour) == "rgb(255, 255, 255)Dark"
    browser.find_element(By.ID, "theme").click()
    assert browser.execute_script(colour) == "rgb(13, 17, 23)Light"


def test_the_page_prints_without_what_is_for_screens(look: Callable[..., Chrome]) -> None:
    """On paper there are neither contents nor buttons, the ground is light, and pictures fit the sheet."""
    browser = look(PAGE, size=(800, 1000), dark=True, media="print")
    shown = browser.execute_script("""
        const display = (selector) => getComputedStyle(document.querySelector(selector)).display;
        const picture = document.querySelector('.picture svg').getBoundingClientRect();
        return [display('nav'), display('#theme'), getComputedStyle(document.body).backgroundColor, picture.right <= 800];
    """)
    assert shown == ["none", "none", "rgb(255, 255, 255)", True]


def test_markup_in_names_and_comments_stays_text(look: Callable[..., Chrome], tmp_path: Path) -> None:
    """Whatever stands in a name, type, default, comment or path is shown and never run; its search works too."""
    told, pictures = hostile()
    path = tmp_path / "hostile.html"
    path.write_text(page_of(told, pictures, modules=1, root="."), encoding="utf-8")
    browser = look(path)
    assert browser.execute_script("return window.hurt === undefined && document.scripts.length") == 1
    assert browser.execute_script("return document.querySelectorAll('img, b, iframe').length") == 0
    press(browser, "/", "hurt")
    assert any("<img src=x onerror=hurt=1>" in one for one in results(browser))
    assert browser.execute_script("return window.hurt === undefined && document.querySelectorAll('img').length") == 0
