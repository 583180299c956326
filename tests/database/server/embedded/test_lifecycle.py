"""What a server survives, and what is left of it: crashes, pid files, ports, other callers, retention, removal."""

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
from infra.postgres.connection.target import connect
from infra.server import ports
from infra.server.embedded import administration, binaries, cluster, processes
from infra.server.embedded.account import account
from infra.server.embedded.directory import read_marker, write_marker
from infra.server.embedded.distribution import locate

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from infra.server.embedded.cluster import ClusterSpec, Running

    Made = Callable[[ClusterSpec], Running]
    PidsBelow = Callable[[Path], list[int]]

pytestmark = pytest.mark.database

CHECKOUT = Path(__file__).resolve().parents[4]
KILLS = int(os.environ.get("SERVER_KILLS", "2"))
BUSY = b"SELECT count(*) FROM generate_series(1, 1000000000)"  # minutes of CPU without a look at its postmaster

CALL = """
import json, sys
from pathlib import Path
from infra.server import cluster
given = json.loads(sys.stdin.read())
given["root"] = Path(given["root"])
print(cluster.ensure(cluster.ClusterSpec(**given)).pid)
"""


def call_elsewhere(spec: ClusterSpec, *before: str) -> subprocess.Popen[str]:
    """Start ensure() in another process, in a session of its own; `before` is a command that runs it."""
    given = {**asdict(spec), "root": str(spec.root)}
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
    process.stdin.write(json.dumps(given))
    process.stdin.close()
    process.stdin = None
    return process


def remember(spec: ClusterSpec, running: Running) -> None:
    with connect(spec.target(running.port), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS answer")


def remembered(spec: ClusterSpec, running: Running) -> object:
    with connect(spec.target(running.port)) as connection:
        return connection.execute("SELECT answer FROM kept").fetchone()


def busy_sessions(spec: ClusterSpec, running: Running, count: int) -> list[threading.Thread]:
    """Keep backends computing; returns when all of them are."""

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
    """Kill the postmaster and wait until nothing of the server is left but its pid file."""
    os.kill(running.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while processes.orphan_processes([spec.layout.data], account()) and time.monotonic() < deadline:
        time.sleep(0.02)


def runs(pid: int) -> bool:
    """Say whether a process runs: it is there, and no zombie that waits for a lazy init."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def listening(port: int) -> Generator[None]:
    """Have somebody else listen on a port."""
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        yield


def test_outlives_the_process_group_that_made_it(spec: ClusterSpec) -> None:
    """SIGKILL to everything that the creator has started does not reach the server."""
    creator = call_elsewhere(spec, "/bin/sh", "-c", '"$@"; sleep 60', "sh")
    assert creator.stdout
    pid = int(creator.stdout.readline())
    os.killpg(creator.pid, signal.SIGKILL)
    creator.wait()
    creator.stdout.close()
    assert (cluster.state(spec.layout.base), cluster.ensure(spec).pid) == ("running", pid)


def test_killed_with_busy_backends(spec: ClusterSpec, made: Made) -> None:
    """After kill -9 of the postmaster with computing backends, ensure() ends those and starts: same port, same data."""
    running = made(spec)
    remember(spec, running)
    for _ in range(KILLS):
        threads = busy_sessions(spec, running, 2)
        os.kill(running.pid, signal.SIGKILL)  # and at once, while it may still be dying
        back = cluster.ensure(spec)
        assert (back.action, back.port) == ("started", running.port)
        assert back.pid != running.pid
        assert remembered(spec, back) == (42,)
        for thread in threads:
            thread.join(10)
        running = back


def test_frozen_backend_is_ended_too(spec: ClusterSpec, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped orphan, which SIGQUIT cannot end, is killed after its grace."""
    monkeypatch.setattr(processes, "QUIT_SECONDS", 0.5)
    running = made(spec)
    with connect(spec.target(running.port)) as connection:
        frozen = connection.info.backend_pid
        os.kill(frozen, signal.SIGSTOP)
        os.kill(running.pid, signal.SIGKILL)
        assert cluster.ensure(spec).action == "started"
    assert not runs(frozen)


@pytest.mark.parametrize("text", ["", "garbage\n", "-5\n", "99999999999999\n", "4194304\n/nowhere\n", "12\x00\n"])
def test_worthless_pid_file(spec: ClusterSpec, text: str, made: Made) -> None:
    """An empty, a garbled and a dead pid file are each no reason not to start."""
    running = made(spec)
    crash(spec, running)
    (spec.layout.data / "postmaster.pid").write_text(text)
    assert (cluster.state(spec.layout.base), cluster.plan(spec).verb) == ("stopped", "start")
    assert cluster.ensure(spec).action == "started"


def test_recycled_pid(spec: ClusterSpec, made: Made) -> None:
    """A pid file that names a living stranger does not stop the start, and the stranger lives on."""
    running = made(spec)
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


def test_zombie_pid(spec: ClusterSpec, made: Made) -> None:
    """A pid file that names a process which has ended and is not yet reaped counts as stale."""
    running = made(spec)
    crash(spec, running)
    zombie = subprocess.Popen(["/bin/true"])
    while runs(zombie.pid):
        time.sleep(0.01)
    (spec.layout.data / "postmaster.pid").write_text(f"{zombie.pid}\n{spec.layout.data}\n")
    assert cluster.ensure(spec).action == "started"
    zombie.wait()


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_planted_pid_file(spec: ClusterSpec, place: Path, kind: str, made: Made) -> None:
    """A link or a pipe in the place of the pid file is neither followed nor waited for, and goes."""
    running = made(spec)
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


def test_removed_pid_file(spec: ClusterSpec, made: Made) -> None:
    """A running server whose pid file was removed is ended and started anew, not doubled."""
    running = made(spec)
    (spec.layout.data / "postmaster.pid").unlink()
    assert cluster.ensure(spec).action == "started"
    assert not runs(running.pid)


def test_root_without_ptrace_rights(spec: ClusterSpec, made: Made) -> None:
    """Root in a container may not look at other users' processes, and still finds the server and its orphans."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or not setpriv:
        pytest.skip("needs root and setpriv(1)")
    limited = [setpriv, "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]
    running = made(spec)
    with call_elsewhere(spec, *limited) as caller:
        assert caller.communicate()[0].split() == [str(running.pid)]
    threads = busy_sessions(spec, running, 1)
    os.kill(running.pid, signal.SIGKILL)
    with call_elsewhere(spec, *limited) as caller:
        (pid,) = caller.communicate()[0].split()
    assert cluster.ensure(spec).pid == int(pid) != running.pid
    threads[0].join(10)


def test_recovery_that_takes_long(spec: ClusterSpec, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is not ready in time is left to its recovery, and taken up when that is done."""
    made(spec)
    cluster.stop(spec.layout.base, owner=spec.owner)
    monkeypatch.setattr("infra.server.embedded.daemon.START_SECONDS", 1)
    signal_file = spec.layout.data / "recovery.signal"
    signal_file.touch()
    slow = replace(spec, settings={"restore_command": "sleep 3; false"})
    with pytest.raises(ServerError, match="the server is still starting after 1 s"):
        cluster.ensure(slow)
    monkeypatch.undo()
    assert cluster.ensure(slow).action in {"unchanged", "reloaded", "restarted"}


def test_smart_shutdown_is_not_waited_for(spec: ClusterSpec, made: Made) -> None:
    """A server that somebody has told to stop when its clients are gone is stopped now, and started."""
    running = made(spec)
    with connect(spec.target(running.port)):
        os.kill(running.pid, signal.SIGTERM)
        while (found := processes.read_pid_file(spec.layout.data)) and found.status != "stopping":
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


def test_chosen_port_lost_while_down(spec: ClusterSpec, made: Made) -> None:
    """A port that was chosen and is taken while the server is down becomes another, which is kept from then on."""
    running = made(spec)
    cluster.stop(spec.layout.base, owner=spec.owner)
    with listening(running.port):
        moved = cluster.ensure(spec)
    assert moved.port != running.port
    assert f"port {running.port} becomes {moved.port}" in moved.changed
    cluster.stop(spec.layout.base, owner=spec.owner)
    assert cluster.ensure(spec).port == moved.port


def test_port_change_restarts(spec: ClusterSpec, made: Made) -> None:
    """Another configured port is taken by a restart; without one the server stays where it is."""
    running = made(spec)
    wanted = replace(spec, port=ports.choose("another"))
    assert cluster.plan(wanted).reasons == (f"port {running.port} becomes {wanted.port}",)
    moved = cluster.ensure(wanted)
    assert (moved.action, moved.port) == ("restarted", wanted.port)
    assert cluster.ensure(spec).port == wanted.port


def test_two_servers_side_by_side(spec: ClusterSpec, new_spec: Callable[[], ClusterSpec], made: Made) -> None:
    """Two servers share the binaries; the copy goes with the last of them, and destroying one leaves the other."""
    other = new_spec()
    first, second = made(spec), made(other)
    assert first.port != second.port
    assert first.distribution.bin == second.distribution.bin
    cluster.destroy(spec.layout.base, owner=spec.owner)
    assert cluster.ensure(other).pid == second.pid
    assert second.distribution.bin.is_dir()
    cluster.destroy(other.layout.base, owner=other.owner)
    assert not spec.root.exists()


def test_stranger_on_the_port(spec: ClusterSpec, new_spec: Callable[[], ClusterSpec], made: Made) -> None:
    """Another PostgreSQL that answers with the right password is recognised by its data directory."""
    other = replace(new_spec(), admin_password=spec.admin_password)
    mine, strange = made(spec), made(other)
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
def test_creation_or_removal_cut_short(spec: ClusterSpec, phase: str, made: Made) -> None:
    """What a killed creation or removal left is replaced by a new server."""
    old = made(spec)
    marker = read_marker(spec.layout.base)
    assert marker
    write_marker(spec.layout.base, replace(marker, phase=phase))  # pyright: ignore[reportArgumentType] - one of two
    new = cluster.create(spec)
    assert new.action == "created"
    assert new.system_identifier != old.system_identifier


@pytest.mark.parametrize("how", ["running", "killed", "stopped", "without binaries", "without directory"])
def test_destroy_leaves_nothing(spec: ClusterSpec, processes_below: PidsBelow, how: str, made: Made) -> None:
    """Whatever state the server is in, destroy leaves no process, port, directory or lock, and may be repeated."""
    running = made(spec)
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


def test_destroy_after_a_crash_gives_memory_back(spec: ClusterSpec, made: Made) -> None:
    """The shared memory of a killed server, which no process's end frees, is freed by destroy as by a next start."""
    running = made(spec)
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


def test_destroy_follows_no_link(spec: ClusterSpec, place: Path, made: Made) -> None:
    """A link that the service account has planted in its data directory goes, and what it leads to stays."""
    made(spec)
    outside = place / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    (spec.layout.data / "link").symlink_to(outside)
    cluster.destroy(spec.layout.base, owner=spec.owner)
    assert (outside / "precious").exists()


def test_destroy_refuses_strangers_files(spec: ClusterSpec, made: Made) -> None:
    """A file in the base that this program did not make stops the removal before it begins."""
    running = made(spec)
    (spec.layout.base / "backup.sql").touch()
    with pytest.raises(RefusedError, match=r"holds backup\.sql, which this program did not make"):
        cluster.destroy(spec.layout.base, owner=spec.owner)
    assert cluster.ensure(spec).pid == running.pid
    (spec.layout.base / "backup.sql").unlink()


def test_a_root_that_was_there_stays(spec: ClusterSpec, place: Path, made: Made) -> None:
    """An empty root that somebody else has made is not removed with the last server."""
    spec.root.mkdir()
    spec.root.chmod(0o755)
    made(spec)
    cluster.destroy(spec.layout.base, owner=spec.owner)
    assert [path.name for path in place.rglob("*")] == ["root"]


def test_stop_needs_no_binaries(spec: ClusterSpec, made: Made) -> None:
    """The server can be stopped when its binaries are gone, twice, and started when they are back."""
    made(spec)
    shutil.rmtree(spec.root / "dist")
    for _ in range(2):
        cluster.stop(spec.layout.base, owner=spec.owner)
        assert cluster.state(spec.layout.base) == "stopped"
    assert cluster.ensure(spec).action == "started"


def test_retained_and_adopted(spec: ClusterSpec, made: Made) -> None:
    """A retained server keeps its data and is taken up with a new password, which works while the old one does not."""
    running = made(spec)
    remember(spec, running)
    cluster.destroy(spec.layout.base, owner=spec.owner, retain=True)
    cluster.destroy(spec.layout.base, owner=spec.owner, retain=True)
    assert cluster.state(spec.layout.base) == "stopped"
    assert sorted(path.name for path in spec.root.iterdir() if path.is_dir()) == [spec.name]
    wanted = replace(spec, admin_password="Quite-another-one")
    assert cluster.plan(wanted).verb == "adopt"
    back = cluster.create(wanted)
    assert (back.action, back.port, back.system_identifier) == ("adopted", running.port, running.system_identifier)
    assert remembered(wanted, back) == (42,)
    with pytest.raises(administration.WrongPasswordError):
        cluster.ensure(spec)


def test_adoption_shows_no_secret(spec: ClusterSpec) -> None:
    """While a password is reset, neither it nor its verifier is in any process's arguments, nor in the log after."""
    cluster.create(replace(spec, settings={"log_statement": "all"}))
    cluster.destroy(spec.layout.base, owner=spec.owner, retain=True)
    wanted = replace(spec, settings={"log_statement": "all"}, admin_password="Seen-by-nobody-1")
    seen: set[bytes] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            for entry in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(entry.read_bytes())
                except OSError:
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        cluster.create(wanted)
    finally:
        done.set()
        watcher.join()
    single = [line for line in seen if b"--single" in line]
    assert single
    assert not [line for line in seen if wanted.admin_password.encode() in line or b"SCRAM-SHA-256$" in line]
    log = spec.layout.log.read_text()
    assert wanted.admin_password not in log
    assert "SCRAM-SHA-256$" not in log


def test_lost_state_needs_a_word(spec: ClusterSpec, made: Made) -> None:
    """A live server that a run does not know is refused, and adopted with its data when that is asked for."""
    running = made(spec)
    remember(spec, running)
    stranger = replace(spec, admin_password="Made-by-the-next-run")
    with pytest.raises(RefusedError) as caught:
        cluster.create(stranger)
    assert str(caught.value) == (
        f"{spec.layout.base}: holds a server of tests/server already, which this run does not know; "
        "set adopt to take it over with its data and reset its admin password, or remove the directory"
    )
    assert cluster.ensure(spec).pid == running.pid
    taken = cluster.create(stranger, adopt=True)
    assert taken.action == "adopted"
    assert remembered(stranger, taken) == (42,)


def test_lost_state_of_a_stopped_server(spec: ClusterSpec, made: Made) -> None:
    """A stopped server is refused as a running one is, stays stopped, and can be adopted."""
    remember(spec, made(spec))
    cluster.stop(spec.layout.base, owner=spec.owner)
    stranger = replace(spec, admin_password="Made-by-the-next-run")
    with pytest.raises(RefusedError, match="which this run does not know"):
        cluster.create(stranger)
    assert cluster.state(spec.layout.base) == "stopped"
    taken = cluster.create(stranger, adopt=True)
    assert taken.action == "adopted"
    assert remembered(stranger, taken) == (42,)


def test_own_creation_cut_short_is_taken_up(spec: ClusterSpec, made: Made) -> None:
    """When only the answer to create() was lost, the same password proves whose the server is."""
    running = made(spec)
    again = cluster.create(spec)
    assert (again.action, again.pid) == ("unchanged", running.pid)


def test_wrong_password(spec: ClusterSpec, made: Made) -> None:
    """A password changed outside this program is one sentence, and the server runs on."""
    running = made(spec)
    with pytest.raises(administration.WrongPasswordError) as caught:
        cluster.ensure(replace(spec, admin_password="not this"))
    assert str(caught.value) == (
        f"postgres@127.0.0.1:{running.port}/postgres: the server does not take the password of postgres, so it was "
        "changed outside this program; set it back with ALTER ROLE ... PASSWORD, or adopt the server, which sets it"
    )
    assert cluster.state(spec.layout.base) == "running"


def test_password_rotation(spec: ClusterSpec, made: Made) -> None:
    """A new password replaces the old one, on a stopped server too, and asking again changes nothing."""
    made(spec)
    cluster.stop(spec.layout.base, owner=spec.owner)
    wanted = replace(spec, admin_password="Rotated-1")
    assert cluster.set_password(wanted, spec.admin_password).action == "started"
    assert cluster.set_password(wanted, spec.admin_password).action == "unchanged"
    with pytest.raises(administration.WrongPasswordError):
        cluster.ensure(spec)


def test_data_of_another_major_version(spec: ClusterSpec, made: Made) -> None:
    """Data of another major version is refused at preview and at up, with the way out; the server is not touched."""
    running = made(spec)
    version = spec.layout.data / "PG_VERSION"
    version.write_text("16\n")
    sentence = (
        f"{spec.layout.data}: was made by PostgreSQL 16 and cannot be run by {running.version}; nothing was touched; "
        "set bin_dir to a PostgreSQL 16, or dump it with that and restore it into a new server"
    )
    for act in (cluster.plan, cluster.ensure):
        with pytest.raises(RefusedError) as caught:
            act(spec)
        assert str(caught.value) == sentence
    version.write_text(f"{running.distribution.major}\n")
    assert cluster.ensure(spec).pid == running.pid


def test_lost_data_directory(spec: ClusterSpec, made: Made) -> None:
    """A data directory that has vanished counts as absent; ensure() does not quietly replace it, create() does."""
    made(spec)
    cluster.stop(spec.layout.base, owner=spec.owner)
    shutil.rmtree(spec.layout.data)
    assert (cluster.state(spec.layout.base), cluster.plan(spec).verb) == ("absent", "create")
    with pytest.raises(ServerError, match="the data directory is missing or damaged"):
        cluster.ensure(spec)
    assert cluster.create(spec).action == "created"


@pytest.mark.parametrize("change", [{"encoding": "SQL_ASCII"}, {"locale": "POSIX"}, {"admin_user": "boss"}])
def test_fixed_at_creation(spec: ClusterSpec, change: dict[str, str], made: Made) -> None:
    """What initdb has decided cannot be changed afterwards, and that is said."""
    made(spec)
    (name,) = change
    with pytest.raises(RefusedError, match=f"{name} was .* when this server was made, and cannot become"):
        cluster.ensure(replace(spec, **change))  # pyright: ignore[reportArgumentType] - all are text


def test_new_minor_version_restarts(spec: ClusterSpec, made: Made) -> None:
    """When the wheel brings another minor version, the server is restarted with it and the old copy goes."""
    running = made(spec)
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
    """A private copy from which a program is missing is replaced, and an old uuid-ossp in it too."""
    running = cluster.create(spec)
    replacement = running.distribution.share / "extension" / "uuid-ossp.control"
    if running.distribution.uuid_ossp == "replacement":
        replacement.write_text("of an older version")
        cluster.ensure(spec)
        assert "platform-postgres" in replacement.read_text()
    running.distribution.tool("initdb").unlink()
    binaries.install(locate(None), spec.root)
    assert running.distribution.tool("initdb").exists()


def test_large_log_is_set_aside(spec: ClusterSpec, monkeypatch: pytest.MonkeyPatch, made: Made) -> None:
    """A log past its limit becomes server.log.1, while the server runs and when it starts, and is written further."""
    running = made(spec)
    monkeypatch.setattr("infra.server.embedded.daemon.LARGEST_LOG", 10)
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
