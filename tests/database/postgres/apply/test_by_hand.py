"""`alembic` typed by hand runs the revisions as `up` does, on the database that it is told, or writes their SQL."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.migrations.history import read_history
from infra.postgres.connection.connect import connect
from infra.postgres.connection.target import conninfo_of
from infra.revisions.squash import squash_revisions
from tests.database.postgres.apply.test_revisions import TABLE, Lane
from tests.database.postgres.databases import OWNER

if TYPE_CHECKING:
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

ROOT = Path(__file__).parents[4]
OWNER_OF_B = "SELECT tableowner::text FROM pg_tables WHERE tablename = 'b'"


@pytest.fixture
def lane(world: World) -> Lane:
    """Return a lane whose database lacks one revision, which creates a table, and a folder in which `alembic` runs."""
    lane = Lane(world)
    lane.release(m01_a=TABLE)
    lane.up()
    lane.revision("0002", 'op.execute("CREATE TABLE b (id int)")')
    shutil.copyfile(ROOT / "migrations" / "env.py", "migrations/env.py")
    Path("pyproject.toml").write_text('[tool.alembic]\nscript_location = "migrations"\n')
    return lane


def alembic(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `alembic` with arguments in the current folder."""
    command = [sys.executable, "-m", "alembic", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def dsn_of(lane: Lane) -> str:
    """Return the argument that names a lane's database."""
    return f"dsn={conninfo_of(lane.world.session.target)}"


def test_alembic_typed_by_hand_runs_the_same_revisions(lane: Lane) -> None:
    """It connects as the migrator, acts as the owner, and moves the same stamp."""
    done = alembic("-x", dsn_of(lane), "upgrade", "head")
    assert done.returncode == 0, done.stderr
    assert lane.stamped() == "0002"
    assert lane.world.sql(OWNER_OF_B) == [(OWNER,)]


def test_alembic_finds_the_databases_of_a_stack(lane: Lane) -> None:
    """`-x stack=` names one that `up` made, by default its first database; one that it lacks is named in a sentence."""
    lane.declare_stack()
    assert alembic("-x", "stack=dev", "current").stdout == "0001\n"
    done = alembic("-x", "stack=dev", "-x", "database=other", "upgrade", "head")
    database = lane.world.session.target.database
    assert f"FAILED: stack dev: there is no database other; the stack has {database}" in done.stdout + done.stderr
    done = alembic("-x", "stack=none", "upgrade", "head")
    assert "FAILED: stack none: there is no Pulumi.none.yaml" in done.stdout + done.stderr
    assert lane.stamped() == "0001"
    assert alembic("-x", "stack=dev", "-x", f"database={database}", "upgrade", "head").returncode == 0
    assert lane.stamped() == "0002"


def test_alembic_writes_the_sql_of_revisions_without_a_database(lane: Lane) -> None:
    """What it writes does the same when the migrator runs it: the owner's table, in schema public, and the stamp."""
    done = alembic("upgrade", "0001:head", "--sql")
    assert done.returncode == 0, done.stderr
    assert "CREATE TABLE b (id int);" in done.stdout
    with connect(lane.world.session.target, autocommit=True) as connection:
        connection.execute(done.stdout.encode())
    assert lane.stamped() == "0002"
    assert lane.world.sql(f"{OWNER_OF_B} AND schemaname = 'public'") == [(OWNER,)]


def test_alembic_refuses_a_database_below_the_baseline_by_name(lane: Lane) -> None:
    """After a squash an older database is named with its revision and what to run, and nothing is changed."""
    lane.world.write(m02_b="CREATE TABLE b (id int);\n")
    squash_revisions("migrations", "0002")
    history = read_history("migrations")
    assert history
    assert list(history.squashed) == ["0001"]
    done = alembic("-x", dsn_of(lane), "upgrade", "head")
    sentence = (
        f"FAILED: database {lane.world.session.target.database}: is at revision 0001, and the baseline 0002 has"
        " replaced the revisions up to 0002; run `make up` of the last release that has them, then of this one"
    )
    assert sentence in done.stdout + done.stderr
    assert (done.returncode, lane.stamped()) == (255, "0001")
    done = alembic("-x", dsn_of(lane), "stamp", "--purge", "0002")
    assert done.returncode == 0, done.stderr
    assert lane.stamped() == "0002"
