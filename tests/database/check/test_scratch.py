"""Scratch databases on a server that others use: a login without other rights, and nothing is left of them."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from infra.errors import ServerError
from infra.postgres.apply import scratch, scratch_limits
from infra.postgres.apply.likeness import Likeness
from infra.postgres.apply.scratch import scratch_database
from infra.postgres.connection.connect import connect
from tests.database.postgres.databases import by_hand

if TYPE_CHECKING:
    from infra.postgres.connection.target import Target
    from infra.server.scratch.scratch_server import ScratchServer

pytest_plugins = ["tests.database.scratch_server"]

ROOT = Path(__file__).parents[3]
SECONDS = 30.0
PROGRAM = """
import sys, time
from infra.postgres.apply.scratch import scratch_database
from infra.postgres.connection.target import Target
with scratch_database(Target(sys.argv[1], 5432, "postgres", "postgres", ""), seconds=30) as database:
    print(database.target.database, flush=True)
    time.sleep(600)
"""
NAMES = """
SELECT datname::text FROM pg_database WHERE starts_with(datname, 'platform_postgres_scratch_')
UNION ALL SELECT rolname::text FROM pg_roles WHERE starts_with(rolname, 'platform_postgres_scratch_')
"""
RIGHTS = """
SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolvaliduntil < now() + interval '2 hours',
    (SELECT count(*) FROM pg_auth_members WHERE member = r.oid),
    (SELECT array_agg(datname::text) FROM pg_database WHERE datdba = r.oid)
FROM pg_roles r WHERE rolname = current_user
"""


def names(admin: Target) -> set[str]:
    """Return the names of the scratch databases on a server, and of their roles."""
    with connect(admin, autocommit=True) as connection:
        return {str(row[0]) for row in connection.execute(NAMES.encode())}


def test_the_next_run_drops_the_scratch_database_of_a_killed_run(scratch_server: ScratchServer) -> None:
    """It is dropped with its roles at once, and not while its run is alive."""
    command = [sys.executable, "-c", PROGRAM, scratch_server.admin.host]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout
        abandoned = run.stdout.readline().strip()
        assert f"{abandoned}_owner" in names(scratch_server.admin)
        with scratch_server.database() as database:
            assert names(scratch_server.admin) >= {abandoned, f"{abandoned}_owner", database.target.database}
        run.send_signal(signal.SIGKILL)
        run.wait()
    with scratch_server.database() as database:
        existing = names(scratch_server.admin)
        assert database.target.database in existing
        assert [name for name in existing if name.startswith(abandoned)] == []
    assert names(scratch_server.admin) == set()


def test_roles_without_their_database_are_dropped_too(scratch_server: ScratchServer) -> None:
    """A run that was killed between the two left only roles."""
    with connect(scratch_server.admin, autocommit=True) as connection:
        connection.execute("CREATE ROLE platform_postgres_scratch_1_0a_owner")
    with scratch_server.database():
        assert "platform_postgres_scratch_1_0a_owner" not in names(scratch_server.admin)


def test_its_login_has_no_right_but_to_own_the_database(scratch_server: ScratchServer) -> None:
    """It is no superuser, may create neither roles nor databases, is a member of nothing, and is valid for a while."""
    with scratch_server.database() as database, connect(by_hand(database.target), autocommit=True) as connection:
        expected = (False, False, False, False, False, True, 0, [database.target.database])
        assert connection.execute(RIGHTS.encode()).fetchone() == expected
        assert (database.target.user, bool(database.target.password)) == (database.owner, True)


def test_an_error_leaves_nothing_behind(scratch_server: ScratchServer) -> None:
    """Database and roles are dropped after any error, also while a session of the login is open."""

    def fail() -> None:
        with scratch_server.database() as database, connect(by_hand(database.target)) as connection:
            connection.execute("CREATE TABLE t ()")
            raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        fail()
    assert names(scratch_server.admin) == set()


def test_a_database_that_is_dropped_during_a_check_is_within_its_limits(scratch_server: ScratchServer) -> None:
    """The check still sees the database that it measures, which has no files any more."""
    with scratch_server.database() as database, connect(scratch_server.admin) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SELECT")
        with connect(scratch_server.admin, autocommit=True) as other:
            other.execute(f"DROP DATABASE {database.target.database} WITH (FORCE)".encode())
        assert scratch_limits.ScratchWatch(scratch_server.admin, database, SECONDS).check(connection)


def test_it_has_the_extensions_that_are_requested(scratch_server: ScratchServer) -> None:
    """An empty list creates a database without extensions, a name creates that extension."""
    for extensions in ([], ["pg_trgm"]):
        with (
            scratch_server.database(extensions) as database,
            connect(by_hand(database.target), autocommit=True) as connection,
        ):
            rows = connection.execute("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'").fetchall()
            assert [row[0] for row in rows] == extensions


def test_its_names_stand_for_those_of_another_database(scratch_server: ScratchServer) -> None:
    """Roles that are named after the database exist under its name, and all names are mapped back, quoted as SQL."""
    like = Likeness("Shop", "Shop Owner", "Shop_migrator", ("Shop_app", "other"))
    with (
        scratch_database(scratch_server.admin, like, seconds=SECONDS) as database,
        connect(by_hand(database.target), autocommit=True) as connection,
    ):
        connection.execute("CREATE TABLE t ()")
        connection.execute(
            "DO $$ BEGIN EXECUTE format('GRANT SELECT ON t TO %I', current_database() || '_app'); END $$"
        )
        text = "SELECT format('%I owns %I in %s', current_user, 't', current_database())"
        row = connection.execute(text.encode()).fetchone()
        assert row
        assert database.with_real_names(str(row[0])) == '"Shop Owner" owns t in Shop'


def test_a_module_cannot_take_longer_than_it_may(scratch_server: ScratchServer) -> None:
    """Also one that turns the server's own time limit off, and that catches the cancellation of its statement."""
    endless = (
        "SET statement_timeout = 0; DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(600);"
        " EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$"
    )
    with (
        pytest.raises(ServerError, match="and one of them did not end within 1 s; make it smaller or quicker"),
        scratch_database(scratch_server.admin, seconds=1) as database,
        connect(by_hand(database.target), autocommit=True) as connection,
    ):
        connection.execute(endless.encode())
    assert names(scratch_server.admin) == set()


def test_a_module_cannot_fill_the_disk(scratch_server: ScratchServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sessions are ended when the database becomes too large."""
    monkeypatch.setattr(scratch_limits, "MAX_BYTES", 64 << 20)
    filling = (
        "SET statement_timeout = 0; CREATE TABLE t (a text);"
        " DO $$ BEGIN LOOP INSERT INTO t SELECT repeat('x', 2000) FROM generate_series(1, 1000); END LOOP; END $$"
    )
    with (
        pytest.raises(ServerError, match="and one of them made it larger than 64 MB"),
        scratch_database(scratch_server.admin, seconds=600) as database,
        connect(by_hand(database.target), autocommit=True) as connection,
    ):
        connection.execute(filling.encode())
    assert names(scratch_server.admin) == set()


def test_a_module_cannot_fill_the_disk_with_temporary_files(
    scratch_server: ScratchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server itself ends a statement whose temporary files are too large, and the login cannot raise the limit."""
    monkeypatch.setattr(scratch, "TEMPORARY_FILES", "16MB")
    with scratch_server.database() as database, connect(by_hand(database.target), autocommit=True) as connection:
        for statement in ("SET temp_file_limit = -1", "ALTER ROLE CURRENT_USER SET temp_file_limit = -1"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
        connection.execute("ALTER ROLE CURRENT_USER RESET ALL")
    with (
        scratch_server.database() as database,
        connect(by_hand(database.target), autocommit=True) as connection,
        pytest.raises(psycopg.errors.ConfigurationLimitExceeded),
    ):
        connection.execute("SELECT count(*) FROM (SELECT n FROM generate_series(1, 1e9) n ORDER BY n::text) AS sorted")


def test_without_the_right_to_create_a_login_there_is_none(scratch_server: ScratchServer) -> None:
    """An administrator with CREATEDB alone is told the statement that would help, and nothing is created."""
    with connect(scratch_server.admin, autocommit=True) as connection:
        connection.execute("CREATE ROLE poor LOGIN CREATEDB")
    try:
        poor = type(scratch_server.admin)(scratch_server.admin.host, 5432, "postgres", "poor", "")
        with pytest.raises(ServerError, match=r"ALTER ROLE poor CREATEDB CREATEROLE$"):
            scratch_database(poor, seconds=SECONDS).__enter__()
    finally:
        with connect(scratch_server.admin, autocommit=True) as connection:
            connection.execute("DROP ROLE poor")
    assert names(scratch_server.admin) == set()


def test_an_administrator_without_superuser_may_create_it(scratch_server: ScratchServer) -> None:
    """CREATEDB and CREATEROLE are enough to create it, to end its sessions and to drop it."""
    with connect(scratch_server.admin, autocommit=True) as connection:
        connection.execute("CREATE ROLE boss LOGIN CREATEDB CREATEROLE")
    try:
        boss = type(scratch_server.admin)(scratch_server.admin.host, 5432, "postgres", "boss", "")
        with (
            pytest.raises(psycopg.Error),
            scratch_database(boss, seconds=SECONDS) as database,
            connect(by_hand(database.target), autocommit=True) as connection,
        ):
            connection.execute("CREATE EXTENSION pg_trgm; CREATE TABLE t (a text); SELECT no_such_function()")
        assert names(scratch_server.admin) == set()
    finally:
        with connect(scratch_server.admin, autocommit=True) as connection:
            connection.execute("DROP ROLE boss")
