"""What somebody who opens the repository sees of the README without scrolling."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from tests.browser.window import Window

pytest_plugins = ["tests.browser.chromium"]

README = Path(__file__).parents[2] / "README.md"
WIDTH, HEIGHT = 830, 900
"""The column of text of a repository's page, and the window of a browser on a screen of 1920 by 1080 pixels."""
STYLE = """
body { margin: 0; width: 830px; font: 16px/1.5 "DejaVu Sans", sans-serif; }
h1 { margin: 0 0 16px; padding-bottom: 9px; font-size: 32px; line-height: 1.25; border-bottom: 1px solid }
h2 { margin: 24px 0 16px; padding-bottom: 7px; font-size: 24px; line-height: 1.25; border-bottom: 1px solid }
p { margin: 0 0 16px } pre { margin: 0 0 16px; padding: 16px; overflow: auto }
code { font: 13.6px/1.45 "DejaVu Sans Mono", monospace }
"""


def test_what_it_is_and_how_to_start_it_is_one_screen(window: Window, tmp_path: Path) -> None:
    """All before the first section fits into a window, and no command has to be scrolled sideways."""
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(README.read_text("utf-8"))
    page = tmp_path / "readme.html"
    page.write_text(f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style>{html}', encoding="utf-8")
    window.open(page, width=WIDTH, height=HEIGHT)
    assert window.evaluate("return document.querySelector('h2').getBoundingClientRect().top") <= HEIGHT
    wide = "return [...document.querySelectorAll('pre')].filter((each) => each.scrollWidth > each.clientWidth).length"
    assert window.evaluate(wide) == 0
