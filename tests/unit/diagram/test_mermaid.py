"""The text for Mermaid, line by line; whether Mermaid reads it is tested in a browser."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.diagram.mermaid import mermaid
from infra.diagram.scene import Box, Row
from tests.unit.diagram.scenes import box, link, scene


def test_a_scene_is_entities_and_relationships() -> None:
    """Tables come with their columns, then foreign keys with their columns as names."""
    boxes = [box("a"), box("b", "a")]
    assert mermaid(scene(boxes, [link("b", "a", "a")])).splitlines() == [
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
    """Both ends of a relationship say how many rows there may be."""
    one = replace(link("b", "a", "a", many=many), optional=optional)
    assert mermaid(scene([box("a"), box("b", "a")], [one])).splitlines()[-1] == f'    "b" {sign} "a" : "a"'


ROWS = [
    (Row("id", "integer", ("PK", "FK"), True, ""), 'integer id PK, FK "not null"'),
    (Row("a", "numeric(10,4)", ("U",), False, ""), "numeric(10_4) a UK"),
    (Row('"a b"', "public.mood[]", ("U1", "U2"), False, ""), 'public_mood[] a_b "unique U1, U2"'),
    (Row('"1st"', '"My type"', (), False, ""), "My_type _1st"),
    (Row('""""', "text", (), False, ""), "text _"),
]


@pytest.mark.parametrize(("row", "line"), ROWS)
def test_columns_are_words(row: Row, line: str) -> None:
    """Types and names are words as Mermaid has them, whatever they were."""
    assert mermaid(scene([Box("t", "02-a", (row,), stub=False, comment="")], [])).splitlines()[5].strip() == line
