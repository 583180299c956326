"""Revisions of an existing database are killed between and within each, or fail by a row, and the next run goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.modules.decision import Step
from infra.postgres.apply.revisions import due_revisions
from infra.postgres.connection import pool
from tests.database.postgres.apply.test_revisions import TABLE, Lane
from tests.database.postgres.stops import ERROR, due_steps, killed_everywhere, stopped_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

MODULE = """
CREATE TABLE a (id int PRIMARY KEY, note text NOT NULL, size int);
CREATE INDEX a_note ON a (note);
CREATE UNIQUE INDEX a_size ON a (size);
CREATE TABLE b (id int);
COMMENT ON TABLE b IS 'x';
"""
NOTE = """
op.execute("ALTER TABLE a ADD note text")
op.execute("UPDATE a SET note = 'n' || id")
op.execute("ALTER TABLE a ALTER note SET NOT NULL")
op.execute("ALTER TABLE a ADD size int")
"""
INDEXES = """
with op.get_context().autocommit_block():
    op.execute("CREATE INDEX CONCURRENTLY a_note ON a (note)")
    op.execute("UPDATE a SET size = id")
    op.execute("CREATE UNIQUE INDEX CONCURRENTLY a_size ON a (size)")
"""
MORE = 'op.execute("CREATE TABLE b (id int)")\nop.execute("COMMENT ON TABLE b IS \'x\'")'
ROWS = [(number, f"n{number}", number) for number in range(1, 31)]


@pytest.fixture
def lane(world: World) -> Lane:
    """Return a lane whose database has rows, and lacks three revisions."""
    lane = Lane(world)
    lane.release(m01_a=TABLE)
    lane.up()
    lane.world.sql("INSERT INTO a SELECT g FROM generate_series(1, 30) g")
    lane.world.write(m01_a=MODULE)
    for revision, upgrade in (("0002", NOTE), ("0003", INDEXES), ("0004", MORE)):
        lane.revision(revision, upgrade)
    return lane


def assert_like_fresh(lane: Lane, new_world: Callable[[], World]) -> None:
    """Compare rows and catalog of a lane with what they have to be."""
    assert lane.world.sql("SELECT id, note, size FROM a ORDER BY id") == ROWS
    assert lane.up() == ([], [Step.UNCHANGED])
    fresh = new_world()
    fresh.up()
    assert fresh.fingerprint() == lane.world.fingerprint()


def test_a_run_that_is_killed_between_and_within_all_revisions_ends_alike(
    lane: Lane, new_world: Callable[[], World]
) -> None:
    """SIGKILL before each revision and in the middle of it, in a transaction or not: no value is lost."""
    left = killed_everywhere(lane.world, "0001")
    assert left == ["0004"]
    assert lane.up() == (left, [Step.VERIFY])
    assert_like_fresh(lane, new_world)


def test_a_row_that_comes_meanwhile_and_fails_is_named_and_the_next_run_goes_on(
    lane: Lane, new_world: Callable[[], World]
) -> None:
    """The index that it breaks is built again when the row is gone; what was done before it is not done again."""
    with due_steps(lane.world) as (_, holder), stopped_at(lane.world, holder, "0002", 2) as run:
        lane.world.sql("INSERT INTO a VALUES (40, 'late', 7)")
    assert run.status() == 1
    error = ERROR.read_text(encoding="utf-8")
    assert "migrations/versions/0003_test.py:11" in error
    assert "Key (size)=(7) is duplicated" in error
    lane.world.sql("DELETE FROM a WHERE id = 40")
    with pool.connection(lane.world.session.target) as connection:
        due = due_revisions(connection, lane.world.session).revisions
    assert [revision.revision for revision in due] == ["0003", "0004"]
    assert lane.up() == (["0003", "0004"], [Step.VERIFY])
    assert_like_fresh(lane, new_world)
