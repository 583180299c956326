"""The processes of a data directory: the postmaster, orphan processes without one, and how both are ended.

A pid alone proves nothing: it may be a zombie's, or the kernel has given it to another program since. A process belongs
to a data directory when that is its working directory (all processes of PostgreSQL change to it) and its program is
PostgreSQL's.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import ServerError
from infra.server.embedded import spawn
from infra.server.embedded.launcher import PROGRAMS, works_in
from infra.server.file_io import read_untrusted

if TYPE_CHECKING:
    from infra.server.embedded.account import Account

FAST_SHUTDOWN_SECONDS = 60.0  # a fast shutdown writes a checkpoint (PostgreSQL manual, 18.5)
QUIT_SECONDS = 5.0
_POLL_SECONDS = 0.01


@dataclass(frozen=True)
class Postmaster:
    """A live postmaster, as its pid file describes it (src/include/utils/pidfile.h of PostgreSQL).

    `status` is "starting", "stopping", "ready" or "standby".
    """

    pid: int
    port: int
    status: str


def find_postmaster(data: Path, account: Account) -> Postmaster | None:
    """Return the postmaster of a data directory; None when it is not alive, whatever the pid file says."""
    postmaster = read_pid_file(data)
    return postmaster if postmaster and _works_in(postmaster.pid, data, account) else None


def read_pid_file(data: Path) -> Postmaster | None:
    """Return the content of postmaster.pid; None when it is absent, empty or no pid file."""
    lines = (read_untrusted(data / "postmaster.pid") or "").splitlines()
    if not lines or not re.fullmatch(r"[1-9]\d{0,9}", lines[0].strip()):
        return None
    port = lines[3].strip() if len(lines) > 3 else ""  # noqa: PLR2004 - the fourth line; written after the first
    status = lines[7].strip() if len(lines) > 7 else "starting"  # noqa: PLR2004 - the eighth
    return Postmaster(int(lines[0]), int(port) if port.isdecimal() else 0, status)


def orphan_processes(directories: list[Path], account: Account) -> list[int]:
    """Return the pids of all PostgreSQL processes in these directories, with or without a postmaster (0.02 s).

    On Linux the launcher lists them as `account`: root without CAP_SYS_PTRACE may not read other users' processes.
    """
    if sys.platform != "linux":
        return list_by_psutil(directories)
    names = [str(directory) for directory in directories]
    result = spawn.run_program("--processes-in", names, account, directory=Path("/"), seconds=30)
    if result.status != 0:
        raise ServerError(f"the processes of the server cannot be listed: {result.last_lines(1)}", place=names[0])
    return [int(pid) for pid in result.output.split()]


def end_orphan_processes(directories: list[Path], account: Account) -> None:
    """End the processes of a killed postmaster or initdb: SIGQUIT and, after QUIT_SECONDS, SIGKILL.

    A busy backend does not notice that its postmaster has ended, and no postmaster starts while such a backend is
    attached to the shared memory (CreateLockFile: "pre-existing shared memory block ... is still in use"). Raises
    ServerError when a process survives SIGKILL.
    """
    for number, seconds in ((signal.SIGQUIT, QUIT_SECONDS), (signal.SIGKILL, QUIT_SECONDS)):
        deadline = time.monotonic() + seconds
        remaining = orphan_processes(directories, account)
        for pid in remaining:
            _send(pid, number)
        while remaining and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            remaining = orphan_processes(directories, account)
        if not remaining:
            return
    raise ServerError(
        f"processes {', '.join(map(str, orphan_processes(directories, account)))} survive SIGKILL",
        place=str(directories[0]),
        remedy="they wait for a disk or a debugger; free them and try again",
    )


def stop_postmaster(data: Path, account: Account, *, immediate: bool = False) -> bool:
    """Stop the server of a data directory: by a fast shutdown, after FAST_SHUTDOWN_SECONDS by an immediate one.

    `immediate` omits the fast shutdown, so no checkpoint is written (PostgreSQL manual, 18.5). Also ends orphan
    processes and removes a stale pid file. Needs no binaries. Returns whether there was a stale pid file, which means
    that the server had crashed.
    """
    shutdowns = ((signal.SIGINT, FAST_SHUTDOWN_SECONDS), (signal.SIGQUIT, QUIT_SECONDS))
    for number, seconds in shutdowns[1:] if immediate else shutdowns:
        postmaster = find_postmaster(data, account)
        if postmaster:
            _send(postmaster.pid, number)
            wait_ended(postmaster.pid, data, account, seconds)
    end_orphan_processes([data], account)
    try:
        (data / "postmaster.pid").unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def wait_ready(data: Path, account: Account, seconds: float) -> Postmaster | None:
    """Wait until the postmaster is ready and return it; return None when it has ended.

    One that is stopping may wait for its clients (a smart shutdown): it gets a fast shutdown then. Raises ServerError
    when it is still starting after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        postmaster = find_postmaster(data, account)
        if postmaster is None or postmaster.status in {"ready", "standby"}:
            return postmaster
        if postmaster.status == "stopping":
            stop_postmaster(data, account)
            return None
        if time.monotonic() > deadline:
            raise ServerError(
                f"is still {postmaster.status} after {seconds:g} s", place=str(data), remedy="look at its log"
            )
        time.sleep(_POLL_SECONDS)


def wait_ended(pid: int, data: Path, account: Account, seconds: float) -> None:
    """Wait until a process of this data directory has ended, at most `seconds`."""
    deadline = time.monotonic() + seconds
    while _works_in(pid, data, account) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _works_in(pid: int, data: Path, account: Account) -> bool:
    """Return whether a pid is a PostgreSQL process of this data directory (0.0001 s on Linux)."""
    if sys.platform == "linux":
        try:
            return works_in(pid, [str(data)])
        except PermissionError:  # root without CAP_SYS_PTRACE; everybody may read owner and arguments
            return _is_postmaster(pid, data, account)
    return works_in_by_psutil(pid, [data])


def _is_postmaster(pid: int, data: Path, account: Account) -> bool:
    """Return whether owner and arguments are a postmaster's: `postgres -D <data> ...`; a zombie has no arguments."""
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
        owner = Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return False
    return owner == account.uid and Path(arguments[0]).name == "postgres" and str(data) in arguments


def list_by_psutil(directories: list[Path]) -> list[int]:
    """Return what orphan_processes() returns, where there is no /proc (macOS)."""
    import psutil  # noqa: PLC0415 (30 ms; on Linux, where it is not needed, the provider process starts without it)

    return [pid for pid in psutil.pids() if works_in_by_psutil(pid, directories)]


def works_in_by_psutil(pid: int, directories: list[Path]) -> bool:
    """Return what launcher.works_in() returns, where there is no /proc; a process that may not be read counts not."""
    import psutil  # noqa: PLC0415 (see above)

    try:
        process = psutil.Process(pid)
        directory, program = process.cwd(), process.exe()
    except psutil.Error:  # ended, a zombie, or another user's
        return False
    return directory in {str(path) for path in directories} and Path(program).name in PROGRAMS
