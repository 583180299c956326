"""What a branch changes as a picture: the tables that differ, before and after, in diagrams of Mermaid."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from infra.catalog.catalog import ObjectId
from infra.catalog.structure import structure_of
from infra.schema_docs.diagram.mermaid import render_mermaid
from infra.schema_docs.diagram.scene import module_scene

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.catalog.structure import Structure, Table

MOST_DRAWN = 12
"""Tables that differ; a picture of more is no help in a comment."""


def picture(before: Mapping[ObjectId, str], after: Mapping[ObjectId, str]) -> list[tuple[str, str]]:
    """Return diagrams, `before` and `after`, of the tables whose columns or keys differ, with stubs of their targets.

    A side on which none of them exists is left out, and so is a picture of more than MOST_DRAWN.
    """
    old, new = (structure_of(definitions, {}) for definitions in (before, after))
    differing = {
        name
        for name in old.tables.keys() | new.tables.keys()
        if _drawn(old.tables.get(name)) != _drawn(new.tables.get(name))
    }
    if not 0 < len(differing) <= MOST_DRAWN:
        return []
    sides = (("before", old), ("after", new))
    return [(title, _diagram(title, side, differing)) for title, side in sides if differing & side.tables.keys()]


def _drawn(table: Table | None) -> object:
    """Return what a diagram shows of a table."""
    if table is None:
        return None
    columns = {(column.name, column.type, column.nullable) for column in table.columns}
    keys = {(key.columns, key.target, key.target_columns) for key in table.foreign_keys}
    return columns, keys, table.primary_key, frozenset(table.unique_rules)


def _diagram(title: str, side: Structure, differing: set[str]) -> str:
    """Return a diagram in which the tables that differ are those of one module, which is called as the diagram."""
    makers = {ObjectId("table", name): title for name in differing}
    scene = module_scene(replace(side, makers=makers), title)
    links = tuple(link for link in scene.links if link.source in differing)
    shown = differing.union(link.target for link in links)
    boxes = tuple(box for box in scene.boxes if box.table in shown)
    return render_mermaid(replace(scene, boxes=boxes, links=links))
