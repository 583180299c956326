"""Draws docs/images/review-*.png, the picture of a review in the README.

Needs Chromium, and markdown-it-py, which Pulumi's SDK has: `python tests/browser/review_picture.py FILE HEIGHT`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from markdown_it import MarkdownIt

FOLDER = Path(__file__).parents[2] / "docs" / "images"
WIDTH = 880
THEMES = {
    "light": {
        "back": "#ffffff",
        "text": "#1f2328",
        "line": "#d1d9e0",
        "code": "#f6f8fa",
        "plus": "#dafbe1",
        "minus": "#ffebe9",
    },
    "dark": {
        "back": "#0d1117",
        "text": "#f0f6fc",
        "line": "#3d444d",
        "code": "#151b23",
        "plus": "#12331f",
        "minus": "#3c1618",
    },
}
PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 16px 20px; width: {width}px; box-sizing: border-box; background: {back}; color: {text};
  font: 14px/1.5 "DejaVu Sans", sans-serif; }}
h3 {{ margin: 0 0 12px; font-size: 18px; }} p, ul {{ margin: 10px 0; }}
table {{ border-collapse: collapse; }} td, th {{ border: 1px solid {line}; padding: 5px 12px; text-align: left; }}
code {{ background: {code}; padding: 1px 4px; border-radius: 4px; font: 12px/1.5 "DejaVu Sans Mono", monospace; }}
pre {{ background: {code}; padding: 10px 14px; border-radius: 6px; overflow: hidden; margin: 8px 0; }}
pre code {{ padding: 0; }} .plus {{ background: {plus}; }} .minus {{ background: {minus}; }}
summary {{ margin: 4px 0; }}
</style><body>{body}"""
DOTS = {"🟢": "#2da44e", "🟡": "#d4a72c", "🔴": "#cf222e"}
SIGNS = {"+": "plus", "-": "minus"}


def main() -> None:
    """Draw the comment in a file, in light and in dark."""
    comment = Path(sys.argv[1]).read_text("utf-8")
    body = coloured(MarkdownIt("commonmark", {"html": True}).enable("table").render(comment))
    browser = shutil.which("chromium") or "chromium"
    for theme, colours in THEMES.items():
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder, "page.html")
            page.write_text(PAGE.format(width=WIDTH, body=body, **colours), encoding="utf-8")
            options = ["--headless", "--no-sandbox", "--hide-scrollbars", "--force-device-scale-factor=1.5"]
            picture = FOLDER / f"review-{theme}.png"
            size = f"--window-size={WIDTH},{int(sys.argv[2])}"
            command = [browser, *options, size, f"--screenshot={picture}", page.as_uri()]
            subprocess.run(command, check=True, env={**os.environ, "TMPDIR": folder})


def coloured(html: str) -> str:
    """Return a page whose changed lines of SQL and whose verdict have a colour."""
    lines: list[str] = []
    for line in html.split("\n"):
        begin, end, text = line.rpartition('<code class="language-diff">')
        lines.append(f'{begin}{end}<span class="{SIGNS[text[0]]}">{text}</span>' if text[:1] in SIGNS else line)
    text = "\n".join(lines)
    for sign, colour in DOTS.items():  # few fonts have them
        text = text.replace(sign, f'<span style="color: {colour}">●</span>')
    return text


if __name__ == "__main__":
    main()
