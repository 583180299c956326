"""The lifecycle of a server: crashes, pid files, ports, concurrent callers, retention, adoption, removal."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from infra.errors import RefusedError, ServerError
from infra.postgres.connection.connect import connect
from infra.server import ports
from infra.server.embedded import administration, binaries, cluster, processes
from infra.server.embedded.directory import ROOT_MARKER, read_marker, write_marker
from infra.server.embedded.distribution import locate
from infra.server.embedded.service_account import service_account
from tests.database.postgres.databases import by_hand

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from infra.server.embedded.cluster import ClusterSpec, Running

    StartServer = Callable[[ClusterSpec], Running]
    PidsBelow = Callable[[Path], list[int]]

pytestmark = [pytest.mark.database, pytest.mark.full]

CHECKOUT = Path(__file__).resolve().parents[4]
KILLS = int(os.environ.get("SERVER_KILLS", "2"))
BUSY = b"SELECT count(*) FROM generate_series(1, 1000000000)"  # minutes of CPU without a check of its postmaster

CALL = """
import json, sys
from pathlib import Path
from infra.server.embedded import cluster
fields = json.loads(sys.stdin.read())
fields["root"] = Path(fields["root"])
print(cluster.ensure(cluster.ClusterSpec(**fields)).pid)
"""


def call_elsewhere(spec: ClusterSpec, *before: str) -> subprocess.Popen[str]:
    """Start ensure() in another process, in a session of its own; `before` is a command that runs it."""
    fields = {**asdict(spec), "root": str(spec.root)}
    process = subprocess.Popen(
        [*before, sys.executable, "-c", CALL],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=CHECKOUT,
        start_new_session=True,
    )
    assert process.stdin
    process.stdin.write(json.dumps(fields))
    process.stdin.close()
    process.stdin = None
    return process


def create_row(spec: ClusterSpec, running: Running) -> None:
    with connect(by_hand(spec.target(running.port)), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS answer")


def read_row(spec: ClusterSpec, running: Running) -> object:
    with connect(by_hand(spec.target(running.port))) as connection:
        return connection.execute("SELECT answer FROM kept").fetchone()


def busy_sessions(spec: ClusterSpec, running: Running, count: int) -> list[threading.Thread]:
    """Start sessions that compute for minutes; return when all of them do."""

    def compute() -> None:
        with pytest.raises(psycopg.OperationalError), connect(spec.target(running.port)) as connection:
            connection.execute(BUSY)

    threads = [threading.Thread(target=compute) for _ in range(count)]
    for thread in threads:
        thread.start()
    with connect(spec.target(running.port), autocommit=True) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%generate_series%' AND pid <> pg_backend_pid()"
        while (row := connection.execute(query).fetchone()) and row[0] < count:
            time.sleep(0.02)
    return threads


def crash(spec: ClusterSpec, running: Running) -> None:
    """Kill the postmaster and wait until only its pid file remains."""
    os.kill(running.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while processes.orphan_processes([spec.layout.data], service_account()) and time.monotonic() < deadline:
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Return whether a process runs: it exists, and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def listening(port: int) -> Generator[None]:
    """Listen on a port as another program would."""
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        yield


def test_outlives_the_process_group_that_made_it(spec: ClusterSpec) -> None:
    """SIGKILL to the process group of the creator does not end the server."""
    creator = call_elsewhere(spec, "/bin/sh", "-c", '"$@"; sleep 60', "sh")
    assert creator.stdout
    pid = int(creator.stdout.readline())
    os.killpg(creator.pid, signal.SIGKILL)
    creator.wait()
    creator.stdout.close()
    assert (cluster.state(spec.layout.base), cluster.ensure(spec).pid) == ("running", pid)


def test_killed_with_busy_backends(spec: ClusterSpec, start_server: StartServer) -> None:
    """After kill -9 of the postmaster with computing backends, ensure() ends those and starts: same port, same data."""
    running = start_server(spec)
    create_row(spec, running)
    for _ in range(KILLS):
        threads = busy_sessions(spec, running, 2)
        os.kill(running.pid, signal.SIGKILL)  # and at once, while it may still be dying
        back = cluster.ensure(spec)
        assert (back.action, back.port) == ("started", running.port)
        assert back.pid != running.pid
        assert read_row(spec, back) == (42,)
        for thread in threads:
            thread.join(10)
        running = back


def test_frozen_backend_is_ended_too(
    spec: ClusterSpec, start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stopped orphan process, which SIGQUIT cannot end, is killed after QUIT_SECONDS."""
    monkeypatch.setattr(processes, "QUIT_SECONDS", 0.5)
    running = start_server(spec)
    with connect(spec.target(running.port)) as connection:
        frozen = connection.info.backend_pid
        os.kill(frozen, signal.SIGSTOP)
        os.kill(running.pid, signal.SIGKILL)
        assert cluster.ensure(spec).action == "started"
    assert not is_running(frozen)


@pytest.mark.parametrize("text", ["", "garbage\n", "-5\n", "99999999999999\n", "4194304\n/nowhere\n", "12\x00\n"])
def test_invalid_pid_file(spec: ClusterSpec, text: str, start_server: StartServer) -> None:
    """The server starts in spite of an empty, a garbled or a stale pid file."""
    running = start_server(spec)
    crash(spec, running)
    (spec.layout.data / "postmaster.pid").write_text(text)
    assert (cluster.state(spec.layout.base), cluster.plan(spec).verb) == ("stopped", "start")
    assert cluster.ensure(spec).action == "started"


def test_recycled_pid(spec: ClusterSpec, start_server: StartServer) -> None:
    """The server starts in spite of a pid file that names another program, which is not ended."""
    running = start_server(spec)
    pid_file = spec.layout.data / "postmaster.pid"
    text = pid_file.read_text()
    crash(spec, running)
    with subprocess.Popen(["/bin/sleep", "60"]) as stranger:
        try:
            pid_file.write_text(text.replace(str(running.pid), str(stranger.pid), 1))
            assert cluster.state(spec.layout.base) == "stopped"
            assert cluster.ensure(spec).action == "started"
            cluster.destroy(spec.layout.base, owner=spec.owner)
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_zombie_pid(spec: ClusterSpec, start_server: StartServer) -> None:
    """A pid file that names a zombie is stale."""
    running = start_server(spec)
    crash(spec, running)
    zombie = subprocess.Popen(["/bin/true"])
    while is_running(zombie.pid):
        time.sleep(0.01)
    (spec.layout.data / "postmaster.pid").write_text(f"{zombie.pid}\n{spec.layout.data}\n")
    assert cluster.ensure(spec).action == "started"
    zombie.wait()


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_planted_pid_file(spec: ClusterSpec, place: Path, kind: str, start_server: StartServer) -> None:
    """A link or a pipe in the place of the pid file is neither followed nor waited for, and is rerestarted."""
    running = start_server(spec)
    crash(spec, running)
    pid_file, outside = spec.layout.data / "postmaster.pid", place / "outside"
    outside.write_text("precious")
    pid_file.unlink()
    if kind == "link":
        pid_file.symlink_to(outside)
    else:
        os.mkfifo(pid_file)
    assert cluster.state(spec.layout.base) == "stopped"
    assert cluster.ensure(spec).action == "started"
    assert outside.read_text() == "precious"


def test_removed_pid_file(spec: ClusterSpec, start_server: StartServer) -> None:
    """A running server whose pid file was removed is ended before another one starts."""
    running = start_server(spec)
    (spec.layout.data / "postmaster.pid").unlink()
    assert cluster.ensure(spec).action == "started"
    assert not is_running(running.pid)


def test_root_without_ptrace_rights(spec: ClusterSpec, start_server: StartServer) -> None:
    """Root in a container may not read other users' processes, and still finds the server and its orphan processes."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or not setpriv:
        pytest.skip("needs root and setpriv(1)")
    limited = [setpriv, "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]
    running = start_server(spec)
    with call_elsewhere(spec, *limited) as caller:
        assert caller.communicate()[0].split() == [str(running.pid)]
    threads = busy_sessions(spec, running, 1)
    os.kill(running.pid, signal.SIGKILL)
    with call_elsewhere(spec, *limited) as caller:
        (pid,) = caller.communicate()[0].split()
    assert cluster.ensure(spec).pid == int(pid) != running.pid
    threads[0].join(10)


def test_recovery_that_takes_long(
    spec: ClusterSpec, start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is not ready in time continues its recovery, and ensure() succeeds after that."""
    start_server(spec)
    cluster.stop(spec.layout.base, owner=spec.owner)
    monkeypatch.setattr("infra.server.embedded.daemon.START_SECONDS", 1)
    signal_file = spec.layout.data / "recovery.signal"
    signal_file.touch()
    slow = replace(spec, settings={"restore_command": "sleep 3; false"})
    with pytest.raises(ServerError, match="the server is still starting after 1 s"):
        cluster.ensure(slow)
    monkeypatch.undo()
    assert cluster.ensure(slow).action in {"unchanged", "reloaded", "restarted"}


def test_smart_shutdown_is_not_waited_for(spec: ClusterSpec, start_server: StartServer) -> None:
    """A server in a smart shutdown, which waits for its clients, gets a fast shutdown and is started."""
    running = start_server(spec)
    with connect(spec.target(running.port)):
        os.kill(running.pid, signal.SIGTERM)
        while (postmaster := processes.read_pid_file(spec.layout.data)) and postmaster.status != "stopping":
            time.sleep(0.01)
        assert cluster.ensure(spec).action == "started"


def test_configured_port_is_taken(spec: ClusterSpec, place: Path) -> None:
    """A taken port is one sentence: at creation, which leaves nothing then, and at a change, before anything stops."""
    port = ports.choose("somebody else")
    sentence = f"port {port} on 127.0.0.1 is already in use; free it, or set another port (0 = choose one)"
    with listening(port):
        with pytest.raises(ServerError) as caught:
            cluster.create(replace(spec, port=port))
        assert str(caught.value) == sentence
        assert list(place.iterdir()) == []
        running = cluster.create(spec)
        with pytest.raises(ServerError) as caught:
            cluster.ensure(replace(spec, port=port))
        assert str(caught.value) == sentence
        assert cluster.ensure(spec).pid == running.pid


def test_chosen_port_lost_while_down(spec: ClusterSpec, start_server: StartServer) -> None:
    """A chosen port that is taken while the server is down becomes another, which is kept from then on."""
    running = start_server(spec)
    cluster.stop(spec.layout.base, owner=spec.owner)
    with listening(running.port):
        restarted = cluster.ensure(spec)
    assert restarted.port != running.port
    assert f"port {running.port} becomes {restarted.port}" in restarted.changed
    cluster.stop(spec.layout.base, owner=spec.owner)
    assert cluster.ensure(spec).port == restarted.port


def test_port_change_restarts(spec: ClusterSpec, start_server: StartServer) -> None:
    """Another configured port is taken by a restart; without one the server stays where it is."""
    running = start_server(spec)
    changed_spec = replace(spec, port=ports.choose("another"))
    assert cluster.plan(changed_spec).reasons == (f"port {running.port} becomes {changed_spec.port}",)
    restarted = cluster.ensure(changed_spec)
    assert (restarted.action, restarted.port) == ("restarted", changed_spec.port)
    assert cluster.ensure(spec).port == changed_spec.port


def test_two_servers_side_by_side(
    spec: ClusterSpec, new_spec: Callable[[], ClusterSpec], start_server: StartServer
) -> None:
    """Two servers share the binaries; the copy goes with the last of them, and destroying one leaves the other."""
    other = new_spec()
    first, second = start_server(spec), start_server(other)
    assert first.port != second.port
    assert first.distribution.bin == second.distribution.bin
    cluster.destroy(spec.layout.base, owner=spec.owner)
    assert cluster.ensure(other).pid == second.pid
    assert second.distribution.bin.is_dir()
    cluster.destroy(other.layout.base, owner=other.owner)
    assert not spec.root.exists()


def test_another_server_on_the_port(
    spec: ClusterSpec, new_spec: Callable[[], ClusterSpec], start_server: StartServer
) -> None:
    """Another PostgreSQL server with the same password is recognised by its data directory."""
    other = replace(new_spec(), admin_password=spec.admin_password)
    mine, strange = start_server(spec), start_server(other)
    pid_file = spec.layout.data / "postmaster.pid"
    pid_file.write_text(pid_file.read_text().replace(str(mine.port), str(strange.port)))
    with pytest.raises(ServerError) as caught:
        cluster.ensure(spec)
    assert str(caught.value) == (
        f"{spec.layout.data}: port {strange.port} is answered by another server, whose data directory is "
        f"{other.layout.data}; set another port, or stop that server"
    )


def test_four_callers_at_once(spec: ClusterSpec) -> None:
    """Four processes and four threads that ensure the same server at once get one."""
    callers = [call_elsewhere(spec) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        pids = {running.pid for running in pool.map(cluster.ensure, [spec] * 4)}
    for caller in callers:
        with caller:
            pids |= {int(caller.communicate()[0])}
    assert len(pids) == 1


def test_creation_killed_in_initdb(spec: ClusterSpec) -> None:
    """A creator that is killed during initdb leaves a half-made directory, which the next call makes anew."""
    creator = call_elsewhere(spec)
    while not (spec.layout.unfinished / "base").exists():
        time.sleep(0.005)
    os.kill(creator.pid, signal.SIGKILL)
    with creator:
        creator.communicate()
    assert not spec.layout.data.exists()
    assert (cluster.state(spec.layout.base), cluster.plan(spec).verb) == ("absent", "create")
    assert cluster.create(spec).action == "created"
    assert not spec.layout.unfinished.exists()


@pytest.mark.parametrize("phase", ["creating", "removing"])
def test_creation_or_removal_cut_short(spec: ClusterSpec, phase: str, start_server: StartServer) -> None:
    """What a killed creation or removal left is replaced by a new server."""
    old = start_server(spec)
    marker = read_marker(spec.layout.base)
    assert marker
    write_marker(spec.layout.base, replace(marker, phase=phase))  # pyright: ignore[reportArgumentType] - one of two
    new = cluster.create(spec)
    assert new.action == "created"
    assert new.system_identifier != old.system_identifier


@pytest.mark.parametrize("how", ["running", "killed", "stopped", "without binaries", "without directory"])
def test_destroy_leaves_nothing(
    spec: ClusterSpec, processes_below: PidsBelow, how: str, start_server: StartServer
) -> None:
    """Whatever state the server is in, destroy leaves no process, port, directory or lock, and may be repeated."""
    running = start_server(spec)
    threads = busy_sessions(spec, running, 1) if how == "killed" else []
    if how == "killed":
        os.kill(running.pid, signal.SIGKILL)
    elif how == "stopped":
        cluster.stop(spec.layout.base, owner=spec.owner)
    elif how == "without binaries":
        shutil.rmtree(spec.root / "dist")
    elif how == "without directory":
        shutil.rmtree(spec.layout.base)
    for _ in range(2):
        cluster.destroy(spec.layout.base, owner=spec.owner)
        assert not spec.root.exists()
        assert processes_below(spec.root.parent) == []
        assert ports.is_free(running.port)
    for thread in threads:
        thread.join(10)


def test_destroy_after_a_crash_gives_memory_back(spec: ClusterSpec, start_server: StartServer) -> None:
    """The shared memory of a killed server, which no process's end frees, is freed by destroy as by a next start."""
    running = start_server(spec)
    key = str(spec.layout.data.stat().st_ino)  # PostgreSQL takes it for its System V segment

    def system_v() -> list[str]:
        return [line for line in Path("/proc/sysvipc/shm").read_text().splitlines() if line.split()[0] == key]

    mapped = [line.split()[-1] for line in Path(f"/proc/{running.pid}/maps").read_text().splitlines()]
    shared = {Path(name) for name in mapped if name.startswith(("/dev/shm/", str(spec.layout.data / "pg_dynshmem")))}
    assert shared
    assert len(system_v()) == 1
    crash(spec, running)
    assert len(system_v()) == 1
    cluster.destroy(spec.layout.base, owner=spec.owner)
    assert system_v() == []
    assert not [path for path in shared if path.exists()]


def test_destroy_follows_no_link(spec: ClusterSpec, place: Path, start_server: StartServer) -> None:
    """A link that the service account has planted in its data directory goes, and what it leads to stays."""
    start_server(spec)
    outside = place / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    (spec.layout.data / "link").symlink_to(outside)
    cluster.destroy(spec.layout.base, owner=spec.owner)
    assert (outside / "precious").exists()


def test_destroy_refuses_strangers_files(spec: ClusterSpec, start_server: StartServer) -> None:
    """A file in the base that this program did not create stops the removal before it begins."""
    running = start_server(spec)
    (spec.layout.base / "backup.sql").touch()
    with pytest.raises(RefusedError, match=r"contains backup\.sql, which this program did not create"):
        cluster.destroy(spec.layout.base, owner=spec.owner)
    assert cluster.ensure(spec).pid == running.pid
    (spec.layout.base / "backup.sql").unlink()


def test_a_root_that_was_there_stays(spec: ClusterSpec, place: Path, start_server: StartServer) -> None:
    """An empty root that somebody else has made is not removed with the last server."""
    spec.root.mkdir()
    spec.root.chmod(0o755)
    start_server(spec)
    cluster.destroy(spec.layout.base, owner=spec.owner)
    assert [path.name for path in place.rglob("*")] == ["root"]


def test_stop_needs_no_binaries(spec: ClusterSpec, start_server: StartServer) -> None:
    """The server can be stopped when its binaries are gone, twice, and started when they are back."""
    start_server(spec)
    shutil.rmtree(spec.root / "dist")
    for _ in range(2):
        cluster.stop(spec.layout.base, owner=spec.owner)
        assert cluster.state(spec.layout.base) == "stopped"
    assert cluster.ensure(spec).action == "started"


def test_retained_and_adopted(spec: ClusterSpec, start_server: StartServer) -> None:
    """A retained server keeps its data and is taken up with a new password, which works while the old one does not."""
    running = start_server(spec)
    create_row(spec, running)
    cluster.destroy(spec.layout.base, owner=spec.owner, retain=True)
    cluster.destroy(spec.layout.base, owner=spec.owner, retain=True)
    assert cluster.state(spec.layout.base) == "stopped"
    assert sorted(path.name for path in spec.root.iterdir() if path.is_dir()) == [spec.name]
    changed_spec = replace(spec, admin_password="Quite-another-one")
    assert cluster.plan(changed_spec).verb == "adopt"
    back = cluster.create(changed_spec)
    assert (back.action, back.port, back.system_identifier) == ("adopted", running.port, running.system_identifier)
    assert read_row(changed_spec, back) == (42,)
    with pytest.raises(administration.WrongPasswordError):
        cluster.ensure(spec)


@pytest.mark.parametrize("left", ["lock", "folder", "part of the marker", "creating", "removing", "no database"])
def test_what_a_killed_creation_left_is_removed(spec: ClusterSpec, left: str, start_server: StartServer) -> None:
    """However far it came, as long as it has no database: no state has it, so nobody else would remove it."""
    layout = spec.layout
    if left in {"creating", "removing", "no database"}:
        start_server(spec)
        marker = read_marker(layout.base)
        assert marker
        phase = "live" if left == "no database" else left
        write_marker(layout.base, replace(marker, phase=phase))  # pyright: ignore[reportArgumentType] - one of three
    else:
        (layout.root if left == "lock" else layout.conf).mkdir(parents=True)
        (layout.root / ROOT_MARKER).touch()
        layout.lock.touch()
        if left == "part of the marker":
            (layout.base / ".server.json.1f").touch()
    cluster.remove_unrecorded(layout.base, owner=spec.owner)
    assert not spec.root.exists()


@pytest.mark.parametrize("whose", ["a database", "retained", "another owner", "a stranger"])
def test_what_may_be_wanted_is_not_removed_as_unrecorded(
    spec: ClusterSpec, whose: str, start_server: StartServer
) -> None:
    """A server with a database, one that a destroyed stack retained, another owner's, and files of a stranger stay."""
    owner = spec.owner
    if whose == "a stranger":
        spec.layout.base.mkdir(parents=True)
        (spec.layout.base / "thesis.txt").touch()
    else:
        running = start_server(spec)
        if whose == "a database":
            with connect(by_hand(spec.target(running.port)), autocommit=True) as connection:
                connection.execute("CREATE DATABASE wanted")
        elif whose == "retained":
            cluster.destroy(spec.layout.base, owner=owner, retain=True)
        else:
            owner = "tests/other"
    before = sorted(path.name for path in spec.layout.base.iterdir())
    cluster.remove_unrecorded(spec.layout.base, owner=owner)
    assert sorted(path.name for path in spec.layout.base.iterdir()) == before


def test_adoption_shows_no_secret(spec: ClusterSpec) -> None:
    """While a password is reset, neither it nor its verifier is in any process's arguments, nor in the log after."""
    cluster.create(replace(spec, settings={"log_statement": "all"}))
    cluster.destroy(spec.layout.base, owner=spec.owner, retain=True)
    changed_spec = replace(spec, settings={"log_statement": "all"}, admin_password="Seen-by-nobody-1")
    command_lines: set[bytes] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            for entry in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    command_lines.add(entry.read_bytes())
                except OSError:
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        cluster.create(changed_spec)
    finally:
        done.set()
        watcher.join()
    single = [line for line in command_lines if b"--single" in line]
    assert single
    assert not [
        line for line in command_lines if changed_spec.admin_password.encode() in line or b"SCRAM-SHA-256$" in line
    ]
    log = spec.layout.log.read_text()
    assert changed_spec.admin_password not in log
    assert "SCRAM-SHA-256$" not in log


def test_lost_state_needs_adopt(spec: ClusterSpec, start_server: StartServer) -> None:
    """A live server that is not in the state is refused, and adopted with its data where `adopt` is set."""
    running = start_server(spec)
    create_row(spec, running)
    stranger = replace(spec, admin_password="Made-by-the-next-run")
    with pytest.raises(RefusedError) as caught:
        cluster.create(stranger)
    assert str(caught.value) == (
        f"{spec.layout.base}: already has a server of tests/server that is not in this stack's state; "
        "set adopt to take it over with its data and reset its admin password, or remove the directory"
    )
    assert cluster.ensure(spec).pid == running.pid
    adopted = cluster.create(stranger, adopt=True)
    assert adopted.action == "adopted"
    assert read_row(stranger, adopted) == (42,)


def test_lost_state_of_a_stopped_server(spec: ClusterSpec, start_server: StartServer) -> None:
    """A stopped server is refused as a running one is, stays stopped, and can be adopted."""
    create_row(spec, start_server(spec))
    cluster.stop(spec.layout.base, owner=spec.owner)
    stranger = replace(spec, admin_password="Made-by-the-next-run")
    with pytest.raises(RefusedError, match="that is not in this stack's state"):
        cluster.create(stranger)
    assert cluster.state(spec.layout.base) == "stopped"
    adopted = cluster.create(stranger, adopt=True)
    assert adopted.action == "adopted"
    assert read_row(stranger, adopted) == (42,)


def test_own_interrupted_creation_is_continued(spec: ClusterSpec, start_server: StartServer) -> None:
    """When only the result of create() was lost, the same password proves that the server is this stack's."""
    running = start_server(spec)
    again = cluster.create(spec)
    assert (again.action, again.pid) == ("unchanged", running.pid)


def test_wrong_password(spec: ClusterSpec, start_server: StartServer) -> None:
    """A password changed outside this program is one sentence, and the server runs on."""
    running = start_server(spec)
    with pytest.raises(administration.WrongPasswordError) as caught:
        cluster.ensure(replace(spec, admin_password="not this"))
    assert str(caught.value) == (
        f"postgres@127.0.0.1:{running.port}/postgres: the server does not accept the password of postgres, which "
        "was changed outside this program; set it back with ALTER ROLE ... PASSWORD, or adopt the server, which "
        "resets it"
    )
    assert cluster.state(spec.layout.base) == "running"


def test_password_rotation(spec: ClusterSpec, start_server: StartServer) -> None:
    """A new password replaces the old one, on a stopped server too, and asking again changes nothing."""
    start_server(spec)
    cluster.stop(spec.layout.base, owner=spec.owner)
    changed_spec = replace(spec, admin_password="Rotated-1")
    assert cluster.set_password(changed_spec, spec.admin_password).action == "started"
    assert cluster.set_password(changed_spec, spec.admin_password).action == "unchanged"
    with pytest.raises(administration.WrongPasswordError):
        cluster.ensure(spec)


def test_data_of_another_major_version(spec: ClusterSpec, start_server: StartServer) -> None:
    """Data of another major version is refused at preview and at up, with the way out; the server is not touched."""
    running = start_server(spec)
    version = spec.layout.data / "PG_VERSION"
    version.write_text("16\n")
    sentence = (
        f"{spec.layout.data}: was created by PostgreSQL 16 and cannot be used by {running.version}; "
        "nothing was changed; set bin_dir to a PostgreSQL 16, or dump it with that and restore it into a new server"
    )
    for act in (cluster.plan, cluster.ensure):
        with pytest.raises(RefusedError) as caught:
            act(spec)
        assert str(caught.value) == sentence
    version.write_text(f"{running.distribution.major}\n")
    assert cluster.ensure(spec).pid == running.pid


def test_lost_data_directory(spec: ClusterSpec, start_server: StartServer) -> None:
    """A data directory that has vanished counts as absent; ensure() does not quietly replace it, create() does."""
    start_server(spec)
    cluster.stop(spec.layout.base, owner=spec.owner)
    shutil.rmtree(spec.layout.data)
    assert (cluster.state(spec.layout.base), cluster.plan(spec).verb) == ("absent", "create")
    with pytest.raises(ServerError, match="the data directory is missing or damaged"):
        cluster.ensure(spec)
    assert cluster.create(spec).action == "created"


@pytest.mark.parametrize("change", [{"encoding": "SQL_ASCII"}, {"locale": "POSIX"}, {"admin_user": "boss"}])
def test_fixed_at_creation(spec: ClusterSpec, change: dict[str, str], start_server: StartServer) -> None:
    """A change of what initdb fixed is refused."""
    start_server(spec)
    (name,) = change
    with pytest.raises(RefusedError, match=f"{name} was .* when this server was created, and cannot become"):
        cluster.ensure(replace(spec, **change))  # pyright: ignore[reportArgumentType] - all are text


def test_new_minor_version_restarts(spec: ClusterSpec, start_server: StartServer) -> None:
    """When the wheel brings another minor version, the server is restarted with it and the old copy goes."""
    running = start_server(spec)
    marker = read_marker(spec.layout.base)
    assert marker
    assert marker.distribution
    old = replace(marker.distribution, version="17.9", bin=spec.root / "dist" / "celerp-17.9.0" / "bin")
    write_marker(spec.layout.base, replace(marker, distribution=old))
    old.bin.mkdir(parents=True)
    assert cluster.plan(spec).verb == "restart"
    again = cluster.ensure(spec)
    assert (again.action, again.port) == ("restarted", running.port)
    assert again.changed == (f"binaries: 17.9 ({old.source}) become {again.version} ({old.source})",)
    assert not old.bin.parent.exists()


def test_broken_copy_is_made_anew(spec: ClusterSpec) -> None:
    """A private copy without one of its programs is replaced, and so is an old uuid-ossp in it."""
    running = cluster.create(spec)
    replacement = running.distribution.share / "extension" / "uuid-ossp.control"
    if running.distribution.uuid_ossp == "replacement":
        replacement.write_text("of an older version")
        cluster.ensure(spec)
        assert "platform-postgres" in replacement.read_text()
    running.distribution.tool("initdb").unlink()
    binaries.install(locate(None), spec.root)
    assert running.distribution.tool("initdb").exists()


def test_large_log_is_renamed(spec: ClusterSpec, monkeypatch: pytest.MonkeyPatch, start_server: StartServer) -> None:
    """A log past its limit becomes server.log.1, while the server runs and when it starts, and is written further."""
    running = start_server(spec)
    monkeypatch.setattr("infra.server.embedded.daemon.MAX_LOG_BYTES", 10)
    for stop_first in (False, True):
        if stop_first:
            cluster.stop(spec.layout.base, owner=spec.owner)
        cluster.ensure(spec)
        aside = spec.layout.log.with_name("server.log.1")
        assert aside.stat().st_size > 10
        aside.unlink()
        with pytest.raises(psycopg.OperationalError):
            connect(replace(spec.target(running.port), password="wrong"))
        assert "password authentication failed" in spec.layout.log.read_text()
