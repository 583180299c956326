"""The private server: no other user can reach it, and it is removed with the run, however that ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from infra.postgres.connection.connect import connect
from infra.server.embedded import processes
from infra.server.embedded.service_account import service_account
from infra.server.scratch import private_server as private
from infra.server.scratch import server_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[4]
WAIT_SECONDS = 30

PROGRAM = """
import sys, time
from pathlib import Path
from infra.server.scratch import private_server as private, server_directory
server_directory.base_directories = lambda _=0: [Path(sys.argv[1])]
with private.private_server() as server:
    print(server.admin.host, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield a directory with a short name for private servers, which every account may enter."""
    directory = Path("/tmp", f"check-{os.getpid()}-{tmp_path.name[-12:]}")
    directory.mkdir(mode=0o711)
    monkeypatch.setattr(server_directory, "base_directories", lambda _=0: [directory])
    yield directory
    server_directory.remove_abandoned(directory)
    _remove(directory)


def _remove(directory: Path) -> None:
    """Remove a directory while the reapers of runs that have just ended may be removing its content."""
    deadline = time.monotonic() + WAIT_SECONDS
    while directory.exists():
        assert time.monotonic() < deadline, list(directory.rglob("*"))
        shutil.rmtree(directory, ignore_errors=True)
        time.sleep(0.05)


@pytest.fixture
def start_run(folder: Path) -> Iterator[Callable[[], tuple[subprocess.Popen[str], Path]]]:
    """Yield a function that starts a run with a private server: its process, and the server's directory."""
    runs: list[subprocess.Popen[str]] = []

    def start() -> tuple[subprocess.Popen[str], Path]:
        command = [sys.executable, "-c", PROGRAM, str(folder)]
        run = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
        runs.append(run)
        assert run.stdout
        return run, Path(run.stdout.readline().strip()).parent

    yield start
    for run in runs:
        run.kill()
        run.communicate()


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def reaper_of(base: Path) -> int:
    """Return the pid of the reaper of a run."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"infra.server.scratch.reaper" in words and str(base).encode() in words:
                return int(entry.name)
    raise AssertionError(base)


def test_it_listens_on_a_socket_that_no_other_user_can_reach(folder: Path) -> None:
    """It has no port, a password that nobody is told, and the directory of its socket is closed to other users."""
    with private.private_server() as server, connect(server.admin) as connection:
        (base,) = folder.iterdir()
        shown = "SELECT current_setting('listen_addresses'), current_setting('fsync')"
        assert connection.execute(shown).fetchone() == ("", "off")
        assert (base / "run").stat().st_mode & 0o777 == 0o700
        assert (base / "data").stat().st_mode & 0o777 == 0o700
        assert len(server.admin.password) > 30
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            connect(replace(server.admin, password="wrong"))
        assert "uuid-ossp" in {row[0] for row in connection.execute("SELECT name FROM pg_available_extensions")}
    assert list(folder.iterdir()) == []


def test_it_does_not_run_as_root(folder: Path) -> None:
    """Root's server runs as the service account, as PostgreSQL requires."""
    with private.private_server():
        (base,) = folder.iterdir()
        postmaster = processes.read_pid_file(base / "data")
        assert postmaster
        assert Path(f"/proc/{postmaster.pid}").stat().st_uid == service_account().uid != 0


def test_an_error_inside_ends_it_too(folder: Path) -> None:
    """An error while it runs propagates, and the server is removed."""

    def fail() -> None:
        with private.private_server():
            raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        fail()
    assert list(folder.iterdir()) == []


def test_a_killed_run_leaves_nothing(start_run: Callable[[], tuple[subprocess.Popen[str], Path]], folder: Path) -> None:
    """After SIGKILL of the run the reaper ends the server and removes its directory."""
    run, base = start_run()
    postmaster = processes.read_pid_file(base / "data")
    assert postmaster
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    wait_until(lambda: not base.exists())
    wait_until(lambda: not Path(f"/proc/{postmaster.pid}").exists())
    assert list(folder.iterdir()) == []


def test_the_next_run_removes_what_even_the_reaper_could_not(
    start_run: Callable[[], tuple[subprocess.Popen[str], Path]], folder: Path
) -> None:
    """When run and reaper are killed, the next run ends the server and removes its directory."""
    run, base = start_run()
    postmaster = processes.read_pid_file(base / "data")
    assert postmaster
    reaper = reaper_of(base)
    os.kill(reaper, signal.SIGKILL)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    wait_until(lambda: not Path(f"/proc/{reaper}").exists() or "Z" in Path(f"/proc/{reaper}/stat").read_text())
    assert base.exists()
    with private.private_server():
        assert not base.exists()
        assert len(list(folder.iterdir())) == 1
    assert processes.find_postmaster(base / "data", service_account()) is None


def test_running_servers_and_unknown_files_are_not_removed(
    start_run: Callable[[], tuple[subprocess.Popen[str], Path]], folder: Path
) -> None:
    """A directory that is in use, is being created, or only has a similar name stays."""
    _, base = start_run()
    new = folder / f"{server_directory.FOLDER_PREFIX}new"
    new.mkdir()
    (folder / f"{server_directory.FOLDER_PREFIX}link").symlink_to(ROOT)
    (folder / "other").mkdir()
    server_directory.remove_abandoned(folder)
    assert {entry.name for entry in folder.iterdir()} == {
        base.name,
        new.name,
        f"{server_directory.FOLDER_PREFIX}link",
        "other",
    }
    assert processes.find_postmaster(base / "data", service_account())
    os.utime(new, (0, 0))
    server_directory.remove_abandoned(folder)
    assert not new.exists()
    (folder / f"{server_directory.FOLDER_PREFIX}link").unlink()
