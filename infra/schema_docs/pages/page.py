"""The contents as one page of HTML that needs nothing else: style, script and pictures are in it."""

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

_HERE = Path(__file__).parent


def page(contents: PageContents, pictures: Mapping[str, str], *, modules: int, root: str) -> str:
    """Give the page; `pictures` are SVG by module, "" is the whole; `root` leads from the page to the project.

    Every value is escaped by the template's engine; style, script and pictures are this program's own, and are not.
    """
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True
    )
    script = _text("page.js")
    style = _text("page.css") + colours.style(lambda light, dark: f"light-dark({light}, {dark})", modules, ".erd")
    return environment.get_template("page.html.jinja").render(
        contents=contents,
        pictures={name: Markup(picture) for name, picture in pictures.items()},  # noqa: S704 (made by ElementTree)
        style=Markup(style),  # noqa: S704 (a file of this program)
        script=Markup(script),  # noqa: S704 (a file of this program)
        script_digest=b64encode(sha256(script.encode()).digest()).decode(),
        root=root,
    )


def _text(name: str) -> str:
    return _HERE.joinpath(name).read_text(encoding="utf-8")
