"""Scratch databases on a server: they go with their run, and the next one sweeps those of runs that were killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from infra.postgres.apply.scratch import scratch_database
from infra.postgres.connection.target import connect

if TYPE_CHECKING:
    from infra.check.sources import ScratchServer
    from infra.postgres.connection.target import Target

pytest_plugins = ["tests.database.scratch_server"]

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys, time
from infra.postgres.apply.scratch import scratch_database
from infra.postgres.connection.target import Target
with scratch_database(Target(sys.argv[1], 5432, "postgres", "postgres", ""), owner="postgres") as scratch:
    print(scratch.database, flush=True)
    time.sleep(600)
"""


def names(admin: Target) -> set[str]:
    """Name the scratch databases that there are."""
    with connect(admin, autocommit=True) as connection:
        like = "SELECT datname FROM pg_database WHERE starts_with(datname, 'platform_postgres_scratch_')"
        return {str(row[0]) for row in connection.execute(like)}


def test_the_next_run_sweeps_the_scratch_database_of_a_killed_one(ground: ScratchServer) -> None:
    """It goes at once and not after an hour, and only when its run is gone."""
    command = [sys.executable, "-c", PROGRAM, ground.admin.host]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout
        left = run.stdout.readline().strip()
        with scratch_database(ground.admin, owner="postgres") as mine:
            assert names(ground.admin) >= {left, mine.database}
        run.send_signal(signal.SIGKILL)
        run.wait()
    with scratch_database(ground.admin, owner="postgres") as mine:
        found = names(ground.admin)
        assert mine.database in found
        assert left not in found
    assert mine.database not in names(ground.admin)


def test_it_has_the_extensions_that_are_asked_for(ground: ScratchServer) -> None:
    """An empty list gives a database without any, a name gives that one."""
    for wanted in ([], ["pg_trgm"]):
        with (
            scratch_database(ground.admin, owner="postgres", extensions=wanted) as scratch,
            connect(scratch, autocommit=True) as connection,
        ):
            rows = connection.execute("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'").fetchall()
            assert [row[0] for row in rows] == wanted
