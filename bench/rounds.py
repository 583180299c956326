"""Variants run in turn, round after round, because the machine is not the same from one minute to the next."""

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
    """What one call took: seconds on the clock, and seconds of processor in the processes it started and ended."""

    seconds: float
    processor: float = 0.0


Costs = dict[str, list[Cost]]


def cost_of(act: Callable[[], object]) -> Cost:
    """Do something and give what it cost."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    act()
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def alternate(variants: Mapping[str, Callable[[], Cost]], rounds: int) -> Costs:
    """Let every variant run once in each round, every other round in the opposite order."""
    found: Costs = {name: [] for name in variants}
    for number in range(rounds):
        names = list(variants)
        for name in names if number % 2 == 0 else reversed(names):
            found[name].append(variants[name]())
    return found


@dataclass(frozen=True)
class Ratio:
    """How many times what another thing cost: of the quickest runs, and the median over the rounds."""

    of_minima: float
    median: float


def ratio(costs: Sequence[Cost], others: Sequence[Cost]) -> Ratio:
    """Compare two variants of one run, round by round."""
    return Ratio(
        min(one.seconds for one in costs) / min(one.seconds for one in others),
        statistics.median(one.seconds / other.seconds for one, other in zip(costs, others, strict=True)),
    )


def quickest(costs: Sequence[Cost]) -> float:
    """Give the seconds of the quickest run."""
    return min(one.seconds for one in costs)


def usual(costs: Sequence[Cost]) -> float:
    """Give the median of the seconds."""
    return statistics.median(one.seconds for one in costs)


def processor(costs: Sequence[Cost]) -> float:
    """Give the least seconds of processor."""
    return min(one.processor for one in costs)
