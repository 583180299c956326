"""A run that brings a database over is killed between its steps and in the middle of each, and goes on afterwards.

Of all kinds with KINDS="schema_sql old_chain modular_scripts modules" in the environment.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.errors import ModuleError, ServerError
from infra.modules.decision import Step
from infra.modules.statements import parse
from infra.postgres.apply import runner
from infra.postgres.apply.revisions import due_revisions
from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect
from tests.schema.database.awkward_rows import fill
from tests.schema.database.kinds import differing, find_again, up, values_before

if TYPE_CHECKING:
    from collections.abc import Generator

    from infra.migrations.revision_sql import RevisionSql
    from infra.postgres.connection.pool import Connection
    from tests.database.postgres.databases import World
    from tests.schema.database.kinds import Make

pytestmark = [pytest.mark.database, pytest.mark.full]
ROWS, FIRST = 50, 100
KILLED = os.environ.get("KINDS", "old_chain").split()
SECONDS = 60
ERROR = Path("error")

STOPS = """
CREATE SCHEMA stops;
GRANT USAGE ON SCHEMA stops TO PUBLIC;
CREATE SEQUENCE stops.statement;
CREATE TABLE stops.at (stamp text, number int);
CREATE FUNCTION stops.stop() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    now_at text := '';
BEGIN
    IF to_regclass('sqlmodule.alembic_version') IS NOT NULL THEN
        SELECT coalesce(max(version_num), '') INTO now_at FROM sqlmodule.alembic_version;
    END IF;
    IF now_at = (SELECT stamp FROM stops.at) AND nextval('stops.statement') = (SELECT number FROM stops.at) THEN
        PERFORM pg_advisory_xact_lock(17);
    END IF;
END $$;
CREATE EVENT TRIGGER stop ON ddl_command_start EXECUTE FUNCTION stops.stop();
"""
"""A statement that defines something waits where the table says: after which step, and which one it is."""


@contextmanager
def stopped_at(world: World, holder: Connection, stamp: str, number: int) -> Generator[int]:
    """Run what a world is due in a process, and yield its id when it is at a statement after the step of a stamp.

    The process is a copy of this one, which has found out already what is due. It goes on after the block, if it can;
    it ends with the status 0 when nothing fails, and writes the error otherwise.
    """
    world.sql(
        f"DELETE FROM stops.at; INSERT INTO stops.at VALUES ('{stamp}', {number});"
        " ALTER SEQUENCE stops.statement RESTART",
        owner=False,
    )
    world.new_process()
    pool.close_all(world.session.target.database)
    pid = os.fork()
    if not pid:
        status = 1
        try:
            runner.migrate(world.session)
            status = 0
        except (ModuleError, ServerError) as error:
            ERROR.write_text(str(error), encoding="utf-8")
        finally:
            os._exit(status)
    end = time.monotonic() + SECONDS
    waiting = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 17 AND NOT granted"
    while not (waits := holder.execute(waiting).fetchall()):
        assert os.waitpid(pid, os.WNOHANG) == (0, 0), f"the process ended before statement {number} after {stamp!r}"
        assert time.monotonic() < end
        time.sleep(0.02)
    yield pid
    world.sql("DELETE FROM stops.at", owner=False)
    holder.execute("SELECT pg_advisory_unlock(17)")
    while holder.execute("SELECT FROM pg_stat_activity WHERE pid = %s", waits[0]).fetchall():
        assert time.monotonic() < end
        time.sleep(0.02)
    holder.execute("SELECT pg_advisory_lock(17)")


def ended(pid: int) -> int:
    """Wait for a process, and return its status, or the signal that ended it as a negative number."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def definitions_in(step: RevisionSql) -> int:
    """Return how many statements of a step define something."""
    kinds = [statement.kind for part in step.statements for statement in parse(part.sql, step.path)]
    return sum(kind not in {"update_stmt", "select_stmt", "insert_stmt", "variable_set_stmt"} for kind in kinds)


@contextmanager
def due_steps(world: World) -> Generator[tuple[tuple[RevisionSql, ...], Connection]]:
    """Yield the steps that bring a world over, and a session that stops whoever runs them; all is found out before."""
    assert not world.plan(recorded=True).refusals
    with pool.connection(world.session.target) as connection:
        steps = due_revisions(connection, world.session).revisions
    world.sql(STOPS, owner=False)
    with connect(world.session.admin, autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(17)")
        yield steps, holder
    world.sql("DROP EVENT TRIGGER stop; DROP SCHEMA stops CASCADE", owner=False)


@pytest.mark.parametrize("kind", KILLED)
def test_a_run_that_is_killed_between_and_within_all_steps_is_resumed_and_ends_alike(make: Make, kind: str) -> None:
    """SIGKILL before the first statement of each step, and in the middle of it: no value is lost, all is as fresh."""
    world, fresh = make(kind), make("")
    up(fresh)
    fill(world, ROWS, first=FIRST)
    with values_before(world) as before:
        with due_steps(world) as (steps, holder):
            stamp = ""
            for step in steps:
                number = definitions_in(step)
                for at in sorted({1, (number + 1) // 2} if number else set()):
                    with stopped_at(world, holder, stamp, at) as pid:
                        os.kill(pid, signal.SIGKILL)
                        assert ended(pid) == -signal.SIGKILL
                stamp = step.revision
        assert up(world) == ([steps[-1].revision], {Step.ADOPT})
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
            with stopped_at(world, holder, late.stamp, 1) as pid:
                world.sql(late.insert, owner=False)
            assert ended(pid) == 1
        assert late.error in ERROR.read_text(encoding="utf-8")
        world.sql(f"{late.correct} WHERE id IN ('late', 'later')", owner=False)
        assert up(world)[1] == {Step.ADOPT}
        assert differing(fresh, world) == set()
        assert find_again(late.kind, before, world)
