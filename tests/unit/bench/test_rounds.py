"""The figures of a benchmark and the table that shows them."""

from __future__ import annotations

import pytest

from bench.rounds import Cost, ratio, run_alternating
from bench.table import comparison_row, limit_row, render_table


def test_variants_take_turns_and_each_begins_as_often() -> None:
    """Every variant runs once in a round, and who runs first changes from round to round."""
    order: list[str] = []

    def variant(name: str) -> Cost:
        order.append(name)
        return Cost(float(len(order)))

    costs = run_alternating({"a": lambda: variant("a"), "b": lambda: variant("b")}, 2)
    assert order == ["a", "b", "b", "a"]
    assert costs == {"a": [Cost(1), Cost(4)], "b": [Cost(2), Cost(3)]}


def test_a_ratio_is_of_the_quickest_runs_and_of_the_same_rounds() -> None:
    """The minima are taken over all rounds; the median is that of the rounds' own ratios."""
    ratios = ratio([Cost(2), Cost(9), Cost(8)], [Cost(1), Cost(3), Cost(4)])
    assert (ratios.of_minima, ratios.median) == (2, 2)


@pytest.mark.parametrize(("measured", "verdict"), [(5.0, "met"), (5.1, "missed")])
def test_a_limit_is_met_up_to_itself(measured: float, verdict: str) -> None:
    """A figure that equals its limit meets it."""
    assert limit_row("a module", measured, "ms", 5.0).cells()[-1] == verdict


def test_a_table_is_aligned_and_marks_missed_goals() -> None:
    """All lines have the same width, and a goal that was not met is marked as missed."""
    text = render_table([comparison_row("up", [Cost(3, 1)], "empty", [Cost(1)], 1.5), limit_row("x", 1, "", 2)])
    assert len({len(line) for line in text.splitlines()}) == 1
    assert "| 3.00x (median 3.00x) | at most 1.5x | missed |" in text
