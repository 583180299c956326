"""A run that brings a database over is killed between its steps and in the middle of each, and goes on afterwards.

Of all kinds with KINDS="schema_sql old_chain modular_scripts modules" in the environment.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from infra.modules.decision import Step
from tests.database.postgres.stops import ERROR, due_steps, killed_everywhere, stopped_at
from tests.schema.database.awkward_rows import fill
from tests.schema.database.kinds import differing, find_again, up, values_before

if TYPE_CHECKING:
    from tests.schema.database.kinds import Make

pytestmark = [pytest.mark.database, pytest.mark.full]
ROWS, FIRST = 50, 100
KILLED = os.environ.get("KINDS", "old_chain").split()


@pytest.mark.parametrize("kind", KILLED)
def test_a_run_that_is_killed_between_and_within_all_steps_is_resumed_and_ends_alike(make: Make, kind: str) -> None:
    """SIGKILL before the first statement of each step, and in the middle of it: no value is lost, all is as fresh."""
    world, fresh = make(kind), make("")
    up(fresh)
    fill(world, ROWS, first=FIRST)
    with values_before(world) as before:
        left = killed_everywhere(world)
        assert up(world) == (left, {Step.ADOPT})
        assert differing(fresh, world) == set()
        assert find_again(kind, before, world)


@dataclass(frozen=True)
class LateRow:
    """A row that breaks a rule after the rules were read: when it comes, what the run says, and how it goes again."""

    kind: str
    stamp: str
    insert: str
    error: str
    correct: str


LATE = {
    "in a transaction": LateRow(
        "old_chain",
        "",
        "INSERT INTO supply_update_logs (id, update_type, created_at) VALUES ('late', 'x', now())",
        'old_chain/01-shapes.sql:93:1: column "supply_item_id" of relation "supply_update_logs" contains null values',
        "DELETE FROM supply_update_logs",
    ),
    "statement by statement": LateRow(
        "schema_sql",
        "schema_sql-7",
        "INSERT INTO userbase (id, email) VALUES ('late', 'same@address'), ('later', 'same@address')",
        "Key (email)=(same@address) is duplicated",
        "DELETE FROM userbase",
    ),
}


@pytest.mark.parametrize("late", LATE.values(), ids=LATE)
def test_a_late_row_that_breaks_a_rule_is_named_and_the_next_run_goes_on(make: Make, late: LateRow) -> None:
    """The step fails with its place and the row's key; when the row is corrected, the end is the same as without it."""
    world, fresh = make(late.kind), make("")
    up(fresh)
    fill(world, ROWS, first=FIRST)
    with values_before(world) as before:
        with due_steps(world) as (_, holder):
            with stopped_at(world, holder, late.stamp, 1) as run:
                world.sql(late.insert, owner=False)
            assert run.status() == 1
        assert late.error in ERROR.read_text(encoding="utf-8")
        world.sql(f"{late.correct} WHERE id IN ('late', 'later')", owner=False)
        assert up(world)[1] == {Step.ADOPT}
        assert differing(fresh, world) == set()
        assert find_again(late.kind, before, world)
