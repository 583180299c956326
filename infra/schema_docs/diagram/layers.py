"""The layers of a picture: a table stands left of those that refer to it, and no layer becomes much too high."""

from __future__ import annotations

from collections import defaultdict
from math import ceil, sqrt
from typing import TYPE_CHECKING

from infra.schema_docs.diagram.measures import GAP_BETWEEN_BOXES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.schema_docs.diagram.scene import Box, Scene

WIDTH_TO_HEIGHT = 1.25  # the shape that a picture should have
ROOM_FOR_LINES = 1.4  # how much wider a layer is, with the lines beside it, than its boxes


def assign_layers(scene: Scene) -> list[list[str]]:
    """Return the names of the linked boxes, layer by layer from left to right; unlinked boxes are in none."""
    references = acyclic_references(scene)
    linked = {name for link in scene.links for name in (link.source, link.target)}
    boxes = {box.table: box for box in scene.boxes if box.table in linked}
    limit = _height_limit(list(boxes.values()))
    layer_of: dict[str, int] = {}
    heights: defaultdict[int, int] = defaultdict(int)
    for name in _topological_order(list(boxes), references):
        layer = max((layer_of[target] + 1 for target in references[name]), default=0)
        while heights[layer] and heights[layer] + boxes[name].height > limit:
            layer += 1
        layer_of[name] = layer
        heights[layer] += boxes[name].height + GAP_BETWEEN_BOXES
    _pull_right(layer_of, references)
    used = sorted(set(layer_of.values()))
    return [[name for name in boxes if layer_of[name] == layer] for layer in used]


def acyclic_references(scene: Scene) -> dict[str, set[str]]:
    """Return for each box those that it refers to, without itself and without the links that would close a cycle."""
    linked: dict[str, list[str]] = {box.table: [] for box in scene.boxes}
    for link in scene.links:
        if link.source != link.target:
            linked[link.source].append(link.target)
    visited: set[str] = set()
    references: dict[str, set[str]] = {name: set() for name in linked}
    for start, targets in linked.items():
        if start in visited:
            continue
        path, walk = {start}, [(start, iter(targets))]
        while walk:
            name, remaining = walk[-1]
            for target in remaining:
                if target in path:
                    continue  # closes a cycle
                references[name].add(target)
                if target not in visited:
                    path.add(target)
                    walk.append((target, iter(linked[target])))
                    break
            else:
                walk.pop()
                path.discard(name)
                visited.add(name)
    return references


def layers_needed(boxes: Sequence[Box]) -> int:
    """Return how many layers boxes without links need if there are no others."""
    heights = sum(box.height + GAP_BETWEEN_BOXES for box in boxes)
    return ceil(heights / _height_limit(boxes)) if boxes else 0


def _height_limit(boxes: Sequence[Box]) -> int:
    """Return the height at which a layer is full, so that the picture gets its shape."""
    area = sum((box.height + GAP_BETWEEN_BOXES) * box.width * ROOM_FOR_LINES for box in boxes)
    return max([int(sqrt(area / WIDTH_TO_HEIGHT)), *(box.height for box in boxes)], default=0)


def _topological_order(names: list[str], references: Mapping[str, set[str]]) -> list[str]:
    """Return the names so that each comes after those it refers to, and otherwise in their order."""
    order: dict[str, None] = {}
    for start in names:
        stack = [start]
        while stack:
            name = stack[-1]
            missing = [target for target in names if target in references[name] and target not in order]
            if missing and name not in order:
                stack.append(missing[0])
            else:
                order.setdefault(stack.pop())
    return list(order)


def _pull_right(layer_of: dict[str, int], references: Mapping[str, set[str]]) -> None:
    """Move each box that refers to nothing next to the leftmost of those that refer to it."""
    referring: defaultdict[str, list[str]] = defaultdict(list)
    for name, targets in references.items():
        for target in targets:
            referring[target].append(name)
    for name in [name for name in layer_of if not references[name] and referring[name]]:
        layer_of[name] = min(layer_of[source] for source in referring[name]) - 1
