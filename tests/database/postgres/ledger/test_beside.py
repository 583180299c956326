"""Two programs on one database: each has its own rows in the ledger, and its own numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from infra.errors import RefusedError
from infra.modules.decision import Step
from infra.postgres.apply.live_status import detect_drift, read_status
from infra.postgres.apply.plan_cache import PlanInProgress
from infra.postgres.apply.planning import look
from infra.postgres.connection.connect import connect
from tests.database.postgres.databases import EPHEMERAL, World

if TYPE_CHECKING:
    from infra.plan.database_status import DatabaseStatus

pytest_plugins = ["tests.database.scratch_server"]

ROWS = "SELECT module, stack FROM sqlmodule.ledger ORDER BY module"


@pytest.fixture
def first(world: World) -> World:
    """Return the world of the program to which the database belongs, with two modules applied."""
    world.write(m01_a="CREATE TABLE a (id integer PRIMARY KEY);\n", m02_b="CREATE TABLE b (id integer);\n")
    world.set(lifecycle=EPHEMERAL).up()
    return world


@pytest.fixture
def second(first: World) -> World:
    """Return the world of another program on the same database, with a module of its own applied."""
    session = replace(first.session, stack="billing/dev", beside=first.session.stack, directory="billing")
    folder = first.files.parent / "billing"
    folder.mkdir()
    world = World(session, folder)
    world.write(m01_a="CREATE TABLE invoices (id integer REFERENCES a);\n")
    assert world.up() == [Step.APPLY]
    return world


def status_of(world: World) -> DatabaseStatus:
    """Return what the ledger and the catalog say, as a program reads them."""
    with connect(world.session.target, autocommit=True) as connection:
        return read_status(connection, world.session.program, world.session.formerly)


def test_each_program_has_its_own_rows(first: World, second: World) -> None:
    """Both have a module 01-a; neither sees the other's as its own, nor what that made as made by nobody."""
    own = first.session.stack
    assert first.sql(ROWS) == [("01-a", own), ("02-b", own), ("billing/dev 01-a", "billing/dev")]
    assert list(status_of(first).entries) == ["01-a", "02-b"]
    assert list(status_of(second).entries) == ["01-a"]
    assert first.unmanaged() == second.unmanaged() == []
    assert first.plan(recorded=True).is_unchanged
    assert second.plan(recorded=True).is_unchanged
    mine, other = status_of(first).own_catalog, status_of(second).own_catalog
    assert ("table", "public.invoices") not in mine.objects
    assert ("table", "public.a") not in other.objects


def test_what_one_wrote_down_is_of_no_use_to_the_other(first: World, second: World) -> None:
    """A run that found nothing to do writes that down for its own program alone."""
    for world in (first, second, first):
        world.new_process()
        looked = look(world.session, recorded=True, explain=False)
        assert isinstance(looked, PlanInProgress)
        assert looked.plan.is_unchanged
    first.write(m03_c="CREATE TABLE c (id integer);\n")
    assert first.up() == [Step.UNCHANGED, Step.UNCHANGED, Step.APPLY]
    assert second.up() == [Step.UNCHANGED]
    second.new_process()
    assert second.plan(recorded=True).is_unchanged


def test_drift_is_of_the_program_whose_module_made_the_object(first: World, second: World) -> None:
    """A column that was added by hand is reported to one program, and not to the other."""
    first.sql("ALTER TABLE invoices ADD COLUMN by_hand text")
    first.new_process()
    assert "invoices.by_hand" in str(status_of(second).unmanaged())
    first.sql("ALTER TABLE invoices DROP COLUMN by_hand, DROP COLUMN id")
    assert detect_drift(first.session, "01-a") == ""
    assert "invoices.id" in str(detect_drift(second.session, "01-a"))


def test_a_removed_module_takes_nothing_of_the_other_program(first: World, second: World) -> None:
    """What the other program's objects depend on is not dropped; what is dropped has its row deleted alone."""
    first.write(m01_a=None)
    with pytest.raises(RefusedError, match="billing/dev 01-a"):
        first.retire("01-a")
    first.write(m01_a="CREATE TABLE a (id bigint PRIMARY KEY);\n")
    assert any(step.step is Step.REFUSE for step in first.plan(recorded=True).steps)
    second.write(m01_a=None)
    assert second.retire("01-a") == f"its objects are dropped from {second.place}"
    assert [row[0] for row in first.sql(ROWS)] == ["01-a", "02-b"]
    assert first.up() == [Step.REBUILD, Step.REBUILD]


def test_a_changed_module_of_one_is_rebuilt_without_the_other(first: World, second: World) -> None:
    """The program beside rebuilds its own tables; the rows of the other one stay."""
    first.sql("INSERT INTO a VALUES (1)")
    second.write(m01_a="CREATE TABLE invoices (id bigint, a integer REFERENCES a);\n")
    assert second.up() == [Step.REBUILD]
    assert first.sql("SELECT id FROM a") == [(1,)]
    assert first.plan(recorded=True).is_unchanged


def test_a_program_under_another_name_keeps_its_rows(second: World) -> None:
    """Its state proves what it was called; its rows get the new name with the next run."""
    second.set(stack="billing/prod", formerly="billing/dev")
    assert second.plan(recorded=True).is_unchanged
    assert second.up() == [Step.UNCHANGED]
    assert [row[0] for row in second.sql(ROWS)] == ["01-a", "02-b", "billing/prod 01-a"]


def test_only_the_program_that_is_named_is_beside(first: World, second: World) -> None:
    """A ledger of a third program is refused, as without `beside`; so is that of the same stack in another project."""
    assert second.plan(recorded=True).is_unchanged
    for changes in ({"beside": "org/project/other"}, {"beside": ""}):
        second.set(**changes)
        assert "the database belongs to somebody else" in second.refused()[0]
    first.set(stack="org/other/dev")
    assert "the database belongs to somebody else" in first.refused()[0]
