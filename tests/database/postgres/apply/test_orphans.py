"""A new module that creates objects which a module without a file has created."""

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
    """Return a world with two modules applied, and a row in the second one's table."""
    world.write(m01_a=A, m02_b=B)
    world.up()
    world.sql("INSERT INTO b VALUES (1)")
    return world


def test_a_file_renamed_and_changed_is_rebuilt_in_an_ephemeral_stack(applied: World) -> None:
    """A new file with the number of a removed one is taken for it; retiring that afterwards finds nothing to drop."""
    world = applied.set(lifecycle=EPHEMERAL)
    world.write(m02_b=None, m02_new=CHANGED)
    assert world.step("02-new").renamed_from == "02-b"
    assert world.plan().tables_dropped() == ["public.b"]
    assert world.up() == [Step.UNCHANGED, Step.REBUILD]
    assert world.retire("02-b") == ""
    assert world.ledger() == {"01-a": "applied", "02-new": "applied"}
    assert world.equals_scratch()


def test_later_modules_are_rebuilt_with_it(applied: World) -> None:
    """The modules after a renamed and changed file are rebuilt too, as after a changed one."""
    world = applied.set(lifecycle=EPHEMERAL)
    world.write(m03_c=ON_B)
    world.up()
    world.write(m02_b=None, m02_new=CHANGED, m03_c=ON_B.replace("integer", "bigint"))
    assert world.up()[1] is Step.REBUILD
    assert world.ledger() == {"01-a": "applied", "02-new": "applied", "03-c": "applied"}
    assert world.equals_scratch()


def test_a_file_renamed_and_changed_is_compared_in_a_persistent_stack(applied: World) -> None:
    """Every difference is named and nothing is lost; after a migration to the new file that is recorded."""
    world = applied
    world.write(m02_b=None, m02_new=CHANGED)
    refusal = "\n".join(world.refused())
    assert "column public.b.id is different" in refusal
    assert world.sql("SELECT id FROM b") == [(1,)]
    world.sql("ALTER TABLE b ALTER id TYPE bigint")
    assert world.up() == [Step.UNCHANGED, Step.VERIFY]
    assert world.ledger() == {"01-a": "applied", "02-new": "verified"}


@pytest.fixture
def moving(applied: World) -> World:
    """Return a world in which the second of three modules is moved to the end, and changed."""
    world = applied
    world.write(m03_c=ON_B)
    world.up()
    world.write(m02_b=None, m03_c=None, m02_c=ON_B, m03_b=CHANGED)
    return world


def test_statements_may_move_to_another_number_in_an_ephemeral_stack(applied: World) -> None:
    """A changed file with the title of a removed one is taken for it; the other modules stay as they are."""
    world = applied.set(lifecycle=EPHEMERAL)
    independent = "CREATE TABLE c (b_id integer);\n"
    world.write(m03_c=independent)
    world.up()
    world.write(m02_b=None, m03_c=None, m02_c=independent, m03_b=CHANGED)
    plan = world.plan()
    assert (plan.renames, plan.removed, plan.tables_dropped()) == ({"02-b": "03-b", "03-c": "02-c"}, (), ["public.b"])
    assert world.up() == [Step.UNCHANGED, Step.UNCHANGED, Step.REBUILD]
    assert world.ledger() == {"01-a": "applied", "02-c": "applied", "03-b": "applied"}
    assert world.sql("SELECT count(*) FROM b") == [(0,)]


def test_a_module_that_others_depend_on_is_not_dropped(moving: World) -> None:
    """The refusal names the dependent object, and nothing is changed."""
    world = moving.set(lifecycle=EPHEMERAL)
    (refusal,) = world.refused()
    assert refusal == (
        f"sql/03-b.sql in {world.place}: cannot be dropped, because other objects depend on what it created: "
        "constraint public.c.c_b_id_fkey of 02-c depends on table public.b; drop those objects first, if they are not "
        "needed"
    )
    assert world.sql("SELECT id FROM b") == [(1,)]


def test_in_a_persistent_stack_modules_that_cannot_be_compared_are_refused(moving: World) -> None:
    """A folder from which no database can be made is refused with the place of the error; nothing is changed."""
    assert moving.refused()[0] == (
        f"sql/03-b.sql in {moving.place}: it cannot be compared with the database, because a module fails: "
        'sql/02-c.sql:1:1: relation "b" does not exist [42P01]'
    )
    assert moving.sql("SELECT id FROM b") == [(1,)]


def test_in_a_persistent_stack_a_new_module_is_compared_with_what_a_removed_one_left(applied: World) -> None:
    """A table that an orphan made otherwise is a difference; one that it made alike is adopted."""
    applied.write(m02_b=None)
    applied.up()
    applied.retire("02-b")
    applied.write(m02_new=CHANGED)
    assert "column public.b.id is different" in "\n".join(applied.refused())
    applied.write(m02_new=B)
    assert applied.up() == [Step.UNCHANGED, Step.ADOPT]
    assert applied.sql("SELECT id FROM b") == [(1,)]


def test_without_orphans_a_table_that_exists_is_the_modules_own_error(applied: World) -> None:
    """When every module has its file, the module is not tried again, and nothing is dropped."""
    world = applied.set(lifecycle=EPHEMERAL)
    world.write(m03_new=B)
    with pytest.raises(ModuleError, match='relation "b" already exists'):
        world.up()
    assert world.messages == []
    assert world.sql("SELECT id FROM b") == [(1,)]
