"""A server whose messages are not English (lc_messages) is treated like any other: only SQLSTATEs decide."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from psycopg.conninfo import make_conninfo

from infra.errors import ClosedError, ServerError
from infra.modules.decision import Step
from infra.postgres.access import Access
from infra.postgres.access_drift import access_drift
from infra.postgres.apply.live_status import detect_drift
from infra.postgres.apply.plan_cache import Unreadable
from infra.postgres.apply.planning import look
from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect
from infra.postgres.connection.failure import TRACES_STARTUP, ConnectionFailure, probe_with_ping
from infra.postgres.connection.target import ADMIN_USER, MAINTENANCE_DATABASE, Target, conninfo_of
from tests.database.postgres.databases import MIGRATOR, OWNER, World, create_template, target_of, worlds

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["tests.database.scratch_server"]

LOCALE = "de_DE.UTF-8"
DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
HBA = f"local all {MIGRATOR} scram-sha-256\nlocal all all trust\n"
PASSWORD = "geheim"


def programs_with_messages() -> Path:
    """Return the directory of a PostgreSQL with German messages; skip the test where there is none."""
    if not DEBIAN:
        pytest.skip("no PostgreSQL with messages in other languages (Debian: apt-get install postgresql)")
    programs = DEBIAN[-1].parent
    if not list(Path("/usr/share/locale/de/LC_MESSAGES").glob(f"postgres-{programs.parent.name}.mo")):
        pytest.skip("PostgreSQL's German messages are not installed (slim images leave out /usr/share/locale)")
    return programs


def compile_locale(directory: Path) -> None:
    """Compile the German locale into a directory for LOCPATH (glibc's locale(7)); skip the test where that fails."""
    command = ["localedef", "--inputfile=de_DE", "--charmap=UTF-8", str(directory / LOCALE)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"the locale {LOCALE} cannot be compiled (Debian: apt-get install locales): {error}")


@pytest.fixture(scope="module")
def german() -> Iterator[Target]:
    """Yield the superuser's target on a server with German messages, which asks the migrator for a password."""
    from tests.database import scratch_server  # noqa: PLC0415 (a plugin: pytest rewrites its asserts on import)

    programs = programs_with_messages()
    directory = Path(tempfile.mkdtemp(prefix="german-"))
    compile_locale(directory)
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    os.chown(directory, user.pw_uid, user.pw_gid)
    conninfo = make_conninfo(host=str(directory), dbname=MAINTENANCE_DATABASE, user=ADMIN_USER)
    admin = target_of(conninfo)
    try:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("LOCPATH", str(directory))
            process = scratch_server._start(directory, user, programs)  # pyright: ignore[reportPrivateUsage]
        try:
            scratch_server._wait_until_it_answers(process, conninfo, log=directory / "log")  # pyright: ignore[reportPrivateUsage]
            create_template(admin)
            with connect(admin, autocommit=True) as connection:
                connection.execute(f"ALTER ROLE {MIGRATOR} PASSWORD '{PASSWORD}'".encode())
                connection.execute(f"ALTER SYSTEM SET lc_messages = '{LOCALE}'".encode())
                (directory / "data" / "pg_hba.conf").write_text(HBA)
                connection.execute("SELECT pg_reload_conf()")
            yield admin
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(scratch_server.STOP_SECONDS)
    finally:
        shutil.rmtree(directory)


@pytest.fixture
def world(german: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Yield a world on the German server, with a module that creates a table."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sql").mkdir()
    with worlds(german) as make:
        world = make(tmp_path / "sql")
        world.set(target=replace(world.session.target, password=PASSWORD))
        world.write(m01_a="CREATE TABLE a (id integer);\n")
        yield world


def refusal(world: World) -> str:
    """Apply the modules, and return the message of the ServerError in which that ends."""
    with pytest.raises(ServerError) as caught:
        world.up()
    return str(caught.value)


def test_a_module_is_applied(world: World) -> None:
    """A run against a server with German messages works, and the messages are German."""
    assert world.up() == [Step.APPLY]
    with connect(world.session.target) as connection:
        assert connection.execute("SHOW lc_messages").fetchone() == (LOCALE,)


def is_missing(world: World) -> bool:
    """Return whether a look finds that the database, or the role, does not exist."""
    world.new_process()
    looked = look(world.session, recorded=False, explain=False)
    return isinstance(looked, Unreadable) and looked.is_missing


def test_a_wrong_password_is_refused_at_once(world: World) -> None:
    """A wrong password is named as the reason, and no further attempt is made; a preview says nothing."""
    world.set(target=replace(world.session.target, password="falsch"))
    message = refusal(world)
    assert message.startswith(f"{world.place}: refuses the login of this role (")
    assert "Passwort-Authentifizierung für Benutzer »world_migrator« fehlgeschlagen [28P01]" in message
    assert world.messages == []
    assert is_missing(world)


def test_a_database_that_does_not_exist_is_refused_at_once(world: World) -> None:
    """A missing database is named as the reason, without further attempts; it is no error in a preview or a refresh."""
    world.set(target=world.session.target.on("nirgends"))
    message = refusal(world)
    assert message.startswith("database nirgends: does not exist (")
    assert "Datenbank »nirgends« existiert nicht [3D000]" in message
    assert world.messages == []
    assert access_drift(world.session.admin.on("nirgends"), Access(OWNER, "a", "b", "c")) is None
    assert detect_drift(world.session, "01-a") is None
    assert is_missing(world)


def close(world: World) -> None:
    """Close a database to everybody, from another one."""
    with connect(world.session.admin.on(MAINTENANCE_DATABASE), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {world.session.target.database} ALLOW_CONNECTIONS false".encode())


def test_a_database_that_lets_nobody_in_is_refused_at_once(world: World) -> None:
    """The reason is named with what to do; a refresh of its modules leaves that to the resource of its privileges."""
    world.write(m01_a="CREATE TABLE a (id integer);\n")
    world.up()
    close(world)
    pool.close_all()
    message = refusal(world)
    assert message.startswith(f"{world.place}: takes no connections (")
    assert message.endswith("[55000]); run `pulumi up`, which takes that back, or says why it cannot")
    assert world.messages == []
    with pytest.raises(ClosedError):
        detect_drift(world.session, "01-a")
    access = Access(OWNER, "a", "b", "c")
    assert f"{world.place} has ALLOW_CONNECTIONS false, and is not to have it" in (
        access_drift(world.session.admin, access) or []
    )


def test_a_limit_of_connections_is_waited_for(world: World) -> None:
    """A refusal for too many connections is repeated, and named as the reason when it lasts."""
    world.sql(f"ALTER ROLE {MIGRATOR} CONNECTION LIMIT 0", owner=False)
    pool.close_all()
    try:
        message = refusal(world.set(wait=0.6))
    finally:
        world.sql(f"ALTER ROLE {MIGRATOR} CONNECTION LIMIT -1", owner=False)
    assert message.startswith(f"{world.place}: has no free connection (")
    assert "zu viele Verbindungen von Rolle »world_migrator« [53300]" in message
    assert world.messages
    assert world.messages[0].startswith("try 2 for at most 0.6 s, after: ")
    assert world.set(wait=10).up() == [Step.APPLY]


def test_a_role_without_the_privilege_to_connect_is_refused_at_once(world: World) -> None:
    """A missing CONNECT privilege is named as the reason, and no further attempt is made."""
    world.sql(f"REVOKE CONNECT ON DATABASE {world.session.target.database} FROM PUBLIC, {OWNER}", owner=False)
    message = refusal(world)
    assert message.startswith(f"{world.place}: denies this role a privilege that it needs (")
    assert "keine Berechtigung für Datenbank" in message
    assert world.messages == []


@pytest.mark.skipif(not TRACES_STARTUP, reason="everything on this platform is classified by PQping")
def test_without_a_trace_most_reasons_are_found(world: World) -> None:
    """PQping and the catalog alone find a wrong password, a missing database, a closed one, and a limit of sessions."""
    target = world.session.target
    world.sql(f"ALTER DATABASE {target.database} CONNECTION LIMIT 0", owner=False)
    probes = {
        ConnectionFailure.LOGIN_REFUSED: replace(target, password="falsch"),
        ConnectionFailure.NO_DATABASE: target.on("nirgends"),
        ConnectionFailure.NO_FREE_CONNECTION: target,
        ConnectionFailure.UNREACHABLE: replace(target, port=1),
    }
    assert {probe_with_ping(conninfo_of(probe)).failure: probe for probe in probes.values()} == probes
    close(world)
    assert probe_with_ping(conninfo_of(target)).failure is ConnectionFailure.CLOSED
