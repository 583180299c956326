"""Waiting for locks and time limits: how long, how often a module is repeated, and what the errors say."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import psycopg
import pytest

from infra.errors import BusyError, ModuleError
from infra.modules.decision import Step
from infra.postgres.apply import runner

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

TABLE = "CREATE TABLE a (id integer);\n"
SLOW = "DO $$ BEGIN PERFORM pg_sleep(0.4); END $$;\n"


class OtherSession(NamedTuple):
    """Another application's session."""

    pid: int
    release: Callable[[], None]


@contextmanager
def other_session(world: World, statement: str, user: str = "postgres") -> Generator[OtherSession]:
    """Run a statement as another application, and hold its locks during the block."""
    admin = world.session.admin
    with psycopg.connect(
        host=admin.host, port=admin.port, dbname=admin.database, user=user, application_name="nightly report"
    ) as other:
        other.execute(statement.encode())
        yield OtherSession(other.info.backend_pid, other.rollback)
        other.rollback()


@pytest.fixture
def applied(world: World) -> World:
    """Return a world with a table, and with a module to be applied that changes it."""
    world.write(m01_a=TABLE)
    world.up()
    world.write(m02_b="-- wider\nALTER TABLE a ADD name text;\n")
    return world


def test_a_lock_held_for_long_is_an_error_that_names_its_holder(applied: World) -> None:
    """Attempts are reported with their reason; the error has the place and the holder: pid, application and time."""
    world = applied.set(lock_timeout=0.7, wait=2)
    with other_session(world, "LOCK TABLE a") as other, pytest.raises(ModuleError) as caught:
        world.up()
    holder = rf"pid {other.pid} \(nightly report, role postgres, idle in transaction since [0-9:]{{8}} \w+\)"
    assert re.fullmatch(
        r"sql/02-b\.sql:2:1: canceling statement due to lock timeout \[55P03\]\n  ALTER TABLE a ADD name text;\n  \^\n"
        rf"  detail: it waited for {holder}\n"
        r"  hint: end that session, or let this one wait longer with `modules\.lock_timeout`",
        str(caught.value),
    ), str(caught.value)
    assert any(re.fullmatch(f"waiting for {holder}", message) for message in world.messages), world.messages
    assert any(message.startswith("try 2 of 6, after: sql/02-b.sql:2:1: canceling") for message in world.messages), (
        world.messages
    )
    assert world.ledger() == {"01-a": "applied"}


def test_a_lock_that_is_released_is_waited_for(applied: World) -> None:
    """A module is applied when the lock is released before the last attempt."""
    world = applied.set(lock_timeout=0.3)
    with other_session(world, "LOCK TABLE a") as other:
        timer = threading.Timer(0.6, other.release)
        timer.start()
        assert world.up() == [Step.UNCHANGED, Step.APPLY]
        timer.join()
    assert world.messages


def test_a_statement_that_runs_too_long_is_ended(world: World) -> None:
    """The error after statement_timeout has the place and the setting, and the module is not repeated."""
    world.write(m01_a="SELECT 1;\nSELECT pg_sleep(5);\n")
    world.set(statement_timeout=0.3)
    with pytest.raises(ModuleError) as caught:
        world.up()
    assert str(caught.value) == (
        "sql/01-a.sql:2:1: canceling statement due to statement timeout [57014]\n  SELECT pg_sleep(5);\n  ^\n"
        "  hint: let it run longer with `modules.statement_timeout`"
    )
    assert world.messages == []


def test_a_statement_that_runs_too_long_because_it_waits_names_whom_it_waits_for(applied: World) -> None:
    """With a statement_timeout below lock_timeout, the error names the holder of the lock too."""
    world = applied.set(lock_timeout=5, statement_timeout=0.8)
    with (
        other_session(world, "LOCK TABLE a"),
        pytest.raises(ModuleError, match=r"57014[^§]*waited for pid \d+ \(nightly report"),
    ):
        world.up()


@pytest.mark.parametrize("state", ["40001", "40P01", "55P03"])
def test_what_is_safe_is_repeated(world: World, state: str) -> None:
    """After serialization failures, deadlocks and lock timeouts, which roll the transaction back, it is repeated."""
    world.set(allowed=("sequence public.tries",)).sql("CREATE SEQUENCE tries")
    world.write(
        m01_a=f"{TABLE}DO $$ BEGIN IF nextval('tries') < 3 THEN RAISE SQLSTATE '{state}'; END IF; END $$;\n",
    )
    assert world.up() == [Step.APPLY]
    assert [message[:11] for message in world.messages] == ["try 2 of 6,", "try 3 of 6,"]
    assert world.sql("SELECT last_value FROM tries") == [(3,)]


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("SELECT * FROM nowhere", "42P01"),
        ("SELEKT 1", "42601"),
        ("SELECT 1/0", "22012"),
        ("SELECT 'x'::integer", "22P02"),
    ],
)
def test_what_would_fail_again_is_not_repeated(world: World, text: str, state: str) -> None:
    """An error of the module itself is raised at once, with its place."""
    world.write(m01_a=f"SELECT 1;\n{text};\n")
    with pytest.raises(ModuleError) as caught:
        send(world)
    assert caught.value.sqlstate == state
    assert str(caught.value.at).startswith("sql/01-a.sql:2:")
    assert world.messages == []


def send(world: World) -> None:
    """Apply a module whose text cannot be parsed for a digest; a run checks that before."""
    runner.apply(world.session, world.modules()[0])


def test_two_runs_at_once_wait_for_each_other(world: World) -> None:
    """Of two runs on a database, the second waits for the first one's module, which is run once."""
    world.write(m01_a=SLOW + TABLE, m02_b=SLOW + "CREATE TABLE b ();\n")
    steps: list[list[Step]] = []
    runs = [threading.Thread(target=lambda: steps.append(world.up())) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(steps) == len(runs)
    assert world.sql("SELECT module, failure FROM sqlmodule.event ORDER BY id") == [("01-a", None), ("02-b", None)]
    assert world.drift() == {}


def test_a_run_that_waits_too_long_names_the_other(world: World) -> None:
    """The error of a run that waits too long for the database's lock names its holder."""
    world.write(m01_a=TABLE)
    world.set(wait=0.2)
    with (
        other_session(world, "SELECT pg_advisory_lock(1397836877, 1)", "world_migrator") as other,
        pytest.raises(BusyError) as caught,
    ):
        world.up()
    assert re.fullmatch(
        rf"{world.place}: another run holds the lock of this database for over 0\.2 s \(pid {other.pid}, "
        r"application 'nightly report', role world_migrator, connected since [-0-9]{10} [0-9:]{8} \w+\); "
        "wait for it, or end it",
        str(caught.value),
    ), str(caught.value)


@pytest.mark.parametrize("function", ["pg_advisory_lock", "pg_advisory_lock_shared", "pg_advisory_xact_lock"])
def test_a_role_that_is_no_run_cannot_hold_the_lock(world: World, visitor: str, function: str) -> None:
    """A session of a role like `readonly` that holds the database's lock is ended; the run does not wait for it."""
    world.write(m01_a=TABLE)
    world.set(wait=0.2)
    with pytest.raises(psycopg.OperationalError), other_session(world, f"SELECT {function}(1397836877, 1)", visitor):
        assert world.up() == [Step.APPLY]
    assert world.ledger() == {"01-a": "applied"}


def test_an_administrator_who_may_not_end_a_session_says_whose_it_is(world: World, visitor: str) -> None:
    """Where it cannot be ended, the error names its role: another lock with the same number is not taken for it."""
    world.write(m01_a=TABLE)
    world.set(wait=0.2, admin=replace(world.session.admin, user="no_such_role"))
    with (
        other_session(world, "SELECT pg_advisory_lock((1397836877::bigint << 32) + 1)", visitor),
        other_session(world, "SELECT pg_advisory_lock(1397836877, 1)", visitor) as other,
        pytest.raises(BusyError, match=rf"\(pid {other.pid}, application 'nightly report', role world_visitor\)"),
    ):
        world.up()


def test_session_state_is_reset_after_a_module(world: World) -> None:
    """Settings, temporary tables, prepared statements, locks and listeners of a module do not reach the next one."""
    world.write(
        m01_a="SET work_mem = '1MB';\nSET search_path = pg_catalog;\nCREATE TEMP TABLE t ();\nLISTEN x;\n"
        "PREPARE p AS SELECT 1;\nSELECT pg_advisory_lock(5);\nSELECT set_config('role', 'world_migrator', false);\n",
        m02_b="""DO $$ BEGIN
            ASSERT current_setting('work_mem') <> '1MB', 'a setting';
            ASSERT current_setting('search_path') = 'public', 'a path';
            ASSERT current_user = 'world_owner', 'a role';
            ASSERT to_regclass('pg_temp.t') IS NULL, 'a temporary table';
            ASSERT NOT EXISTS (SELECT FROM pg_listening_channels()), 'a listener';
            ASSERT NOT EXISTS (SELECT FROM pg_prepared_statements WHERE name = 'p'), 'a prepared statement';
            ASSERT NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 5), 'a lock';
        END $$;""",
    )
    assert world.up() == [Step.APPLY, Step.APPLY]


def test_a_lock_that_a_module_took_for_its_session_ends_with_it(world: World) -> None:
    """An advisory lock of a session is released even if nothing else was left in the session."""
    check = "SELECT 1 / (NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 5))::integer"
    world.write(m01_a="SELECT pg_advisory_lock(5);\n", m02_b=check)
    assert world.up() == [Step.APPLY, Step.APPLY]
    with other_session(world, check):
        pass
