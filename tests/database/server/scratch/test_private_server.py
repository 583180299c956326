"""The private server: nobody else reaches it, and nothing of it outlives the run, however that ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.postgres.connection.target import connect
from infra.server.embedded import processes
from infra.server.embedded.account import account
from infra.server.scratch import private_server as private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[4]
WAIT_SECONDS = 30

PROGRAM = """
import sys, time
from pathlib import Path
from infra.check import private_server as private
private.roomy = lambda: [Path(sys.argv[1])]
with private.private_server() as server:
    print(server.admin.host, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a short-named directory for private servers, which every account may pass."""
    directory = Path("/tmp", f"check-{os.getpid()}-{tmp_path.name[-12:]}")
    directory.mkdir(mode=0o711)
    monkeypatch.setattr(private, "roomy", lambda: [directory])
    yield directory
    private.sweep(directory)
    _remove(directory)


def _remove(directory: Path) -> None:
    """Remove a directory while the keepers of runs that were ended just now may be removing what they kept there."""
    ends = time.monotonic() + WAIT_SECONDS
    while directory.exists():
        assert time.monotonic() < ends, list(directory.rglob("*"))
        shutil.rmtree(directory, ignore_errors=True)
        time.sleep(0.05)


@pytest.fixture
def started(folder: Path) -> Iterator[Callable[[], tuple[subprocess.Popen[str], Path]]]:
    """Give a starter of runs with a private server: the run's process and the server's directory."""
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
    """Wait for something that happens soon."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def keeper_of(base: Path) -> int:
    """Find the process that waits beside a run."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"infra.server.scratch.reaper" in words and str(base).encode() in words:
                return int(entry.name)
    raise AssertionError(base)


def test_it_listens_on_a_socket_that_nobody_else_reaches(folder: Path) -> None:
    """There is no port, the socket's directory is closed to others, and no password is needed or there to leak."""
    with private.private_server() as server, connect(server.admin) as connection:
        (base,) = folder.iterdir()
        shown = "SELECT current_setting('listen_addresses'), current_setting('fsync')"
        assert connection.execute(shown).fetchone() == ("", "off")
        assert (base / "run").stat().st_mode & 0o777 == 0o700
        assert (base / "data").stat().st_mode & 0o777 == 0o700
        assert server.admin.password == ""
        assert "uuid-ossp" in {row[0] for row in connection.execute("SELECT name FROM pg_available_extensions")}
    assert list(folder.iterdir()) == []


def test_it_does_not_run_as_root(folder: Path) -> None:
    """Root's server belongs to the service account, as PostgreSQL wants it."""
    with private.private_server():
        (base,) = folder.iterdir()
        found = processes.read_pid_file(base / "data")
        assert found
        assert Path(f"/proc/{found.pid}").stat().st_uid == account().uid != 0


def test_an_error_inside_ends_it_too(folder: Path) -> None:
    """Whatever is raised while it runs is raised on, and nothing stays."""

    def fail() -> None:
        with private.private_server():
            raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        fail()
    assert list(folder.iterdir()) == []


def test_a_killed_run_leaves_nothing(started: Callable[[], tuple[subprocess.Popen[str], Path]], folder: Path) -> None:
    """After SIGKILL of the run the keeper ends the server and removes its directory."""
    run, base = started()
    found = processes.read_pid_file(base / "data")
    assert found
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    wait_until(lambda: not base.exists())
    wait_until(lambda: not Path(f"/proc/{found.pid}").exists())
    assert list(folder.iterdir()) == []


def test_the_next_run_sweeps_what_even_the_keeper_could_not(
    started: Callable[[], tuple[subprocess.Popen[str], Path]], folder: Path
) -> None:
    """When run and keeper are killed, the server stays until the next run, which ends it and removes its directory."""
    run, base = started()
    found = processes.read_pid_file(base / "data")
    assert found
    keeper = keeper_of(base)
    os.kill(keeper, signal.SIGKILL)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    wait_until(lambda: not Path(f"/proc/{keeper}").exists() or "Z" in Path(f"/proc/{keeper}/stat").read_text())
    assert base.exists()
    with private.private_server():
        assert not base.exists()
        assert len(list(folder.iterdir())) == 1
    assert processes.postmaster(base / "data", account()) is None


def test_a_sweep_leaves_running_ones_and_strangers_alone(
    started: Callable[[], tuple[subprocess.Popen[str], Path]], folder: Path
) -> None:
    """What another run uses, what is just being made, and what only looks alike stays."""
    _, base = started()
    new = folder / f"{private.FOLDER_PREFIX}new"
    new.mkdir()
    (folder / f"{private.FOLDER_PREFIX}link").symlink_to(ROOT)
    (folder / "other").mkdir()
    private.sweep(folder)
    assert {entry.name for entry in folder.iterdir()} == {base.name, new.name, f"{private.FOLDER_PREFIX}link", "other"}
    assert processes.postmaster(base / "data", account())
    os.utime(new, (0, 0))
    private.sweep(folder)
    assert not new.exists()
    (folder / f"{private.FOLDER_PREFIX}link").unlink()
