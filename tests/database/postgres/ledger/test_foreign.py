"""A ledger of another stack, or a newer or damaged one, is refused before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.errors import InfraError, LedgerError, RefusedError
from infra.modules.decision import Step
from infra.plan.ledger_rows import Program
from infra.plan.refusal import refusal_of
from infra.postgres.apply.live_status import detect_drift
from infra.postgres.connection.connect import connect
from infra.postgres.ledger.acceptance import accept_ledger
from infra.postgres.ledger.identity import current_identity
from tests.database.postgres.databases import EPHEMERAL

if TYPE_CHECKING:
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]


@pytest.fixture
def applied(world: World) -> World:
    """Return an ephemeral world, where most steps are allowed, with a module applied."""
    world.write(m01_a="CREATE TABLE a (id integer);\n")
    world.up()
    return world.set(lifecycle=EPHEMERAL)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE sqlmodule.identity SET stack = 'org/project/other'",
        "UPDATE sqlmodule.identity SET system_identifier = '1'",
        "UPDATE sqlmodule.identity SET database = 1",
    ],
)
def test_a_foreign_ledger_stops_everything(applied: World, change: str) -> None:
    """The ledger of another stack, or of the database that this one is a copy of, is refused before any write."""
    world = applied
    world.sql(change)
    before = world.sql("SELECT (SELECT count(*) FROM sqlmodule.event), (SELECT array_agg(l) FROM sqlmodule.ledger l)")
    refusal = (
        f"sql/01-a.sql in {world.place}: the database belongs to somebody else; "
        "use the stack that it belongs to, or another database; `make accept DB=…` takes over a copy or a dump"
    )
    assert str(refusal_of(world.plan(), world.place)) == refusal
    world.write(m01_a="CREATE TABLE a (id bigint);\n", m02_b="CREATE TABLE b ();\n")
    for name in ("01-a", "02-b"):
        with pytest.raises(RefusedError) as caught:
            world.apply(world.module(name))
        assert str(caught.value) == refusal.replace("01-a.sql", "01-a.sql and 1 more")
    with pytest.raises(RefusedError, match="another stack, server or database"):
        world.retire("01-a")
    with pytest.raises(LedgerError, match="another stack, server or database"):
        detect_drift(world.session, "01-a")
    assert before == world.sql(
        "SELECT (SELECT count(*) FROM sqlmodule.event), (SELECT array_agg(l) FROM sqlmodule.ledger l)"
    )
    assert world.sql("SELECT to_regclass('b')") == [(None,)]


def test_a_stack_under_another_name_goes_on_where_the_state_proves_it(applied: World) -> None:
    """The ledger's row follows the name; a ledger on another server is refused all the same."""
    world = applied
    world.sql("UPDATE sqlmodule.identity SET stack = 'before'")
    world.set(formerly="another")
    assert world.refused()
    world.set(formerly="before")
    assert world.plan().is_unchanged
    assert world.sql("SELECT stack FROM sqlmodule.identity") == [("before",)]
    assert world.up() == [Step.UNCHANGED]
    assert world.sql("SELECT stack FROM sqlmodule.identity") == [(world.session.stack,)]
    world.sql("UPDATE sqlmodule.identity SET stack = 'before', database = 1")
    assert world.refused()


def test_a_foreign_ledger_is_accepted_by_one_command(applied: World) -> None:
    """The command says what the ledger had before; a second time there is nothing to do."""
    world = applied
    world.sql("UPDATE sqlmodule.identity SET stack = 'before', database = 1")
    with connect(world.session.target, autocommit=True) as connection:
        number = str(current_identity(connection, Program("")).database)
        assert accept_ledger(connection, world.session.stack) == (
            f"{world.place} is stack {world.session.stack}'s now; its ledger was of stack before, not "
            f"{world.session.stack} and of database number 1, not {number}"
        )
        assert "already: nothing was changed" in accept_ledger(connection, world.session.stack)
    assert world.up() == [Step.UNCHANGED]


def test_a_database_without_a_ledger_is_not_accepted(world: World) -> None:
    """There is nothing to write the name into, and nothing is written."""
    with connect(world.session.target, autocommit=True) as connection, pytest.raises(LedgerError, match="no ledger"):
        accept_ledger(connection, "any")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "UPDATE sqlmodule.identity SET format = 2",
            "sqlmodule.identity: the ledger has format 2, and this version of the program supports 1",
        ),
        (
            "DELETE FROM sqlmodule.identity",
            "sqlmodule.identity: the ledger's identity row is missing; restore it from a backup",
        ),
        (
            "ALTER TABLE sqlmodule.ledger DROP objects",
            (
                'schema sqlmodule: its tables are not those of format 1 (column "objects" does not exist); '
                "use the version of the program that created it, or restore the schema from a backup"
            ),
        ),
        (
            "DROP TABLE sqlmodule.ledger",
            'schema sqlmodule: its tables are not those of format 1 (relation "sqlmodule.ledger" does not exist)',
        ),
        ("DROP TABLE sqlmodule.event", "schema sqlmodule: its tables are not those of format 1"),
        ("ALTER TABLE sqlmodule.identity DROP stack", "schema sqlmodule: its tables are not those of format 1"),
    ],
)
def test_a_ledger_that_cannot_be_read_is_an_error(applied: World, change: str, message: str) -> None:
    """A newer or damaged ledger is one sentence with a remedy, and nothing is written."""
    world = applied
    world.sql(change)
    world.write(m01_a="CREATE TABLE a (id bigint);\n")
    with pytest.raises(LedgerError) as caught:
        world.up()
    assert str(caught.value).startswith(message)
    assert world.sql(
        "SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = 'a'::regclass AND attnum = 1"
    ) == [("integer",)]


def test_a_missing_membership_is_one_sentence(world: World) -> None:
    """A migrator that is no member of the owner role gets one sentence."""
    world.write(m01_a="CREATE TABLE a (id integer);\n")
    world.sql("REVOKE world_owner FROM world_migrator", owner=False)
    try:
        with pytest.raises(InfraError) as caught:
            world.up()
    finally:
        world.sql("GRANT world_owner TO world_migrator", owner=False)
    assert str(caught.value) == (
        f"{world.place}: denies this role a privilege that it needs "
        '(permission denied to set role "world_owner" [42501]); compare its grants with the stack\'s'
    )
