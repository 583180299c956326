"""Scenes to draw: small ones from a few words, random ones of any shape, and one with everything that is awkward."""

from __future__ import annotations

import random

from infra.diagram.scene import Box, Link, Row, Scene


def row(name: str, *keys: str, kind: str = "integer", required: bool = False) -> Row:
    """Give a row."""
    return Row(name, kind, keys, required, "")


def box(table: str, *columns: str, module: str = "02-a", stub: bool = False) -> Box:
    """Give a box with a key and these columns."""
    return Box(table, module, (row("id", "PK", required=True), *map(row, columns)), stub, "")


def link(source: str, column: str, target: str, target_column: str = "id", *, many: bool = True) -> Link:
    """Give a link between two columns."""
    name = f"{source}_{column}_fkey"
    return Link(name, source, (column,), target, (target_column,), "", many=many, optional=False)


def scene(boxes: list[Box], links: list[Link]) -> Scene:
    """Give a scene of these."""
    return Scene("A scene", tuple(boxes), tuple(links), tuple(dict.fromkeys(one.module for one in boxes)))


def random_scene(seed: int) -> Scene:
    """Give a scene of up to 25 boxes with links of any direction, circles and references to itself included."""
    chance = random.Random(seed)
    names = [f"t{number}" for number in range(chance.randint(1, 25))]
    boxes = [box(name, *(f"c{column}" for column in range(chance.randint(1, 12)))) for name in names]
    links: list[Link] = []
    for one in boxes:
        for column in one.rows[1:]:
            if chance.random() < chance.choice([0.1, 0.4]):
                links.append(link(one.table, column.column, chance.choice(names), many=chance.random() < 0.8))
    return scene(boxes, links)


def awkward() -> Scene:
    """Give a scene with names that are long, wide, quoted, marked up, and with a circle and references to itself."""
    markup = Box(
        '<script>alert(1)</script>', "02-a", (row("id", "PK"), row('"a & b"', "FK", "U"), row("ref", "FK")), False, "<b>"
    )  # fmt: skip
    wide = Box('"表の名前"', "03-b", (row("id", "PK", "FK"), row('"列の名前"', kind="numeric(1000,999)")), False, "")
    long = Box("n" * 63, "03-b", (row("c" * 63, "PK", "FK", "U1", "U2", kind="t" * 63, required=True),), False, "")
    accents = Box('"e\u0301te\u0301"', "03-b", (row("id", "PK"), row("up", "FK")), True, "")
    bare = Box("bare", "02-a", (), False, "")
    links = [
        link(markup.table, '"a & b"', wide.table),
        link(wide.table, "id", markup.table),
        link(markup.table, "ref", markup.table),
        link(long.table, "c" * 63, wide.table, many=False),
        link(accents.table, "up", accents.table),
        link(accents.table, "up", markup.table),
    ]
    return scene([markup, wide, long, accents, bare], links)
