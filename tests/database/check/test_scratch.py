"""Scratch databases on a server: they are dropped after use, and those of killed runs by the next run."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from infra.postgres.apply.scratch import scratch_database
from infra.postgres.connection.connect import connect

if TYPE_CHECKING:
    from infra.postgres.connection.target import Target
    from infra.server.scratch.scratch_server import ScratchServer

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
    """Return the names of the scratch databases on a server."""
    with connect(admin, autocommit=True) as connection:
        like = "SELECT datname FROM pg_database WHERE starts_with(datname, 'platform_postgres_scratch_')"
        return {str(row[0]) for row in connection.execute(like)}


def test_the_next_run_drops_the_scratch_database_of_a_killed_run(scratch_server: ScratchServer) -> None:
    """It is dropped at once, and not while its run is alive."""
    command = [sys.executable, "-c", PROGRAM, scratch_server.admin.host]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout
        abandoned = run.stdout.readline().strip()
        with scratch_database(scratch_server.admin, owner="postgres") as scratch:
            assert names(scratch_server.admin) >= {abandoned, scratch.database}
        run.send_signal(signal.SIGKILL)
        run.wait()
    with scratch_database(scratch_server.admin, owner="postgres") as scratch:
        existing = names(scratch_server.admin)
        assert scratch.database in existing
        assert abandoned not in existing
    assert scratch.database not in names(scratch_server.admin)


def test_it_has_the_extensions_that_are_requested(scratch_server: ScratchServer) -> None:
    """An empty list creates a database without extensions, a name creates that extension."""
    for extensions in ([], ["pg_trgm"]):
        with (
            scratch_database(scratch_server.admin, owner="postgres", extensions=extensions) as scratch,
            connect(scratch, autocommit=True) as connection,
        ):
            rows = connection.execute("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'").fetchall()
            assert [row[0] for row in rows] == extensions
