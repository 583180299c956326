"""A database that is to be dropped: its sessions are ended where its rows may be lost, and named where not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from infra.errors import RefusedError
from infra.postgres.connection.connect import connect
from infra.postgres.privileges import restrict
from infra.postgres.sessions import close_database
from tests.database.postgres.databases import MIGRATOR, OWNER, READER

if TYPE_CHECKING:
    from infra.postgres.connection.target import Target
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]


@pytest.fixture
def target(world: World) -> Target:
    """Return the administrator's target for a database that only its own roles may enter."""
    restrict(world.session.admin, owner=OWNER, readers=[READER])
    return world.session.admin


@pytest.mark.parametrize("state", ["SELECT 1", "BEGIN; SELECT 1", "SELECT pg_advisory_lock(1397836877, 1)"])
def test_sessions_are_ended_and_nobody_comes_back(target: Target, visitor: str, state: str) -> None:
    """Idle ones and those in a transaction end; the roles may not connect again, and the database can be dropped."""
    roles = [OWNER, MIGRATOR, visitor, "a_role_that_is_gone"]
    other = connect(target.login(visitor, ""), autocommit=True)
    other.execute(state.encode())
    close_database(target, roles, force=True)
    with pytest.raises(psycopg.OperationalError):
        other.execute("SELECT 1")
    for role in (visitor, MIGRATOR):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            connect(target.login(role, ""))
    close_database(target, roles, force=True)
    with connect(target.on("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {target.database}".encode())
        connection.execute(f"CREATE DATABASE {target.database}".encode())


def test_sessions_of_a_database_that_lets_nobody_in_are_ended_from_outside(target: Target) -> None:
    """Its administrator cannot enter it either, and a stack with it can be destroyed."""
    with connect(target.on("postgres"), autocommit=True) as outside, connect(target, autocommit=True) as other:
        outside.execute(f"ALTER DATABASE {target.database} ALLOW_CONNECTIONS false".encode())
        with pytest.raises(RefusedError, match=f"is in use by pid {other.info.backend_pid} "):
            close_database(target, [OWNER], force=False)
        close_database(target, [OWNER], force=True)
        with pytest.raises(psycopg.OperationalError):
            other.execute("SELECT 1")
        outside.execute(f"ALTER DATABASE {target.database} ALLOW_CONNECTIONS true".encode())


def test_sessions_are_named_where_rows_are_kept(target: Target, visitor: str) -> None:
    """Nothing is ended without `force`: the error has pid, application and role."""
    with connect(target.login(visitor, ""), autocommit=True) as other:
        sessions = f"pid {other.info.backend_pid} (platform-postgres, role {visitor})"
        with pytest.raises(RefusedError) as caught:
            close_database(target, [OWNER], force=False)
        assert f"database {target.database}: is in use by {sessions}; end them, and run this again" in str(caught.value)
        assert other.execute("SELECT 1").fetchone() == (1,)
    close_database(target, [OWNER], force=False)


def test_sessions_that_the_administrator_may_not_end_are_named(target: Target) -> None:
    """A superuser's session is not for an administrator without superuser rights to end."""
    with connect(target) as connection:
        connection.execute(f"GRANT CONNECT ON DATABASE {target.database} TO {OWNER}".encode())
    with connect(target, autocommit=True) as other:
        with pytest.raises(RefusedError) as caught:
            close_database(target.login(MIGRATOR, ""), [OWNER], force=True)
        assert f"is in use by pid {other.info.backend_pid} (platform-postgres, role postgres)" in str(caught.value)
    assert f"since {MIGRATOR} may not" in str(caught.value)


def test_a_database_that_is_gone_has_no_sessions(target: Target) -> None:
    """Nothing is to be closed, and no session of another database ends."""
    with connect(target, autocommit=True) as other:
        close_database(target.on("no_such_database"), [OWNER], force=True)
        assert other.execute("SELECT 1").fetchone() == (1,)
