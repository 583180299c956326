"""The contents as one self-contained page of HTML: style, script and pictures are in it."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from infra.schema_docs.diagram import colours

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.schema_docs.pages.entries import PageContents

_DIRECTORY = Path(__file__).parent


def render_page(contents: PageContents, pictures: Mapping[str, str], *, modules: int, root: str) -> str:
    """Return the page.

    `pictures` are SVG elements by module, with the whole schema under ""; `modules` is how many have a colour; `root`
    is the relative path from the page to the project. Jinja2 escapes every value but style, script and pictures, which
    are this program's own.
    """
    environment = Environment(
        loader=FileSystemLoader(_DIRECTORY), autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True
    )
    script = _text("page.js")
    style = _text("page.css") + colours.stylesheet(lambda light, dark: f"light-dark({light}, {dark})", modules, ".erd")
    return environment.get_template("page.html.jinja").render(
        contents=contents,
        pictures={name: Markup(picture) for name, picture in pictures.items()},  # noqa: S704 (made by ElementTree)
        style=Markup(style),  # noqa: S704 (a file of this program)
        script=Markup(script),  # noqa: S704 (a file of this program)
        script_digest=b64encode(sha256(script.encode()).digest()).decode(),
        root=root,
    )


def _text(name: str) -> str:
    return _DIRECTORY.joinpath(name).read_text(encoding="utf-8")
