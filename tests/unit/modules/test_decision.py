"""The table of decisions is complete and without repetitions; test_docs.py compares the page that shows it."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest

from infra.modules.decision import (
    DECISIONS,
    MEANING,
    TABLE,
    Change,
    Lifecycle,
    ModuleState,
    Step,
    as_markdown,
    decide,
)

WITHOUT_ROW = {ModuleState.FRESH, ModuleState.PRESENT, ModuleState.CONFLICTING}
POSSIBLE = [
    (state, change, lifecycle)
    for state, change, lifecycle in product(ModuleState, Change, Lifecycle)
    if state is ModuleState.FOREIGN or (state in WITHOUT_ROW) == (change is Change.NEW)
]


def test_every_case_has_exactly_one_decision() -> None:
    """A module without a row is new, one with a row is not; each such case is in one rule, and no other is in any."""
    cases = Counter(
        (state, change, lifecycle)
        for state, changes, lifecycles, _ in DECISIONS
        for change in changes
        for lifecycle in lifecycles
    )
    assert set(cases) == set(POSSIBLE) == set(TABLE)
    assert set(cases.values()) == {1}


@pytest.mark.parametrize("case", POSSIBLE, ids=lambda case: " ".join(part.name.lower() for part in case))
def test_a_decision_says_why_and_a_refusal_what_to_do(case: tuple[ModuleState, Change, Lifecycle]) -> None:
    """Every decision has a reason in a sentence, and whatever may end in a refusal a remedy."""
    decision = decide(*case)
    assert decision.why
    assert bool(decision.remedy) == (decision.step in {Step.REFUSE, Step.VERIFY})
    assert not any(text.endswith(".") or "\n" in text for text in (decision.why, decision.remedy))


def test_nothing_is_dropped_where_data_counts() -> None:
    """No case of a persistent stack ends in a rebuild; only an ephemeral one may."""
    steps = {lifecycle: {TABLE[case].step for case in POSSIBLE if case[2] is lifecycle} for lifecycle in Lifecycle}
    assert Step.REBUILD not in steps[Lifecycle.PERSISTENT]
    assert Step.VERIFY not in steps[Lifecycle.EPHEMERAL]
    without_file = {Step.RETAIN, Step.DROP}
    assert steps[Lifecycle.PERSISTENT] | steps[Lifecycle.EPHEMERAL] | without_file == set(Step) == set(MEANING)


def test_the_table_is_written_for_the_documentation() -> None:
    """There is a line for each state and change that can occur, with the step of each lifecycle."""
    lines = as_markdown().splitlines()
    assert lines[:2] == ["| the database … | the file … | ephemeral | persistent |", "| --- | --- | --- | --- |"]
    assert len(lines) == 2 + len(POSSIBLE) / len(Lifecycle)
    assert f"| {ModuleState.APPLIED.value} | {Change.CHANGED.value} | **rebuild** | **verify** |" in lines
    assert f"| {ModuleState.VANISHED.value} | {Change.SAME.value} | **rebuild** | **refuse** |" in lines
