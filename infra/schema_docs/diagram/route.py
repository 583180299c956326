"""The route of the lines between two layers: each net has a vertical trunk on a track, and few of them cross."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

from infra.schema_docs.diagram.measures import GAP_BETWEEN_LINES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.schema_docs.diagram.nets import NetKey

BLUR = 4  # pixels between two parallel lines within which they look like one
COINCIDENCE_COST = 100  # how many crossings are better than two lines that look like one
ROUNDS = 4
BESIDE_BOXES = 22  # room for the signs at the ends of lines


@dataclass(frozen=True)
class Trunk:
    """The vertical part of a net in one gap: the heights at which lines join it from the left and from the right."""

    net: NetKey
    lefts: tuple[int, ...]
    rights: tuple[int, ...]

    @cached_property
    def top(self) -> int:
        """Return the height of the upper end."""
        return min(*self.lefts, *self.rights) if self.rights else min(self.lefts)

    @cached_property
    def bottom(self) -> int:
        """Return the height of the lower end."""
        return max(*self.lefts, *self.rights) if self.rights else max(self.lefts)

    @property
    def is_needed(self) -> bool:
        """Return whether the trunk goes up or down at all; without that the net is a straight line."""
        return self.top < self.bottom


def assign_tracks(trunks: Sequence[Trunk]) -> dict[NetKey, int]:
    """Return the track of each trunk, counted from 0 at the left; nets that are straight lines need none."""
    order = _order_trunks([trunk for trunk in trunks if trunk.is_needed])
    tracks: dict[NetKey, int] = {}
    for number, trunk in enumerate(order):
        taken = [tracks[earlier.net] for earlier in order[:number] if _overlap(trunk, earlier)]
        tracks[trunk.net] = max(taken, default=-1) + 1
    return tracks


def gap_width(tracks: Mapping[NetKey, int]) -> int:
    """Return how wide the gap must be for its tracks."""
    return 2 * BESIDE_BOXES + GAP_BETWEEN_LINES * max(tracks.values(), default=0)


def track_position(track: int) -> int:
    """Return how far right of its left layer a track is."""
    return BESIDE_BOXES + GAP_BETWEEN_LINES * track


def has_coinciding_lines(trunks: Sequence[Trunk], tracks: Mapping[NetKey, int]) -> bool:
    """Return whether any two different nets of a gap have lines that lie upon each other."""
    return any(_coincide(first, second, tracks) for first, second in combinations(trunks, 2))


def _coincide(first: Trunk, second: Trunk, tracks: Mapping[NetKey, int]) -> bool:
    if first.is_needed and second.is_needed:
        left, right = (first, second) if tracks[first.net] < tracks[second.net] else (second, first)
        same_track = tracks[first.net] == tracks[second.net]
        return _cost(left, right) >= COINCIDENCE_COST or (same_track and _overlap(first, second))
    straight, bent = (first, second) if second.is_needed else (second, first)
    return any(abs(straight.top - y) < BLUR for y in (*bent.lefts, *bent.rights))


def _order_trunks(trunks: list[Trunk]) -> list[Trunk]:
    """Return the trunks so that few lines cross: each is moved to its best place among the others, a few times."""
    order = sorted(trunks, key=lambda trunk: (trunk.top, trunk.bottom, trunk.net))
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
    """Return the cost of the crossings when one trunk is left of the other."""
    if not _overlap(left, right):
        return 0
    crossings = sum(right.top < y < right.bottom for y in left.rights) + sum(
        left.top < y < left.bottom for y in right.lefts
    )
    coincidences = sum(abs(outgoing - incoming) < BLUR for outgoing in left.rights for incoming in right.lefts)
    return crossings + COINCIDENCE_COST * coincidences


def _overlap(first: Trunk, second: Trunk) -> bool:
    """Return whether two trunks share a height, so that they need different tracks."""
    return first.top - BLUR <= second.bottom and second.top - BLUR <= first.bottom
