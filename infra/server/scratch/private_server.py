"""A PostgreSQL of this run's own: a socket that nobody else reaches, no password, gone with the process.

<memory or temporary directory>/platform-postgres-check-<random>/
  lock      held by the run (flock): whoever can lock it knows that the run is over
  dist/     the binaries, copied where the service account may read them
  run/      the service account's own: the socket
  data/     the service account's own: the data directory, and the log
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import BusyError, ServerError
from infra.postgres.connection.target import Target
from infra.server.embedded import binaries, processes, spawn
from infra.server.embedded.account import account, refuse_unreachable
from infra.server.embedded.daemon import CTYPES, complaint
from infra.server.embedded.directory import make_empty, remove_tree
from infra.server.embedded.distribution import locate
from infra.server.embedded.file_lock import file_locked
from infra.server.file_io import read_untrusted

if TYPE_CHECKING:
    from collections.abc import Generator

    from infra.server.embedded.account import Account
    from infra.server.embedded.distribution import Distribution

FOLDER_PREFIX = "platform-postgres-check-"
MEMORY = Path("/dev/shm")  # noqa: S108 (a directory of our own is made in it)
ENOUGH = 1 << 30  # bytes
NOT_YET_LOCKED_SECONDS = 60  # a directory without a lock that is younger is just being made
INITDB_SECONDS, START_SECONDS = 120, 60
_PROJECT = Path(__file__).parents[3]

# Nothing here has to survive a crash.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_wal_size": "4GB",
    "shared_buffers": "64MB",
}
# What libpq would otherwise take from the caller's environment (PostgreSQL manual, 32.15).
OPTIONS = {"hostaddr": "", "sslmode": "disable", "gssencmode": "disable", "target_session_attrs": "any", "options": ""}


@dataclass(frozen=True)
class Private:
    """A private server that runs: a superuser's way in, and the folder with its programs."""

    admin: Target
    distribution: Distribution


@contextmanager
def private_server() -> Generator[Private]:
    """Start a server and end it without a trace; raises ServerError. Those of killed runs are swept away first."""
    who = account()
    found = locate(None)
    for directory in roomy():
        sweep(directory)
    with _directory() as base:
        refuse_unreachable(base / "data", who, setting="TMPDIR")
        with _keeper(base):
            used = binaries.install(found, base)
            _initialise(base, used, who)
            _start(base, used, who)
            yield Private(Target(str(base / "run"), 5432, "postgres", "postgres", "", OPTIONS), used)


def sweep(directory: Path) -> None:
    """Remove what killed runs have left in a directory, as far as it is this user's own."""
    for base in sorted(directory.glob(f"{FOLDER_PREFIX}*")):
        with suppress(FileNotFoundError):
            found = base.lstat()
            is_new = not (base / "lock").exists() and time.time() - found.st_mtime < NOT_YET_LOCKED_SECONDS
            if base.is_dir() and not base.is_symlink() and found.st_uid == os.geteuid() and not is_new:
                with suppress(BusyError), file_locked(base / "lock", seconds=0):
                    remove_server(base)


def remove_server(base: Path) -> None:
    """End the server of a directory, however far it has come, and remove both; repeating it is harmless."""
    if base.is_dir():
        processes.stop_postmaster(base / "data", account(make=False), at_once=True)
        remove_tree(base)


@contextmanager
def _directory() -> Generator[Path]:
    """Make a directory that this run alone uses, hold its lock, and remove it with the server in it."""
    while True:
        base = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX, dir=roomy()[0])).resolve()
        base.chmod(0o711)  # the service account has to pass
        try:
            with file_locked(base / "lock", seconds=0):
                try:
                    yield base
                finally:
                    remove_server(base)
        except BusyError:  # another run took it for a left-over, and removes it
            continue
        return


def roomy() -> list[Path]:
    """Give the directories for such servers, the best one first: in memory, else the temporary one."""
    memory = [MEMORY] if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH else []
    return [*memory, Path(tempfile.gettempdir())]


@contextmanager
def _keeper(base: Path) -> Generator[None]:
    """Have a process beside this one that removes the server when this one is killed: its input ends then."""
    command = [sys.executable, "-m", "infra.server.scratch.reaper", str(base)]
    with subprocess.Popen(
        command, cwd=_PROJECT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
    ) as keeper:
        try:
            yield
        finally:
            remove_server(base)
            keeper.communicate()


def _initialise(base: Path, used: Distribution, who: Account) -> None:
    for directory in (base / "run", base / "data"):
        make_empty(directory, who)
    arguments = [f"--pgdata={base / 'data'}", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
    arguments += ["--no-sync", "--no-instructions"]
    result = spawn.ProcessResult(1, "")
    for ctype in CTYPES:
        result = spawn.run_program(
            used.tool("initdb"),
            [*arguments, f"--lc-ctype={ctype}"],
            who,
            directory=base / "data",
            seconds=INITDB_SECONDS,
        )
        if result.status == 0:
            return
    raise ServerError(f"initdb failed: {result.last_lines()}", place=str(base))


def _start(base: Path, used: Distribution, who: Account) -> None:
    settings = {**_SETTINGS, "unix_socket_directories": str(base / "run")}
    options = shlex.join([word for name, value in settings.items() for word in ("-c", f"{name}={value}")])
    log = base / "data" / "server.log"
    result = spawn.run_program(
        used.tool("pg_ctl"),
        ["start", "-w", "-t", str(START_SECONDS), "-D", str(base / "data"), "-l", str(log), "-o", options],
        who,
        directory=base / "data",
        seconds=START_SECONDS + 10,
    )
    if result.status != 0:
        said = complaint(read_untrusted(log) or result.output)
        raise ServerError(f"the private server did not start: {said}", place=str(base))
