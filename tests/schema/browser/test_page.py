"""The committed page holds to the same claims as that of the small schema in tests/browser, and fits every window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.contrast import contrast
from tests.browser.test_page import (
    page_of,
    test_everything_that_the_models_declare_is_on_the_page,
    test_links_and_pictures_lead_to_what_they_name,
    test_the_page_loads_nothing_and_the_console_stays_empty,
    test_the_print_has_no_controls,
)

if TYPE_CHECKING:
    from tests.browser.expected import Documents
    from tests.browser.window import Window

pytest_plugins = ["tests.browser.chromium"]

__all__ = [
    "test_everything_that_the_models_declare_is_on_the_page",
    "test_links_and_pictures_lead_to_what_they_name",
    "test_the_page_loads_nothing_and_the_console_stays_empty",
    "test_the_print_has_no_controls",
]

CARDS, WIDE = 640, 1400  # up to the first width columns are cards, from the second rows fit; between them tables scroll
SCHEMES = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])


@SCHEMES
@pytest.mark.parametrize("width", [320, 400, 900, 1400, 2200])
def test_the_page_fits_every_width(width: int, dark: bool, documents: Documents, window: Window) -> None:  # noqa: FBT001
    """The page does not scroll sideways at any width, and every text has enough contrast to its background."""
    window.open(page_of(documents), width=width, dark=dark)
    assert window.evaluate("return document.documentElement.scrollWidth") <= width
    scrolling = window.evaluate("""
        return [...document.querySelectorAll('.wide:has(> table.columns)')]
          .filter((region) => region.scrollWidth > region.clientWidth)
          .map((region) => region.getAttribute('aria-label'));
    """)
    assert scrolling == [] or CARDS < width < WIDE
    colours: list[list[list[float]]] = window.evaluate("""
        const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
        const ground = (element) => {
          for (let parent = element; parent; parent = parent.parentElement) {
            const colour = numbers(getComputedStyle(parent).backgroundColor);
            if (colour.length < 4 || colour[3] > 0) return colour;
          }
        };
        return [...document.querySelectorAll('nav a, h1, h2, h3, th, td, p, a.place, .badge, code, button')]
          .slice(0, 400).map((element) => [numbers(getComputedStyle(element).color), ground(element)]);
    """)
    assert [pair for pair in colours if contrast(*pair) < 4.5] == []
    brightness = sum(
        window.evaluate("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    )
    assert (brightness < 100) is dark
