"""Scenes to draw: small ones from a few words, random ones of any shape, and one of awkward names and links."""

from __future__ import annotations

import random

from infra.schema_docs.diagram.scene import Box, Link, Row, Scene


def row(name: str, *keys: str, kind: str = "integer", required: bool = False) -> Row:
    """Return a row."""
    return Row(name, kind, keys, required, "")


def own_box(table: str, *rows: Row, module: str = "02-a", stub: bool = False) -> Box:
    """Return a box with these rows, and a comment that is markup."""
    return Box(table, module, rows, stub, "<b>")


def box(table: str, *columns: str, module: str = "02-a", stub: bool = False) -> Box:
    """Return a box with a primary key and these columns."""
    return Box(table, module, (row("id", "PK", required=True), *map(row, columns)), stub, "")


def link(source: str, column: str, target: str, target_column: str = "id", *, many: bool = True) -> Link:
    """Return a link between two columns."""
    name = f"{source}_{column}_fkey"
    return Link(name, source, (column,), target, (target_column,), "", many=many, optional=False)


def scene(boxes: list[Box], links: list[Link]) -> Scene:
    """Return a scene of these boxes and links."""
    return Scene("A scene", tuple(boxes), tuple(links), tuple(dict.fromkeys(box.module for box in boxes)))


def random_scene(seed: int) -> Scene:
    """Return a scene of up to 25 boxes with links in any direction, cycles and self-references included."""
    chance = random.Random(seed)
    names = [f"t{number}" for number in range(chance.randint(1, 25))]
    boxes = [box(name, *(f"c{column}" for column in range(chance.randint(1, 12)))) for name in names]
    links: list[Link] = []
    for source in boxes:
        for column in source.rows[1:]:
            many, target = chance.random() < 0.8, chance.choice(names)
            links += [link(source.table, column.column, target, many=many)] * (chance.random() < 0.2)
    return scene(boxes, links)


def awkward() -> Scene:
    """Return a scene with names that are long, wide, quoted or markup, and with a cycle and self-references."""
    markup = own_box("<script>alert(1)</script>", row("id", "PK"), row('"a & b"', "FK", "U"), row("ref", "FK"))
    wide = own_box('"表の名前"', row("id", "PK", "FK"), row('"列の名前"', kind="numeric(1000,999)"), module="03-b")
    long = own_box("n" * 63, row("c" * 63, "PK", "FK", "U1", "U2", kind="t" * 63, required=True), module="03-b")
    accents = own_box('"e\u0301te\u0301"', row("id", "PK"), row("up", "FK"), module="03-b", stub=True)
    bare = own_box("bare")
    links = [
        link(markup.table, '"a & b"', wide.table),
        link(wide.table, "id", markup.table),
        link(markup.table, "ref", markup.table),
        link(long.table, "c" * 63, wide.table, many=False),
        link(accents.table, "up", accents.table),
        link(accents.table, "up", markup.table),
    ]
    return scene([markup, wide, long, accents, bare], links)
