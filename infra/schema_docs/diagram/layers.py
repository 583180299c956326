"""Which box stands in which layer: referred tables left of those that refer to them, no layer much too high."""

from __future__ import annotations

from collections import defaultdict
from math import ceil, sqrt
from typing import TYPE_CHECKING

from infra.schema_docs.diagram.measures import GAP_BETWEEN_BOXES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.schema_docs.diagram.scene import Box, Scene

SHAPE = 1.25  # how much wider than high a picture shall be
ROOM_FOR_LINES = 1.4  # how much wider a layer is, with the lines beside it, than its boxes


def layers(scene: Scene) -> list[list[str]]:
    """Give the names of the linked boxes, layer by layer from left to right; unlinked ones are in none."""
    referred = forward(scene)
    linked = {name for link in scene.links for name in (link.source, link.target)}
    boxes = {box.table: box for box in scene.boxes if box.table in linked}
    highest = _highest(list(boxes.values()))
    placed: dict[str, int] = {}
    heights: defaultdict[int, int] = defaultdict(int)
    for name in _in_order(list(boxes), referred):
        layer = max((placed[other] + 1 for other in referred[name]), default=0)
        while heights[layer] and heights[layer] + boxes[name].height > highest:
            layer += 1
        placed[name] = layer
        heights[layer] += boxes[name].height + GAP_BETWEEN_BOXES
    _pull_right(placed, referred)
    used = sorted(set(placed.values()))
    return [[name for name in boxes if placed[name] == layer] for layer in used]


def forward(scene: Scene) -> dict[str, set[str]]:
    """Give for each box those that it refers to, without itself and without the links that would close a circle."""
    linked: dict[str, list[str]] = {box.table: [] for box in scene.boxes}
    for link in scene.links:
        if link.source != link.target:
            linked[link.source].append(link.target)
    done: set[str] = set()
    result: dict[str, set[str]] = {name: set() for name in linked}
    for start, others in linked.items():
        if start in done:
            continue
        path, walk = {start}, [(start, iter(others))]
        while walk:
            name, rest = walk[-1]
            for other in rest:
                if other in path:
                    continue  # closes a circle
                result[name].add(other)
                if other not in done:
                    path.add(other)
                    walk.append((other, iter(linked[other])))
                    break
            else:
                walk.pop()
                path.discard(name)
                done.add(name)
    return result


def pillars(boxes: Sequence[Box]) -> int:
    """Give how many layers boxes without links need, if there is nothing else."""
    heights = sum(box.height + GAP_BETWEEN_BOXES for box in boxes)
    return ceil(heights / _highest(boxes)) if boxes else 0


def _highest(boxes: Sequence[Box]) -> int:
    """Give the height at which a layer is full, so that the picture gets its shape."""
    area = sum((box.height + GAP_BETWEEN_BOXES) * box.width * ROOM_FOR_LINES for box in boxes)
    return max([int(sqrt(area / SHAPE)), *(box.height for box in boxes)], default=0)


def _in_order(names: list[str], referred: Mapping[str, set[str]]) -> list[str]:
    """Sort so that each comes after those it refers to, and else as they were."""
    done: dict[str, None] = {}
    for start in names:
        stack = [start]
        while stack:
            name = stack[-1]
            missing = [other for other in names if other in referred[name] and other not in done]
            if missing and name not in done:
                stack.append(missing[0])
            else:
                done.setdefault(stack.pop())
    return list(done)


def _pull_right(placed: dict[str, int], referred: Mapping[str, set[str]]) -> None:
    """Move what refers to nothing next to the first of those that refer to it."""
    referring: defaultdict[str, list[str]] = defaultdict(list)
    for name, others in referred.items():
        for other in others:
            referring[other].append(name)
    for name in [one for one in placed if not referred[one] and referring[one]]:
        placed[name] = min(placed[other] for other in referring[name]) - 1
