"""A run in a process of its own that stops at a statement, where a test kills it, or does something meanwhile."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from infra.errors import ModuleError, ServerError
from infra.modules.statements import parse
from infra.postgres.apply import runner
from infra.postgres.apply.revisions import due_revisions
from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect

if TYPE_CHECKING:
    from collections.abc import Generator

    from infra.migrations.revision_sql import RevisionSql
    from infra.postgres.connection.pool import Connection
    from tests.database.postgres.databases import World

SECONDS = 60
ERROR = Path("error")
"""The file in which a run leaves the error that ended it."""

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


class StoppedRun(NamedTuple):
    """The process of a run, and its session's on the server, each by its id."""

    process: int
    session: int

    def status(self) -> int:
        """Wait for the process, and return its status, or the signal that ended it as a negative number."""
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


@contextmanager
def stopped_at(world: World, holder: Connection, stamp: str, number: int) -> Generator[StoppedRun]:
    """Run what a world is due in a process, and yield it when it is at a statement after the step of a stamp.

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
    yield StoppedRun(pid, waits[0][0])
    world.sql("DELETE FROM stops.at", owner=False)
    holder.execute("SELECT pg_advisory_unlock(17)")
    while holder.execute("SELECT FROM pg_stat_activity WHERE pid = %s", waits[0]).fetchall():
        assert time.monotonic() < end
        time.sleep(0.02)
    holder.execute("SELECT pg_advisory_lock(17)")


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


def killed_everywhere(world: World, stamp: str = "") -> list[str]:
    """Kill a run before the first statement of each step, and in the middle of it; return the steps that are left.

    `stamp` is where the database is.
    """
    with due_steps(world) as (steps, holder):
        for step in steps:
            number = definitions_in(step)
            for at in sorted({1, number // 2 + 1} if number else set()):
                with stopped_at(world, holder, stamp, at) as run:
                    os.kill(run.process, signal.SIGKILL)
                    assert run.status() == -signal.SIGKILL
                    holder.execute("SELECT pg_terminate_backend(%s)", (run.session,))  # else it ends its statement
            stamp = step.revision
    return [steps[-1].revision]
