"""A newly created server, examined from outside: privileges, files, environment, network, secrets."""

from __future__ import annotations

import os
import stat
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from infra.errors import InfraError, RefusedError, ServerError
from infra.postgres.connection.connect import connect
from infra.server.embedded import administration, cluster
from infra.server.embedded.service_account import service_account

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.server.embedded.cluster import ClusterSpec, Running

    StartServer = Callable[[ClusterSpec], Running]
    Shared = tuple[ClusterSpec, Running]

pytestmark = pytest.mark.database


def query_server(spec: ClusterSpec, port: int, query: str) -> list[tuple[object, ...]]:
    with connect(spec.target(port), autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def status_of(pid: int) -> dict[str, list[str]]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: words.split() for name, _, words in (line.partition(":") for line in lines)}


def test_create_ensure_destroy(spec: ClusterSpec) -> None:
    """A server is created, left unchanged and destroyed, and state() and plan() are right before and after."""
    assert (cluster.state(spec.layout.base), cluster.plan(spec).verb) == ("absent", "create")
    created = cluster.create(spec)
    assert (created.action, created.host, created.version) == (
        "created",
        "127.0.0.1",
        created.distribution.version,
    )
    assert (cluster.state(spec.layout.base), cluster.plan(spec).verb) == ("running", "keep")
    again = cluster.ensure(spec)
    assert (again.action, again.pid, again.port) == ("unchanged", created.pid, created.port)
    assert again.system_identifier == created.system_identifier
    cluster.destroy(spec.layout.base, owner=spec.owner)
    assert cluster.state(spec.layout.base) == "absent"


def test_plan_leaves_no_trace(spec: ClusterSpec, place: Path) -> None:
    """A preview creates no directory, no lock and no copy of the binaries."""
    cluster.plan(spec)
    assert list(place.iterdir()) == []


def test_initdb_options(shared: Shared) -> None:
    """A new cluster has data checksums, UTF-8 with a ctype that knows letters, UTC and SCRAM."""
    spec, running = shared
    rows = query_server(
        spec,
        running.port,
        """SELECT current_setting('data_checksums'), current_setting('server_encoding'), datcollate, datctype,
                  current_setting('TimeZone'), current_setting('password_encryption'), upper('ä')
           FROM pg_database WHERE datname = 'postgres'""",
    )
    assert rows == [("on", "UTF8", "C", "C.UTF-8", "UTC", "scram-sha-256", "Ä")]
    assert (
        query_server(
            spec, running.port, "SELECT rolname FROM pg_authid WHERE rolpassword NOT LIKE 'SCRAM-SHA-256$4096:%'"
        )
        == []
    )


def test_only_scram_over_loopback(shared: Shared) -> None:
    """pg_hba.conf has two lines, both scram-sha-256 for 127.0.0.1, and no trust."""
    spec, running = shared
    rules = query_server(spec, running.port, "SELECT type, address, netmask, auth_method FROM pg_hba_file_rules")
    assert rules == [("host", "127.0.0.1", "255.255.255.255", "scram-sha-256")] * 2


def test_listens_on_loopback_only(shared: Shared) -> None:
    """The server listens on one socket, on 127.0.0.1, and on no Unix socket."""
    _, running = shared
    listening = subprocess.run(["ss", "-Hltn", f"sport = :{running.port}"], capture_output=True, text=True, check=True)
    assert [line.split()[3] for line in listening.stdout.splitlines()] == [f"127.0.0.1:{running.port}"]
    assert f".s.PGSQL.{running.port}" not in Path("/proc/net/unix").read_text()


def test_wrong_password_is_refused(shared: Shared) -> None:
    """A client with another password does not get in."""
    spec, running = shared
    target = spec.target(running.port)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(replace(target, password="guessed"))


def test_postmaster_has_dropped_privileges(shared: Shared) -> None:
    """The server has the ids of the service account, no groups, and a session of its own."""
    _, running = shared
    account = service_account()
    status = status_of(running.pid)
    assert status["Uid"] == [str(account.uid)] * 4
    assert status["Gid"] == [str(account.gid)] * 4
    assert status["Groups"] == [] or not account.switch
    assert os.getsid(running.pid) == running.pid
    assert os.getsid(0) != running.pid
    assert int(status["PPid"][0]) != os.getpid()


def test_postmaster_keeps_none_of_the_callers_files(spec: ClusterSpec) -> None:
    """A descriptor that the caller leaves inheritable does not reach the server, nor does the caller's environment."""
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)  # noqa: FBT003 - positional-only
    os.environ["PLATFORM_TEST_SECRET"] = "not for the server"
    try:
        running = cluster.create(spec)
    finally:
        os.close(writer)
        del os.environ["PLATFORM_TEST_SECRET"]
    assert os.read(reader, 1) == b""  # end of file: no other process has the writing end open
    os.close(reader)
    names = {entry.partition(b"=")[0] for entry in Path(f"/proc/{running.pid}/environ").read_bytes().split(b"\0")}
    assert {b"PATH", b"LC_ALL", b"TZ"} <= names
    assert not {name for name in names if name.startswith((b"PLATFORM", b"PULUMI", b"HOME", b"LANG"))}


def test_files_are_closed_to_others(shared: Shared) -> None:
    """No other user can read data, log, configuration or marker; as root, the account can write data and log only."""
    spec, running = shared
    account = service_account()
    layout = spec.layout
    assert stat.S_IMODE(layout.data.stat().st_mode) == 0o700
    for path in (layout.base, layout.conf, layout.settings, layout.hba, layout.marker, layout.log):
        assert not path.stat().st_mode & 0o027, path
    for path in (layout.base, layout.conf, layout.settings, layout.hba, layout.marker, running.distribution.bin):
        assert path.stat().st_uid == os.geteuid()
    assert {path.stat().st_uid for path in (layout.data, layout.log)} == {account.uid}
    assert {path.stat().st_mode & 0o077 for path in layout.data.rglob("*")} == {0}


def test_no_file_or_process_contains_the_password(
    spec: ClusterSpec, processes_below: Callable[[Path], list[int]]
) -> None:
    """After ensure, restart and a change, no file, log, process argument or environment contains a password."""
    first = spec.admin_password
    cluster.create(spec)
    second = replace(spec, admin_password="Second-1234567890", settings={"log_statement": "all"})
    cluster.set_password(second, first)
    cluster.ensure(second)
    base = spec.layout.base
    secrets = [first.encode(), second.admin_password.encode()]
    files = [path for path in spec.root.rglob("*") if path.is_file() and not path.is_relative_to(spec.root / "dist")]
    assert base / "server.log" in files
    for path in files:
        assert not [secret for secret in secrets if secret in path.read_bytes()], path
    pids = processes_below(base)
    assert len(pids) > 3
    for pid in pids:
        visible = Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
        assert not [secret for secret in secrets if secret in visible]
    assert "SCRAM-SHA-256$" not in (base / "server.log").read_text()


@pytest.mark.parametrize(
    "password", ["ä ö ü", "x\u00a0y\u00ad", "ﬁ½", "אב", "\u0627a", "with 'quote\" and \\", "\u0221x"]
)
def test_any_password_works(shared: Shared, password: str) -> None:
    """A password that SASLprep changes or prohibits is accepted by the server that has its verifier."""
    spec, running = shared
    administration.set_role_password(spec.target(running.port), spec.admin_user, password)
    changed = replace(spec, admin_password=password)
    try:
        assert query_server(changed, running.port, "SELECT 1") == [(1,)]
    finally:
        administration.set_role_password(changed.target(running.port), spec.admin_user, spec.admin_password)


def test_failed_creation_leaves_nothing(spec: ClusterSpec, place: Path) -> None:
    """When initdb refuses (an impossible locale), no directory, process, lock or copy stays behind."""
    changed_spec = replace(spec, locale="xx_YY.nowhere")
    with pytest.raises(ServerError, match=r"initdb failed: .*invalid locale name"):
        cluster.create(changed_spec)
    assert [path.name for path in place.rglob("*") if path.is_dir()] == []


def test_unreachable_base(spec: ClusterSpec, place: Path) -> None:
    """As root, a base in a closed directory is refused with that directory's name, and its mode stays."""
    if os.geteuid() != 0:
        pytest.skip("an ordinary user runs the server itself, so it reaches what it may write")
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    changed_spec = replace(spec, root=closed / "deep" / "root")
    with pytest.raises(ServerError) as caught:
        cluster.create(changed_spec)
    assert str(caught.value) == (
        f"{closed}: is not reachable for user platform-postgres, which runs the server; "
        "set data root to a directory outside it"
    )
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert list(closed.iterdir()) == []


def test_root_below_a_closed_umask(spec: ClusterSpec, place: Path) -> None:
    """Missing directories above the base are created so that the account can enter them, whatever the umask is."""
    changed_spec = replace(spec, root=place / "some" / "where" / "root")
    before = os.umask(0o077)
    try:
        assert cluster.create(changed_spec).action == "created"
    finally:
        os.umask(before)


def test_directory_without_marker_is_left_alone(spec: ClusterSpec) -> None:
    """A base that contains files but no marker is neither used nor removed."""
    spec.layout.base.mkdir(parents=True)
    precious = spec.layout.base / "thesis.txt"
    precious.write_text("do not lose")
    for act in (
        lambda: cluster.create(spec),
        lambda: cluster.ensure(spec),
        lambda: cluster.destroy(spec.layout.base, owner=spec.owner),
    ):
        with pytest.raises(RefusedError, match="contains files but no marker"):
            act()
    assert precious.read_text() == "do not lose"


def test_a_server_of_another_owner_is_left_alone(spec: ClusterSpec, start_server: StartServer) -> None:
    """A server of another owner is neither adopted, stopped nor removed."""
    running = start_server(spec)
    other = replace(spec, owner="tests/other")
    acts: list[Callable[[], object]] = [
        lambda: cluster.create(other, adopt=True),
        lambda: cluster.ensure(other),
        lambda: cluster.stop(spec.layout.base, owner=other.owner),
        lambda: cluster.destroy(spec.layout.base, owner=other.owner),
    ]
    for act in acts:
        with pytest.raises(RefusedError, match="belongs to tests/server, not to tests/other"):
            act()
    assert cluster.ensure(spec).pid == running.pid


def test_damaged_marker_stops_everything(spec: ClusterSpec, start_server: StartServer) -> None:
    """A marker that cannot be read is an error, not the absence of a marker."""
    start_server(spec)
    good = spec.layout.marker.read_text()
    spec.layout.marker.write_text("{}")
    with pytest.raises(InfraError, match="not a marker that this version can read"):
        cluster.destroy(spec.layout.base, owner=spec.owner)
    assert spec.layout.data.is_dir()
    spec.layout.marker.write_text(good)
