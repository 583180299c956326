"""What a benchmark says of its figures."""

from __future__ import annotations

import pytest

from bench.rounds import Cost, alternate, ratio
from bench.table import compared, limited, rendered


def test_variants_take_turns_and_each_begins_as_often() -> None:
    """Every variant runs once in a round, and who runs first changes from round to round."""
    order: list[str] = []

    def variant(name: str) -> Cost:
        order.append(name)
        return Cost(float(len(order)))

    found = alternate({"a": lambda: variant("a"), "b": lambda: variant("b")}, 2)
    assert order == ["a", "b", "b", "a"]
    assert found == {"a": [Cost(1), Cost(4)], "b": [Cost(2), Cost(3)]}


def test_a_ratio_is_of_the_quickest_runs_and_of_the_same_rounds() -> None:
    """The minima are compared across rounds, the median is that of the rounds' own ratios."""
    found = ratio([Cost(2), Cost(9), Cost(8)], [Cost(1), Cost(3), Cost(4)])
    assert (found.of_minima, found.median) == (2, 2)


@pytest.mark.parametrize(("measured", "verdict"), [(5.0, "met"), (5.1, "missed")])
def test_a_limit_is_met_up_to_itself(measured: float, verdict: str) -> None:
    """A figure that equals its limit meets it."""
    assert limited("a module", measured, "ms", 5.0).cells()[-1] == verdict


def test_a_table_is_aligned_and_says_what_is_missed() -> None:
    """Each line has the width of the others, and a missed goal is called that."""
    text = rendered([compared("up", [Cost(3, 1)], "empty", [Cost(1)], 1.5), limited("x", 1, "", 2)])
    assert len({len(line) for line in text.splitlines()}) == 1
    assert "| 3.00x (median 3.00x) | at most 1.5x | missed |" in text
