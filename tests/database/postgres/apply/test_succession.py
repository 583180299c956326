"""A new module that makes what a module without a file has made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.errors import ModuleError
from infra.modules.decision import Step
from tests.database.postgres.databases import EPHEMERAL

if TYPE_CHECKING:
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

A = "CREATE TABLE a (id integer PRIMARY KEY);\n"
B = "CREATE TABLE b (id integer PRIMARY KEY);\n"
CHANGED = "CREATE TABLE b (id bigint PRIMARY KEY);\n"
ON_B = "CREATE TABLE c (b_id integer REFERENCES b (id));\n"


@pytest.fixture
def applied(world: World) -> World:
    """Give a world with two modules applied, and a row in the second one's table."""
    world.write(m01_a=A, m02_b=B)
    world.up()
    world.sql("INSERT INTO b VALUES (1)")
    return world


def test_a_file_renamed_and_changed_is_rebuilt_where_nothing_counts(applied: World) -> None:
    """It has the number of the file that is gone, so it is that one; what Pulumi deletes afterwards is gone already."""
    world = applied.set(lifecycle=EPHEMERAL)
    world.write(m02_b=None, m02_new=CHANGED)
    foreseen = "rebuild: its statements changed; drops and makes anew 1 table of 02, losing all rows (b 1)"
    assert world.outlook("02-new").change == foreseen
    assert world.up() == [Step.UNCHANGED, Step.REBUILD]
    assert world.retire("02-b") == "there was nothing to drop"
    assert world.ledger() == {"01-a": "applied", "02-new": "applied"}
    assert world.is_as_made()


def test_later_modules_are_rebuilt_with_it(applied: World) -> None:
    """They may rest on it, as those behind a changed file do."""
    world = applied.set(lifecycle=EPHEMERAL)
    world.write(m03_c=ON_B)
    world.up()
    world.write(m02_b=None, m02_new=CHANGED, m03_c=ON_B.replace("integer", "bigint"))
    assert world.up()[1] is Step.REBUILD
    assert world.ledger() == {"01-a": "applied", "02-new": "applied", "03-c": "applied"}
    assert world.is_as_made()


def test_a_file_renamed_and_changed_is_compared_where_data_counts(applied: World) -> None:
    """Every difference is named, nothing is lost; where a migration brought the database there, that is recorded."""
    world = applied
    world.write(m02_b=None, m02_new=CHANGED)
    assert "the database has not followed: column public.b.id is different" in world.outlook("02-new").refused
    refusal = "\n".join(world.refused())
    assert "column public.b.id is different" in refusal
    assert world.sql("SELECT id FROM b") == [(1,)]
    world.sql("ALTER TABLE b ALTER id TYPE bigint")
    assert world.up() == [Step.UNCHANGED, Step.VERIFY]
    assert world.ledger() == {"01-a": "applied", "02-new": "verified"}


@pytest.fixture
def moving(applied: World) -> World:
    """Give a world in which the second of three modules is moved to the end, and changed."""
    world = applied
    world.write(m03_c=ON_B)
    world.up()
    world.write(m02_b=None, m03_c=None, m02_c=ON_B, m03_b=CHANGED)
    return world


def test_statements_may_move_to_another_number_where_nothing_counts(moving: World) -> None:
    """What the file that is gone had made is dropped before, and said; the other modules stay as they are."""
    world = moving.set(lifecycle=EPHEMERAL)
    world.sql("ALTER TABLE c DROP CONSTRAINT c_b_id_fkey")
    assert world.up(looking=False) == [Step.UNCHANGED, Step.UNCHANGED, Step.APPLY]
    assert world.told == [f"02-b was removed: its objects are dropped from {world.place}"]
    assert world.ledger() == {"01-a": "applied", "02-c": "applied", "03-b": "applied"}
    assert world.sql("SELECT count(*) FROM b") == [(0,)]


def test_what_others_rest_on_is_not_dropped(moving: World) -> None:
    """The refusal names who built on it, and everything stays."""
    world = moving.set(lifecycle=EPHEMERAL)
    (refusal,) = world.refused()
    assert refusal == (
        f"module 02-b in {world.place}: cannot be dropped, because other objects depend on what it made: constraint "
        "c_b_id_fkey on table c depends on table b; drop those objects first, if nobody needs them"
    )
    assert world.sql("SELECT id FROM b") == [(1,)]


def test_where_data_counts_the_modules_without_a_file_are_named(moving: World) -> None:
    """PostgreSQL only says that there is such a table; nothing is dropped."""
    world = moving
    with pytest.raises(ModuleError) as caught:
        world.up()
    assert str(caught.value).splitlines() == [
        'sql/03-b.sql:1:1: relation "b" already exists [42P07]',
        "  CREATE TABLE b (id bigint PRIMARY KEY);",
        "  ^",
        "  hint: what modules without a file made stays: 02-b; a file that comes back is compared",
    ]
    assert world.sql("SELECT id FROM b") == [(1,)]


def test_a_table_that_nobody_left_behind_is_the_modules_own_error(applied: World) -> None:
    """With every file in its place nothing is tried again, and nothing is dropped."""
    world = applied.set(lifecycle=EPHEMERAL)
    world.write(m03_new=B)
    with pytest.raises(ModuleError, match='relation "b" already exists'):
        world.up()
    assert world.told == []
    assert world.sql("SELECT id FROM b") == [(1,)]
