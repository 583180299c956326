"""A module whose file is removed: orphaned in a persistent stack; in an ephemeral one dropped, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.errors import RefusedError
from infra.modules.decision import Step
from infra.plan.rendering import PlannedDatabase, plan_as_text
from tests.database.postgres.databases import EPHEMERAL

if TYPE_CHECKING:
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

TABLE = "CREATE TABLE a (id integer PRIMARY KEY);\n"
OTHER = "CREATE TABLE b (id integer PRIMARY KEY, note text);\nCREATE TYPE mood AS ENUM ('x');\n"


@pytest.fixture
def applied(world: World) -> World:
    """Return a world with two modules applied, and a row in the second one's table."""
    world.write(m01_a=TABLE, m02_b=OTHER)
    world.up()
    world.sql("INSERT INTO b VALUES (1, 'x')")
    return world


def test_objects_stay_in_a_persistent_stack(applied: World) -> None:
    """The ledger marks the module as orphaned, its objects and their rows stay, and they are not called unmanaged."""
    world = applied
    world.write(m02_b=None)
    assert world.retire("02-b") == f"its objects stay in {world.place}, and the ledger marks it as orphaned"
    assert world.ledger() == {"01-a": "applied", "02-b": "orphaned"}
    assert world.sql("SELECT note FROM b") == [("x",)]
    assert world.up() == [Step.UNCHANGED]


def test_a_restored_file_is_adopted(applied: World) -> None:
    """An orphaned module whose file is restored unchanged is adopted, with the rows of its tables."""
    world = applied
    world.write(m02_b=None)
    world.retire("02-b")
    world.write(m02_b="-- back\n" + OTHER)
    assert world.up() == [Step.UNCHANGED, Step.ADOPT]
    assert world.ledger()["02-b"] == "adopted"
    assert world.sql("SELECT note FROM b") == [("x",)]
    assert world.up() == [Step.UNCHANGED, Step.UNCHANGED]


def test_a_restored_file_with_other_statements_is_verified(applied: World) -> None:
    """An orphaned module whose file is restored with other statements is compared as any changed one."""
    world = applied
    world.write(m02_b=None)
    world.retire("02-b")
    world.write(m02_b=OTHER.replace("note", "remark"))
    with pytest.raises(RefusedError, match=r"column public\.b\.note is extra"):
        world.up()
    world.sql("ALTER TABLE b RENAME note TO remark")
    assert world.up() == [Step.UNCHANGED, Step.VERIFY]
    assert world.ledger()["02-b"] == "verified"
    assert world.drift() == {}


def test_objects_are_dropped_in_an_ephemeral_stack(applied: World) -> None:
    """In an ephemeral stack everything that the module created is dropped, and nothing else."""
    world = applied.set(lifecycle=EPHEMERAL)
    world.write(m02_b=None)
    assert world.retire("02-b") == f"its objects are dropped from {world.place}"
    assert {str(identity) for identity in world.catalog().structure().objects} == {
        "schema public",
        "table public.a",
        "column public.a.id",
        "constraint public.a.a_pkey",
    }
    assert world.ledger() == {"01-a": "applied"}
    assert world.retire("02-b") == ""


def test_what_a_later_module_needs_is_not_dropped(applied: World) -> None:
    """A removal that would break a later module is refused with the dependent object's name, and changes nothing."""
    world = applied.set(lifecycle=EPHEMERAL)
    world.write(m03_c="CREATE TABLE c (b_id integer REFERENCES b);")
    world.up()
    with pytest.raises(RefusedError) as caught:
        world.retire("02-b")
    assert str(caught.value) == (
        f"module 02-b in {world.place}: cannot be dropped, because other objects depend on what "
        "it created: constraint public.c.c_b_id_fkey of 03-c depends on table public.b; drop those objects first, if "
        "they are not needed"
    )
    assert world.sql("SELECT note FROM b") == [("x",)]
    assert world.ledger() == {"01-a": "applied", "02-b": "applied", "03-c": "applied"}


def test_a_grant_is_revoked_with_its_module(applied: World) -> None:
    """Privileges that a module granted on an earlier one's table are revoked when it is retired."""
    world = applied.set(lifecycle=EPHEMERAL)
    world.write(m03_c="GRANT SELECT, INSERT ON a TO world_readonly; GRANT UPDATE (id) ON a TO world_readonly;")
    world.up()
    world.retire("03-c")
    assert world.sql("SELECT has_table_privilege('world_readonly', 'a', 'SELECT')") == [(False,)]
    assert world.sql("SELECT has_column_privilege('world_readonly', 'a', 'id', 'UPDATE')") == [(False,)]
    assert world.drift() == {}


def test_a_module_that_changed_an_earlier_one_is_not_retired(applied: World) -> None:
    """A change that only rebuilding the earlier module would undo is refused with the object's name."""
    world = applied.set(lifecycle=EPHEMERAL)
    world.write(m03_c="ALTER TABLE b ALTER note SET NOT NULL;")
    world.up()
    with pytest.raises(RefusedError) as caught:
        world.retire("03-c")
    assert "column public.b.note" in str(caught.value)
    assert world.ledger()["03-c"] == "applied"


def test_rows_that_it_inserted_into_tables_of_no_module_stay_and_are_named(applied: World) -> None:
    """The preview and the run say how many and where; those in its own tables go with these."""
    world = applied.set(lifecycle=EPHEMERAL)
    world.sql("CREATE TABLE by_hand (id integer)")
    world.write(m03_c="CREATE TABLE c (id integer); INSERT INTO c VALUES (1); INSERT INTO by_hand VALUES (71), (72);")
    assert world.set(allowed=["table public.by_hand"]).up() == [Step.UNCHANGED, Step.UNCHANGED, Step.APPLY]
    world.write(m03_c=None)
    text = plan_as_text([PlannedDatabase("shop", EPHEMERAL, world.plan(recorded=True))], {})
    assert "    the rows that it inserted elsewhere stay: public.by_hand 2" in text.splitlines()
    done = world.retire("03-c")
    assert done.endswith("; the rows that it inserted elsewhere stay (public.by_hand 2)")
    assert world.sql("SELECT count(*) FROM by_hand") == [(2,)]


def test_without_a_ledger_nothing_is_dropped(world: World) -> None:
    """A database without a ledger has nothing to drop."""
    assert world.retire("01-a") == ""
