"""What a statement may wait for, how often it is tried again, and what is said when it was in vain."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import psycopg
import pytest

from infra.errors import BusyError, ModuleError
from infra.modules.decision import Digests, Step
from infra.postgres.apply import runner

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

TABLE = "CREATE TABLE a (id integer);\n"
SLOW = "DO $$ BEGIN PERFORM pg_sleep(0.4); END $$;\n"


class Other(NamedTuple):
    """Another application's session."""

    pid: int
    let_go: Callable[[], None]


@contextmanager
def somebody(world: World, statement: str, user: str = "postgres") -> Generator[Other]:
    """Hold what a statement takes, as another application."""
    admin = world.session.admin
    with psycopg.connect(
        host=admin.host, port=admin.port, dbname=admin.database, user=user, application_name="nightly report"
    ) as other:
        other.execute(statement.encode())
        yield Other(other.info.backend_pid, other.rollback)
        other.rollback()


@pytest.fixture
def applied(world: World) -> World:
    """Give a world with a table, and a module that changes it still to be run."""
    world.write(m01_a=TABLE)
    world.up()
    world.write(m02_b="-- wider\nALTER TABLE a ADD name text;\n")
    return world


def test_a_lock_held_for_long_is_an_error_that_names_its_holder(applied: World) -> None:
    """Tries are told with their reason; then the error has the place, the pid, the application and since when."""
    world = applied.set(lock_timeout=0.7, wait=2)
    with somebody(world, "LOCK TABLE a") as other, pytest.raises(ModuleError) as caught:
        world.up()
    holder = rf"pid {other.pid} \(nightly report, role postgres, idle in transaction since [0-9:]{{8}} \w+\)"
    assert re.fullmatch(
        r"sql/02-b\.sql:2:1: canceling statement due to lock timeout \[55P03\]\n  ALTER TABLE a ADD name text;\n  \^\n"
        rf"  detail: it waited for {holder}\n"
        r"  hint: end that session, or let this one wait longer with `modules\.lock_timeout`",
        str(caught.value),
    ), str(caught.value)
    assert any(re.fullmatch(f"waiting for {holder}", told) for told in world.told), world.told
    assert any(told.startswith("try 2 of 6, after: sql/02-b.sql:2:1: canceling") for told in world.told), world.told
    assert world.ledger() == {"01-a": "applied"}


def test_a_lock_that_is_let_go_is_waited_for(applied: World) -> None:
    """A lock that ends before the tries do costs nothing but time."""
    world = applied.set(lock_timeout=0.3)
    with somebody(world, "LOCK TABLE a") as other:
        timer = threading.Timer(0.6, other.let_go)
        timer.start()
        assert world.up() == [Step.UNCHANGED, Step.APPLY]
        timer.join()
    assert world.told


def test_a_statement_that_runs_too_long_is_ended(world: World) -> None:
    """A statement has its time; then the error has the place and the setting, and nobody tries again."""
    world.write(m01_a="SELECT 1;\nSELECT pg_sleep(5);\n")
    world.set(statement_timeout=0.3)
    with pytest.raises(ModuleError) as caught:
        world.up()
    assert str(caught.value) == (
        "sql/01-a.sql:2:1: canceling statement due to statement timeout [57014]\n  SELECT pg_sleep(5);\n  ^\n"
        "  hint: let it run longer with `modules.statement_timeout`"
    )
    assert world.told == []


def test_a_statement_that_runs_too_long_because_it_waits_names_whom_it_waits_for(applied: World) -> None:
    """Where the lock may take longer than the statement, the error names the holder too."""
    world = applied.set(lock_timeout=5, statement_timeout=0.8)
    with (
        somebody(world, "LOCK TABLE a"),
        pytest.raises(ModuleError, match=r"57014[^§]*waited for pid \d+ \(nightly report"),
    ):
        world.up()


@pytest.mark.parametrize("state", ["40001", "40P01", "55P03"])
def test_what_is_safe_is_tried_again(world: World, state: str) -> None:
    """Serialization failures, deadlocks and lock timeouts undo the transaction, which is then done again."""
    world.set(allowed=("sequence public.tries",)).sql("CREATE SEQUENCE tries")
    world.write(
        m01_a=f"{TABLE}DO $$ BEGIN IF nextval('tries') < 3 THEN RAISE SQLSTATE '{state}'; END IF; END $$;\n",
    )
    assert world.up() == [Step.APPLY]
    assert [told[:11] for told in world.told] == ["try 2 of 6,", "try 3 of 6,"]
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
def test_what_would_fail_again_is_not_tried_again(world: World, text: str, state: str) -> None:
    """An error of the module's own is said at once, with its place."""
    world.write(m01_a=f"SELECT 1;\n{text};\n")
    with pytest.raises(ModuleError) as caught:
        send(world)
    assert caught.value.sqlstate == state
    assert str(caught.value.at).startswith("sql/01-a.sql:2:")
    assert world.told == []


def send(world: World) -> None:
    """Apply a module whose text no digest can be made of, which a run never does: the check comes before."""
    runner.apply(world.session, world.modules()[0], Digests("text", "statements"))


def test_two_runs_at_once_do_not_meet(world: World) -> None:
    """Of two runs on one database one waits for the other's module, and finds it applied."""
    world.write(m01_a=SLOW + TABLE, m02_b=SLOW + "CREATE TABLE b ();\n")
    steps: list[list[Step]] = []
    runs = [threading.Thread(target=lambda: steps.append(world.up())) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert sorted(sorted(pair, key=str) for pair in zip(*steps, strict=True)) == [[Step.APPLY, Step.UNCHANGED]] * 2
    assert world.sql("SELECT module, failure FROM sqlmodule.event ORDER BY id") == [("01-a", None), ("02-b", None)]
    assert world.drift() == {}


def test_a_run_that_waits_too_long_names_the_other(world: World) -> None:
    """Whoever waits longer than it may is told who holds the database's lock."""
    world.write(m01_a=TABLE)
    world.set(wait=0.2)
    with (
        somebody(world, "SELECT pg_advisory_lock(1397836877, 1)", "world_migrator") as other,
        pytest.raises(BusyError) as caught,
    ):
        world.up()
    assert re.fullmatch(
        rf"{world.place}: another run holds the lock of this database for over 0\.2 s \(pid {other.pid}, "
        r"application 'nightly report', connected since [-0-9]{10} [0-9:]{8} \w+\); wait for it, or end it",
        str(caught.value),
    ), str(caught.value)


def test_nothing_outlives_a_module_in_its_session(world: World) -> None:
    """Settings, temporary tables, prepared statements, locks and listeners of a module are gone for the next one."""
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
    """An advisory lock of a session is taken back even where nothing else was left in it."""
    check = "SELECT 1 / (NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 5))::integer"
    world.write(m01_a="SELECT pg_advisory_lock(5);\n", m02_b=check)
    assert world.up() == [Step.APPLY, Step.APPLY]
    with somebody(world, check):
        pass
