"""Variants measured in turn, round after round, because a machine's speed changes from minute to minute."""

from __future__ import annotations

import resource
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True)
class Cost:
    """The cost of a call: seconds on the clock, and processor seconds of the child processes that ended."""

    seconds: float
    processor: float = 0.0


Costs = dict[str, list[Cost]]


def cost_of(action: Callable[[], object]) -> Cost:
    """Call an action and return its cost."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    action()
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def run_alternating(variants: Mapping[str, Callable[[], Cost]], rounds: int) -> Costs:
    """Run every variant once in each round, in every second round in the opposite order; return the costs by name."""
    costs: Costs = {name: [] for name in variants}
    for number in range(rounds):
        names = list(variants)
        for name in names if number % 2 == 0 else reversed(names):
            costs[name].append(variants[name]())
    return costs


@dataclass(frozen=True)
class Ratio:
    """The ratio of two costs: of the quickest runs, and the median of the rounds' own ratios."""

    of_minima: float
    median: float


def ratio(costs: Sequence[Cost], others: Sequence[Cost]) -> Ratio:
    """Return the ratio of two variants' seconds; both have a cost for each round, in the same order."""
    return Ratio(
        minimum_seconds(costs) / minimum_seconds(others),
        statistics.median(cost.seconds / other.seconds for cost, other in zip(costs, others, strict=True)),
    )


def minimum_seconds(costs: Sequence[Cost]) -> float:
    """Return the seconds of the quickest run."""
    return min(cost.seconds for cost in costs)


def median_seconds(costs: Sequence[Cost]) -> float:
    """Return the median of the seconds."""
    return statistics.median(cost.seconds for cost in costs)


def minimum_processor(costs: Sequence[Cost]) -> float:
    """Return the least processor seconds of a run."""
    return min(cost.processor for cost in costs)
