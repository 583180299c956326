"""A module's SQL gets no right that its login does not have: in a preview, in a check, and in a run."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from infra.check.proofs import run_modules
from infra.modules.decision import Step
from infra.postgres.apply.likeness import Likeness, ScratchExtension
from infra.postgres.apply.live_status import detect_drift
from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect
from infra.server.scratch.private_server import private_server
from infra.server.scratch.scratch_server import ScratchServer
from tests.database.postgres.databases import EPHEMERAL, MIGRATOR, OWNER, by_hand
from tests.security.attacks import ATTACKS, VICTIM, server_state, swallowed, text_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from infra.postgres.connection.scratch_target import ScratchTarget
    from infra.postgres.connection.target import Target
    from infra.server.scratch.private_server import PrivateServer
    from tests.database.postgres.databases import World
    from tests.security.attacks import Attack

pytest_plugins = ["tests.database.scratch_server"]

SECONDS = 30.0
DENIED = ("42501", "0A000")
"""SQLSTATEs of what a role may not do, and of what its kind of server does not offer at all."""
NOT_IN_A_BLOCK = "25001"
TRIED = [attack for attack in ATTACKS if attack.name not in {"reloading", "the catalog", "machine code"}]
"""The attacks that can be tried as a superuser without the end of the test's own server."""

TABLE = "CREATE TABLE a (id integer);\n"
EVENT_FUNCTION = "CREATE FUNCTION event_function() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'"


@pytest.fixture
def file() -> Iterator[Path]:
    """Yield the path of a file that every user of this machine could write, and that does not exist."""
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        Path(directory).chmod(0o777)
        yield Path(directory) / "owned"


@pytest.fixture(scope="module")
def private() -> Iterator[PrivateServer]:
    """Yield a private server."""
    with private_server() as server:
        with connect(server.admin, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {VICTIM} LOGIN".encode())
        yield server


@pytest.fixture
def victim(template: Target) -> Iterator[Target]:
    """Create a role that modules have nothing to do with, and return the superuser's target for its server."""
    with connect(template, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {VICTIM} LOGIN PASSWORD 'secret'".encode())
    yield template
    with connect(template, autocommit=True) as connection:
        connection.execute(f"DROP ROLE {VICTIM}".encode())


@contextmanager
def shared(superuser: Target) -> Generator[ScratchTarget]:
    """Yield a scratch database on a server with databases of others."""
    with ScratchServer(superuser, None).database() as scratch:
        yield scratch


@contextmanager
def of_its_own(private: PrivateServer) -> Generator[ScratchTarget]:
    """Yield a scratch database on a private server, with the names of another database."""
    with private.database(Likeness(), seconds=SECONDS) as scratch:
        yield scratch


def state_of(attack: Attack, scratch: ScratchTarget, superuser: Target, file: Path) -> str | None:
    """Return the SQLSTATE of an attack by the login of a scratch database, after it has reset its role."""
    with connect(superuser) as other, connect(by_hand(scratch.target), autocommit=True) as connection:
        connection.execute(EVENT_FUNCTION)
        connection.execute("SELECT set_config('role', 'none', false)")
        try:
            text = text_of(attack, me=scratch.target.user, file=file, pid=other.info.backend_pid)
            connection.execute(text.encode())
        except psycopg.Error as error:
            return error.sqlstate
        return None


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_a_module_may_do_nothing_more_on_a_shared_server(victim: Target, file: Path, attack: Attack) -> None:
    """The login of a scratch database is refused what the module's own login would be refused."""
    before = server_state(victim)
    with shared(victim) as scratch:
        assert state_of(attack, scratch, victim, file) in DENIED
    assert server_state(victim) == before
    assert not file.exists()


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_a_module_may_do_nothing_more_on_a_private_server(private: PrivateServer, file: Path, attack: Attack) -> None:
    """A private server protects its machine as well: modules run there without superuser too."""
    with of_its_own(private) as scratch:
        before = server_state(private.admin)
        assert state_of(attack, scratch, private.admin, file) in DENIED
        assert server_state(private.admin) == before
    assert not file.exists()


@pytest.mark.parametrize("attack", TRIED, ids=lambda attack: attack.name)
def test_a_superuser_is_refused_none_of_these(private: PrivateServer, file: Path, attack: Attack) -> None:
    """The attacks are real: as a superuser they work, in a transaction that is rolled back, or only outside of one."""
    with connect(private.admin) as other, connect(by_hand(private.admin)) as connection:
        connection.execute(EVENT_FUNCTION)
        text = text_of(attack, me="postgres", file=file, pid=other.info.backend_pid)
        connection.execute("CREATE ROLE postgres")
        try:
            connection.execute(text.encode())
            state = ""
        except psycopg.Error as error:
            state = error.sqlstate or "lost"
        assert state in {"", NOT_IN_A_BLOCK}
        connection.rollback()


def all_attacks(world: World, file: Path, pid: int) -> str:
    """Return the text of a module that tries all attacks, and succeeds."""
    texts = (text_of(attack, me=MIGRATOR, file=file, pid=pid) for attack in ATTACKS)
    escalation = (
        "DO $x$ BEGIN PERFORM set_config('role', 'none', true);"
        f" ALTER ROLE {MIGRATOR} SUPERUSER; EXECUTE $q$COPY (SELECT 1) TO PROGRAM 'touch {file}'$q$;"
        " EXCEPTION WHEN OTHERS THEN NULL; END $x$;\n"
    )
    live = swallowed(f"ALTER DATABASE {world.session.target.database} SET timezone = 'Asia/Tokyo'")
    return escalation + live + "".join(map(swallowed, texts)) + TABLE


def test_a_preview_of_all_attacks_changes_nothing_on_the_live_server(world: World, victim: Target, file: Path) -> None:
    """A changed module of a persistent stack, which is run to be compared, does nothing on the way."""
    world.write(m01_a=TABLE)
    world.up()
    before, catalog = server_state(victim), world.fingerprint()
    with connect(victim) as other:
        world.write(m01_a=all_attacks(world, file, other.info.backend_pid))
        assert world.step("01-a").step is Step.VERIFY
        assert other.execute("SELECT 1").fetchone() == (1,)
    assert server_state(victim) == before
    assert world.fingerprint() == catalog
    assert not file.exists()


def test_a_run_of_all_attacks_does_what_the_owner_may(world: World, victim: Target, file: Path) -> None:
    """`up` and refresh run modules as the migrator: it is refused the same, but for settings of its own database."""
    world.write(m01_a=TABLE)
    world.set(lifecycle=EPHEMERAL).up()
    before = server_state(victim)
    with connect(victim) as other:
        world.write(m01_a=all_attacks(world, file, other.info.backend_pid))
        world.up()
        assert other.execute("SELECT 1").fetchone() == (1,)
    world.new_process()
    assert detect_drift(world.session, "01-a") == ""
    after = server_state(victim)
    timezone = [row for row in after["settings"] if row not in before["settings"]]
    assert [(role, settings) for _, role, settings in timezone] == [("-", ["TimeZone=Asia/Tokyo"])]
    after["settings"] = before["settings"]
    assert after == before
    assert not file.exists()


def test_what_a_preview_refuses_is_said_as_the_server_says_it(world: World) -> None:
    """An attack that does not hide its error is the error of its module, at its place."""
    world.write(m01_a=TABLE)
    world.up()
    world.write(m01_a=f"{TABLE}DO $x$ BEGIN PERFORM set_config('role','none',true); CREATE ROLE backdoor; END $x$;")
    step = world.step("01-a")
    assert step.step is Step.REFUSE
    assert "sql/01-a.sql:2:1: permission denied to create role [42501]" in step.why


def test_check_runs_modules_as_a_login_without_rights(victim: Target, world: World, file: Path) -> None:
    """`check --dsn` with a superuser's connection string does not run modules as that superuser."""
    before = server_state(victim)
    with connect(victim) as other:
        world.write(m01_a=all_attacks(world, file, other.info.backend_pid))
        with ScratchServer(victim, None).database() as scratch:
            run = run_modules(scratch, world.modules())
            assert (run.complete, run.findings) == (True, [])
    assert server_state(victim) == before
    assert not file.exists()


def test_a_function_of_the_definer_has_the_rights_of_a_module(victim: Target) -> None:
    """A function that is left behind runs as the login without rights, and is gone with the database."""
    with shared(victim) as scratch, connect(by_hand(scratch.target), autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION f() RETURNS void SECURITY DEFINER LANGUAGE plpgsql AS"
            " 'BEGIN EXECUTE ''CREATE ROLE backdoor''; END'"
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT f()")


def test_dblink_does_not_lead_to_an_administrator(private: PrivateServer) -> None:
    """Where the administrator has created it, a module gets nowhere with it without a password that it knows."""
    like = Likeness(extensions=(ScratchExtension("dblink"),))
    login = f"host={private.admin.host} user={private.admin.user} dbname=postgres"
    with (
        private.database(like, seconds=SECONDS) as scratch,
        connect(by_hand(scratch.target), autocommit=True) as connection,
    ):
        for password in ("", " password=guessed"):
            with pytest.raises(psycopg.Error):
                connection.execute("SELECT dblink_connect(%s)", (login + password,))
    pool.close_all()


def test_no_session_and_no_role_of_a_scratch_database_is_left(victim: Target, world: World) -> None:
    """After a preview there is neither a database nor a role of it, nor a session of its login."""
    world.write(m01_a=TABLE)
    world.up()
    world.write(m01_a=f"{TABLE}SELECT 1;")
    world.step("01-a")
    left = "SELECT usename FROM pg_stat_activity WHERE starts_with(usename, 'platform_postgres_scratch_')"
    with connect(victim) as connection:
        assert connection.execute(left).fetchall() == []
    roles = {row[0]["rolname"] for row in server_state(victim)["roles"]}
    assert OWNER in roles
    assert [role for role in roles if "scratch" in role] == []
