"""A scene as an entity relationship diagram of Mermaid, which GitHub and others draw themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.schema_docs.diagram.scene import Box, Link, Row, Scene

_KEYS = {"PK": "PK", "FK": "FK", "U": "UK"}  # the only ones that Mermaid's grammar has
SIGNS_IN_WORDS = "_-[]()"


def render_mermaid(scene: Scene) -> str:
    """Return the text of the diagram: an entity for each box, a relationship for each link."""
    lines = ["---", f"title: {_quoted(scene.title)}", "---", "erDiagram"]
    for box in scene.boxes:
        lines += _entity(box)
    lines += [_relationship(link, scene) for link in scene.links]
    return "\n".join(lines) + "\n"


def _entity(box: Box) -> list[str]:
    return [f"    {_quoted(box.title)} {{", *(f"        {_attribute(row)}" for row in box.rows), "    }"]


def _attribute(row: Row) -> str:
    keys = ", ".join(_KEYS[key] for key in row.keys if key in _KEYS)
    together = ", ".join(key for key in row.keys if key not in _KEYS)
    notes = ", ".join(filter(None, ["not null" if row.required else "", f"unique {together}" if together else ""]))
    return " ".join(filter(None, [_word(row.type), _word(row.column), keys, _quoted(notes) if notes else ""]))


def _relationship(link: Link, scene: Scene) -> str:
    """Return the line of a foreign key: both cardinalities, and the referring columns as its label."""
    names = {box.table: box.title for box in scene.boxes}
    referring, referred = "}o" if link.many else "|o", "o|" if link.optional else "||"
    label = ", ".join(link.columns)
    return f"    {_quoted(names[link.source])} {referring}--{referred} {_quoted(names[link.target])} : {_quoted(label)}"


def _quoted(text: str) -> str:
    """Return a text in quotes; characters that Mermaid does not allow between them are replaced."""
    replaced = (
        {'"': "'", "\\": "/", "%": "_"}.get(character, character) if character.isprintable() else " "
        for character in text
    )
    return '"' + "".join(replaced) + '"'


def _word(text: str) -> str:
    """Return a name or type as one word: letters, digits and few signs, beginning with a letter or `_`."""
    word = "".join(
        character if character.isalnum() or character in SIGNS_IN_WORDS else "_" for character in text.strip('"')
    )
    return word if word[:1].isalpha() else f"_{word}"
