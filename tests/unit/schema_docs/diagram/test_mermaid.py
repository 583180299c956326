"""The text for Mermaid, line by line; whether Mermaid reads it is tested in a browser."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from infra.schema_docs.diagram.mermaid import render_mermaid
from tests.unit.schema_docs.diagram.scenes import box, link, own_box, row, scene

if TYPE_CHECKING:
    from infra.schema_docs.diagram.scene import Row


def test_a_scene_is_entities_and_relationships() -> None:
    """Tables come with their columns, then foreign keys with their columns as names."""
    boxes = [box("a"), box("b", "a")]
    assert render_mermaid(scene(boxes, [link("b", "a", "a")])).splitlines() == [
        "---",
        'title: "A scene"',
        "---",
        "erDiagram",
        '    "a" {',
        '        integer id PK "not null"',
        "    }",
        '    "b" {',
        '        integer id PK "not null"',
        "        integer a",
        "    }",
        '    "b" }o--|| "a" : "a"',
    ]


@pytest.mark.parametrize(
    ("many", "optional", "sign"),
    [(True, False, "}o--||"), (True, True, "}o--o|"), (False, False, "|o--||"), (False, True, "|o--o|")],
)
def test_relationships_say_how_many(many: bool, optional: bool, sign: str) -> None:  # noqa: FBT001 (cases)
    """Both ends of a relationship have the cardinality of their side."""
    relationship = replace(link("b", "a", "a", many=many), optional=optional)
    assert (
        render_mermaid(scene([box("a"), box("b", "a")], [relationship])).splitlines()[-1] == f'    "b" {sign} "a" : "a"'
    )


ROWS = [
    (row("id", "PK", "FK", required=True), 'integer id PK, FK "not null"'),
    (row("a", "U", kind="numeric(10,4)"), "numeric(10_4) a UK"),
    (row('"a b"', "U1", "U2", kind="public.mood[]"), 'public_mood[] a_b "unique U1, U2"'),
    (row('"1st"', kind='"My type"'), "My_type _1st"),
    (row('""""', kind="text"), "text _"),
]


@pytest.mark.parametrize(("attribute", "line"), ROWS)
def test_columns_are_words(attribute: Row, line: str) -> None:
    """Types and names become words of Mermaid's grammar, whatever characters they have."""
    assert render_mermaid(scene([own_box("t", attribute)], [])).splitlines()[5].strip() == line
