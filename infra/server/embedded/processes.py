"""Which processes belong to a data directory, and how they are ended.

A pid alone proves nothing: it may be a zombie's, or have been given to another program since. A process belongs to a
data directory when it works in it (PostgreSQL's processes all do) and its program is PostgreSQL's.
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
from infra.server.embedded.launcher import works_in
from infra.server.file_io import read_untrusted

if TYPE_CHECKING:
    from infra.server.embedded.account import Account

STOP_SECONDS = 60.0  # a fast shutdown writes a checkpoint
QUIT_SECONDS = 5.0
_POLL_SECONDS = 0.01
LSOF = ("/usr/sbin/lsof", "/usr/bin/lsof")


@dataclass(frozen=True)
class Postmaster:
    """A live postmaster, as its pid file tells (PostgreSQL manual, 19.3; src/include/utils/pidfile.h).

    `status` is "starting", "stopping", "ready" or "standby".
    """

    pid: int
    port: int
    status: str


def postmaster(data: Path, who: Account) -> Postmaster | None:
    """Give the postmaster of a data directory; None when it is not alive, whatever the pid file says."""
    found = read_pid_file(data)
    return found if found and _belongs(found.pid, data, who) else None


def read_pid_file(data: Path) -> Postmaster | None:
    """Give what postmaster.pid says; None when it is absent, empty or garbage."""
    lines = (read_untrusted(data / "postmaster.pid") or "").splitlines()
    if not lines or not re.fullmatch(r"[1-9]\d{0,9}", lines[0].strip()):
        return None
    port = lines[3].strip() if len(lines) > 3 else ""  # noqa: PLR2004 - the fourth line; written after the first
    status = lines[7].strip() if len(lines) > 7 else "starting"  # noqa: PLR2004 - the eighth
    return Postmaster(int(lines[0]), int(port) if port.isdecimal() else 0, status)


def orphan_processes(directories: list[Path], who: Account) -> list[int]:
    """Give the pids of all PostgreSQL processes that work in these directories, postmaster or not (0.005 s)."""
    if sys.platform != "linux":
        return _ask_lsof(directories)
    names = [str(directory) for directory in directories]
    result = spawn.run_program("--processes-in", names, who, directory=Path("/"), seconds=30)
    if result.status != 0:
        raise ServerError(f"the processes of the server cannot be listed: {result.last_lines(1)}", place=names[0])
    return [int(pid) for pid in result.output.split()]


def end_orphan_processes(directories: list[Path], who: Account) -> None:
    """End what a killed postmaster or initdb left behind: SIGQUIT, QUIT_SECONDS, then SIGKILL.

    A busy backend does not notice that its postmaster is gone, and a new one refuses to start beside it.
    """
    for number, seconds in ((signal.SIGQUIT, QUIT_SECONDS), (signal.SIGKILL, QUIT_SECONDS)):
        deadline = time.monotonic() + seconds
        left = orphan_processes(directories, who)
        for pid in left:
            _send(pid, number)
        while left and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            left = orphan_processes(directories, who)
        if not left:
            return
    raise ServerError(
        f"processes {', '.join(map(str, orphan_processes(directories, who)))} survive SIGKILL",
        place=str(directories[0]),
        remedy="they wait for a disk or a debugger; free them and try again",
    )


def stop_postmaster(data: Path, who: Account, *, at_once: bool = False) -> bool:
    """Stop the server of a data directory: fast, after STOP_SECONDS at once; needs none of its binaries.

    Ends orphans too, and removes a pid file that no process of ours stands behind; says whether there was one, which
    means that the server had crashed. `at_once` writes no checkpoint (PostgreSQL manual, 18.5).
    """
    steps = ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, QUIT_SECONDS))
    for number, seconds in steps[1:] if at_once else steps:
        found = postmaster(data, who)
        if found:
            _send(found.pid, number)
            wait_gone(found.pid, data, who, seconds)
    end_orphan_processes([data], who)
    try:
        (data / "postmaster.pid").unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def wait_settled(data: Path, who: Account, seconds: float) -> Postmaster | None:
    """Wait until the postmaster is ready, or gone (None); ServerError when it still starts after `seconds`.

    One that is stopping may wait for its clients (a smart shutdown); it is stopped fast then.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = postmaster(data, who)
        if found is None or found.status in {"ready", "standby"}:
            return found
        if found.status == "stopping":
            stop_postmaster(data, who)
            return None
        if time.monotonic() > deadline:
            raise ServerError(f"is still {found.status} after {seconds:g} s", place=str(data), remedy="look at its log")
        time.sleep(_POLL_SECONDS)


def wait_gone(pid: int, data: Path, who: Account, seconds: float) -> None:
    """Wait until a process of this data directory has ended, for `seconds` at most."""
    deadline = time.monotonic() + seconds
    while _belongs(pid, data, who) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _belongs(pid: int, data: Path, who: Account) -> bool:
    """Say whether a pid is a PostgreSQL process of this data directory, cheaply (0.0001 s on Linux)."""
    if sys.platform == "linux":
        try:
            return works_in(pid, [str(data)])
        except PermissionError:  # root without CAP_SYS_PTRACE: what everybody may read has to do
            return _is_postmaster(pid, data, who)
    listed = spawn.run_command(["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)], seconds=30).output
    return "postgres" in listed and str(data) in listed


def _is_postmaster(pid: int, data: Path, who: Account) -> bool:
    """Tell a postmaster by its owner and arguments: `postgres -D <data> ...`; a zombie has none."""
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
        owner = Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return False
    return owner == who.uid and Path(arguments[0]).name == "postgres" and str(data) in arguments


def _ask_lsof(directories: list[Path]) -> list[int]:
    """Give strays() where there is no /proc, as on macOS, which brings lsof(8)."""
    lsof = next((path for path in LSOF if Path(path).exists()), LSOF[0])
    command = [lsof, "-n", "-P", "-a", "-d", "cwd", "-c", "postgres", "-c", "initdb", "-Fpn"]
    return parse_lsof(spawn.run_command(command, seconds=60).output, directories)


def parse_lsof(output: str, directories: list[Path]) -> list[int]:
    """Give the pids in lsof's field output (lines `p<pid>` and `n<name>`) whose directory is one of these."""
    names, pids, pid = {str(directory) for directory in directories}, list[int](), 0
    for line in output.splitlines():
        if line.startswith("p"):
            pid = int(line[1:])
        elif line.startswith("n") and line[1:] in names:
            pids.append(pid)
    return pids
