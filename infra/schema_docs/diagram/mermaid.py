"""A scene as Mermaid's entity-relationship diagram, which GitHub and others draw themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.schema_docs.diagram.scene import Box, Link, Row, Scene

_KEYS = {"PK": "PK", "FK": "FK", "U": "UK"}  # Mermaid knows no others
IN_WORDS = "_-[]()"


def mermaid(scene: Scene) -> str:
    """Give the text of the diagram; a box has a line for each column, a link its columns and what it refers to."""
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
    """Give the line of a foreign key: how many rows refer, to how many, and by which columns."""
    names = {box.table: box.title for box in scene.boxes}
    referring, referred = "}o" if link.many else "|o", "o|" if link.optional else "||"
    label = ", ".join(link.columns)
    return f"    {_quoted(names[link.source])} {referring}--{referred} {_quoted(names[link.target])} : {_quoted(label)}"


def _quoted(text: str) -> str:
    """Give a text in quotes; what cannot stand between them is left out or made an apostrophe."""
    kept = (" " if not one.isprintable() else {'"': "'", "\\": "/", "%": "_"}.get(one, one) for one in text)
    return '"' + "".join(kept) + '"'


def _word(text: str) -> str:
    """Give a name or type as one word: letters, digits and few signs; it begins with a letter."""
    word = "".join(one if one.isalnum() or one in IN_WORDS else "_" for one in text.strip('"'))
    return word if word[:1].isalpha() else f"_{word}"
