"""The way of the lines between two layers: each net has a trunk of its own, and few of them cross."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

from infra.schema_docs.diagram.measures import GAP_BETWEEN_LINES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.schema_docs.diagram.nets import Via

BLUR = 4  # pixels between two parallel lines within which they look like one
SAME_LINE = 100  # how many crossings are better than two lines that look like one
ROUNDS = 4
BESIDE_BOXES = 22  # room for the signs at the ends of lines


@dataclass(frozen=True)
class Trunk:
    """A net in one gap: where its lines come in, from the left and from the right."""

    of: Via
    lefts: tuple[int, ...]
    rights: tuple[int, ...]

    @cached_property
    def top(self) -> int:
        """Give its upper end."""
        return min(*self.lefts, *self.rights) if self.rights else min(self.lefts)

    @cached_property
    def bottom(self) -> int:
        """Give its lower end."""
        return max(*self.lefts, *self.rights) if self.rights else max(self.lefts)

    @property
    def is_needed(self) -> bool:
        """Say whether it goes up or down at all."""
        return self.top < self.bottom


def tracks(trunks: Sequence[Trunk]) -> dict[Via, int]:
    """Give the track of each trunk, from 0 at the left; those that are straight lines stand on none."""
    order = _ordered([trunk for trunk in trunks if trunk.is_needed])
    found: dict[Via, int] = {}
    for number, trunk in enumerate(order):
        before = [found[other.of] for other in order[:number] if _meet(trunk, other)]
        found[trunk.of] = max(before, default=-1) + 1
    return found


def gap_width(found: Mapping[Via, int]) -> int:
    """Give how wide the gap must be."""
    return 2 * BESIDE_BOXES + GAP_BETWEEN_LINES * max(found.values(), default=0)


def track_position(track: int) -> int:
    """Give how far right of its left layer a track is."""
    return BESIDE_BOXES + GAP_BETWEEN_LINES * track


def look_like_one(trunks: Sequence[Trunk], found: Mapping[Via, int]) -> bool:
    """Say whether any two lines that are two lie upon each other."""
    return any(_look_like_one(one, other, found) for one, other in combinations(trunks, 2))


def _look_like_one(one: Trunk, other: Trunk, found: Mapping[Via, int]) -> bool:
    if one.is_needed and other.is_needed:
        left, right = (one, other) if found[one.of] < found[other.of] else (other, one)
        return _cost(left, right) >= SAME_LINE or (found[one.of] == found[other.of] and _meet(one, other))
    straight, bent = (one, other) if other.is_needed else (other, one)
    return any(abs(straight.top - y) < BLUR for y in (*bent.lefts, *bent.rights))


def _ordered(trunks: list[Trunk]) -> list[Trunk]:
    """Sort trunks so that few lines cross: each is moved to its best place among the others, some times over."""
    order = sorted(trunks, key=lambda trunk: (trunk.top, trunk.bottom, trunk.of))
    for _ in range(ROUNDS):
        before = list(order)
        for trunk in before:
            order.remove(trunk)
            order.insert(_best_place(trunk, order), trunk)
        if order == before:
            break
    return order


def _best_place(trunk: Trunk, others: list[Trunk]) -> int:
    cost = sum(_cost(trunk, other) for other in others)
    best, least = 0, cost
    for place, other in enumerate(others, 1):
        cost += _cost(other, trunk) - _cost(trunk, other)
        if cost < least:
            best, least = place, cost
    return best


def _cost(left: Trunk, right: Trunk) -> int:
    """Count what crosses when one trunk is left of the other."""
    if not _meet(left, right):
        return 0
    count = sum(right.top < y < right.bottom for y in left.rights) + sum(
        left.top < y < left.bottom for y in right.lefts
    )
    return count + SAME_LINE * sum(abs(one - other) < BLUR for one in left.rights for other in right.lefts)


def _meet(one: Trunk, other: Trunk) -> bool:
    return one.top - BLUR <= other.bottom and other.top - BLUR <= one.bottom
