"""A server that cannot do what a module needs: one sentence with a remedy, and nothing of the module is kept."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from infra.errors import InfraError, ModuleError, ServerError
from infra.modules.decision import Step
from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect
from tests.database.postgres.databases import MIGRATOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

TABLE = "CREATE TABLE a (id integer);\n"


def test_a_database_that_is_read_only_is_one_sentence(world: World) -> None:
    """The error names default_transaction_read_only, and what to do."""
    world.write(m01_a=TABLE)
    world.sql(f"ALTER DATABASE {world.session.target.database} SET default_transaction_read_only = on")
    with pytest.raises(ServerError) as caught:
        world.up()
    assert str(caught.value) == (
        f"{world.place}: takes no changes: it is a standby, or default_transaction_read_only is on (cannot execute "
        "CREATE SCHEMA in a read-only transaction [25006]); connect to the primary, or turn that setting off"
    )
    assert world.messages == []


@pytest.fixture
def standby(world: World) -> Iterator[Path]:
    """Yield the directory of the socket of a standby of the world's server."""
    from tests.database import scratch_server  # noqa: PLC0415 (a plugin: pytest rewrites its asserts on import)

    directory = Path(tempfile.mkdtemp(prefix="standby-"))
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    os.chown(directory, user.pw_uid, user.pw_gid)
    admin = world.session.admin
    copy = ["pg_basebackup", "--checkpoint=fast", "--no-sync", "--write-recovery-conf", f"--pgdata={directory}/data"]
    where = [f"--host={admin.host}", f"--port={admin.port}", f"--username={admin.user}"]
    programs = scratch_server.programs_of(Path(admin.host))
    try:
        with (directory / "log").open("wb") as log:
            command = [str(programs / copy[0]), *copy[1:], *where]
            assert scratch_server._run(command, user, directory, log.fileno()).wait(30) == 0, (  # pyright: ignore[reportPrivateUsage]
                directory / "log"
            ).read_text()
            command = [
                str(programs / "postgres"),
                f"-D{directory}/data",
                f"-cunix_socket_directories={directory}",
            ]
            process = scratch_server._run(  # pyright: ignore[reportPrivateUsage]
                [*command, "-clisten_addresses=", "-cfsync=off"], user, directory, log.fileno()
            )
        try:
            conninfo = make_conninfo(host=str(directory), dbname="postgres", user="postgres")
            scratch_server._wait_until_it_answers(process, conninfo, log=directory / "log")  # pyright: ignore[reportPrivateUsage]
            yield directory
        finally:
            pool.close_all(world.session.target.database)
            process.terminate()
            process.wait(30)
    finally:
        shutil.rmtree(directory)


def test_a_standby_is_one_sentence(world: World, standby: Path) -> None:
    """A server in recovery refuses to apply a module; the error names the standby, and what to do."""
    primary = world.session
    world.write(m01_a=TABLE)
    world.set(target=replace(primary.target, host=str(standby)), admin=replace(primary.admin, host=str(standby)))
    with pytest.raises(InfraError) as caught:
        world.up()
    assert str(caught.value).startswith(
        f"{world.place}: takes no changes: it is a standby, or default_transaction_read_only is on ("
    )
    assert str(caught.value).endswith("; connect to the primary, or turn that setting off")
    assert world.messages == []


@pytest.mark.parametrize("limit", [0, 1])
def test_a_server_without_a_free_connection_is_one_sentence(world: World, limit: int) -> None:
    """Attempts are repeated and reported; a run fails without its second connection as without its first."""
    world.write(m01_a=TABLE + "ALTER TABLE a ADD x integer;\n", m02_b="ALTER TABLE a ADD y integer;\n")
    name = world.session.target.database
    world.sql(f"ALTER ROLE {MIGRATOR} CONNECTION LIMIT {limit}", owner=False)
    pool.close_all()
    try:
        with pytest.raises(ServerError) as caught:
            world.set(wait=0.6).up()
    finally:
        world.sql(f"ALTER ROLE {MIGRATOR} CONNECTION LIMIT -1", owner=False)
    message = str(caught.value)
    assert message.startswith(f"database {name}: has no free connection ("), message
    assert message.endswith(
        "; end sessions that are not needed, raise max_connections in `server.settings`, or, where "
        "somebody set a CONNECTION LIMIT, run `pulumi up`, which takes that back"
    )
    assert "\n" not in message
    assert world.messages
    assert world.set(wait=10).up()[-1] is Step.APPLY


@pytest.mark.parametrize("connected", [True, False])
def test_a_server_without_room_for_locks_names_the_setting(world: World, *, connected: bool) -> None:
    """By default PostgreSQL has room for the locks of some thousand objects in one transaction (manual, 19.12)."""
    world.write(m01_a=TABLE)
    world.up()
    world.write(m02_b="CREATE TABLE b (id integer);\n")
    if not connected:
        pool.close_all()
    with connect(world.session.admin, autocommit=True) as other:
        with pytest.raises(psycopg.errors.OutOfMemory):
            other.execute("SELECT pg_advisory_lock(n) FROM generate_series(1, 1000000) AS n")
        with pytest.raises(ServerError) as caught:
            world.up()
        other.execute("SELECT pg_advisory_unlock_all()")
    message = str(caught.value)
    assert message.startswith(f"{world.place}: has no room for the locks of so many objects in one transaction (")
    assert message.endswith(
        "); raise max_locks_per_transaction in `server.settings`; nothing of this module was kept"
    ), message
    assert world.up() == [Step.UNCHANGED, Step.APPLY]


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """Yield an empty directory of the server's user on a disk of four megabytes; skip where none can be mounted."""
    directory = Path(tempfile.mkdtemp(prefix="small-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(directory)]
    result = subprocess.run(mount, check=False, capture_output=True, text=True)
    if result.returncode != 0:
        directory.rmdir()
        pytest.skip(f"a small disk cannot be mounted here: {result.stderr.strip()}")
    try:
        space = directory / "space"
        space.mkdir()
        user = pwd.getpwnam("nobody")
        directory.chmod(0o755)
        os.chown(space, user.pw_uid, user.pw_gid)
        yield space
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)
        directory.rmdir()


def test_a_server_out_of_disk_is_one_error(world: World, small_disk: Path) -> None:
    """The error of a module that does not fit has its place, nothing of it is kept, and a smaller one is applied."""
    world.sql(f"CREATE TABLESPACE small OWNER world_owner LOCATION '{small_disk}'", owner=False)
    big = "CREATE TABLE a TABLESPACE small AS\nSELECT repeat('x', 1000) AS x FROM generate_series(1, {});\n"
    try:
        world.write(m01_a="SELECT 1;\n" + big.format(20000))
        with pytest.raises(ModuleError) as caught:
            world.up()
        assert caught.value.sqlstate == "53100"
        assert str(caught.value).startswith("sql/01-a.sql:2:1: could not extend file ")
        assert "No space left on device" in str(caught.value)
        assert world.ledger() == {}
        assert world.messages == []
        world.write(m01_a=big.format(10))
        assert world.up() == [Step.APPLY]
        world.sql("DROP TABLE a")
    finally:
        world.sql("DROP TABLESPACE small", owner=False)
