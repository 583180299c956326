"""A PostgreSQL server for one process: on a Unix socket that no other user can reach, removed when the process ends.

<memory or temporary directory>/platform-postgres-check-<random>/
  lock      locked by the run (flock): once another process can lock it, the run has ended
  dist/     the binaries, copied where the service account may read them
  run/      owned by the service account: the socket
  data/     owned by the service account: the data directory with the log
"""

from __future__ import annotations

import os
import secrets
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
from infra.postgres.apply.scratch import identical_database
from infra.postgres.connection.scram import verifier
from infra.postgres.connection.target import MAINTENANCE_DATABASE, Target
from infra.server.embedded import binaries, processes, spawn
from infra.server.embedded.daemon import CTYPES, summarise_log
from infra.server.embedded.directory import recreate_directory, remove_tree
from infra.server.embedded.distribution import locate
from infra.server.embedded.file_lock import file_locked
from infra.server.embedded.service_account import refuse_unreachable, service_account
from infra.server.file_io import read_untrusted, write_whole

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from contextlib import AbstractContextManager

    from infra.postgres.apply.likeness import Likeness
    from infra.postgres.connection.scratch_target import ScratchTarget
    from infra.server.embedded.account import Account
    from infra.server.embedded.distribution import Distribution

FOLDER_PREFIX = "platform-postgres-check-"
MEMORY = Path("/dev/shm")  # noqa: S108 (only a new directory in it is used)
MIN_FREE_BYTES = 1 << 30
ADMINISTRATOR = "platform_postgres_administrator"  # so that roles of any other server can exist, without rights
NOT_YET_LOCKED_SECONDS = 60  # a younger directory without a lock is being created
INITDB_SECONDS, START_SECONDS = 120, 60
_PROJECT = Path(__file__).parents[3]

# Durability is not needed: nothing has to survive a crash (PostgreSQL manual, 14.5).
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_wal_size": "1GB",
    "shared_buffers": "64MB",
    "temp_file_limit": "1GB",
}
# What libpq would otherwise take from the caller's environment (PostgreSQL manual, 32.15).
OPTIONS = {"hostaddr": "", "sslmode": "disable", "gssencmode": "disable", "target_session_attrs": "any", "options": ""}


@dataclass(frozen=True)
class PrivateServer:
    """A private server that runs: its superuser's connection and its binaries."""

    admin: Target
    distribution: Distribution

    def database(
        self, like: Likeness, *, seconds: float, statements: Sequence[str] = ()
    ) -> AbstractContextManager[ScratchTarget]:
        """Return an empty database like another one, in which modules run as a login that may do nothing else.

        A module may take `seconds`; `statements` are run by the administrator first.
        """
        return identical_database(self.admin, like, seconds=seconds, statements=statements)


@contextmanager
def private_server() -> Generator[PrivateServer]:
    """Yield a server that is stopped and removed at the end; raise ServerError when it does not start.

    The servers of killed runs are removed first.
    """
    account = service_account()
    source = locate(None)
    for directory in base_directories():
        remove_abandoned(directory)
    with _directory() as base:
        refuse_unreachable(base / "data", account, setting="TMPDIR")
        with _reaper(base):
            distribution = binaries.install(source, base)
            password = secrets.token_urlsafe(24)
            _initialise(base, distribution, account, password)
            _start(base, distribution, account)
            admin = Target(str(base / "run"), 5432, MAINTENANCE_DATABASE, ADMINISTRATOR, password, OPTIONS)
            yield PrivateServer(admin, distribution)


def remove_abandoned(directory: Path) -> None:
    """Remove the servers of killed runs from a directory, as far as this user owns them."""
    for base in sorted(directory.glob(f"{FOLDER_PREFIX}*")):
        with suppress(FileNotFoundError):
            status = base.lstat()
            is_new = not (base / "lock").exists() and time.time() - status.st_mtime < NOT_YET_LOCKED_SECONDS
            if base.is_dir() and not base.is_symlink() and status.st_uid == os.geteuid() and not is_new:
                with suppress(BusyError), file_locked(base / "lock", seconds=0):
                    remove_server(base)


def remove_server(base: Path) -> None:
    """Stop the server of a directory, complete or not, and remove the directory; do nothing when it is missing."""
    if base.is_dir():
        processes.stop_postmaster(base / "data", service_account(create=False), immediate=True)
        remove_tree(base)


@contextmanager
def _directory() -> Generator[Path]:
    """Yield a new directory under a lock; remove it with its server at the end."""
    while True:
        base = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX, dir=base_directories()[0])).resolve()
        base.chmod(0o711)  # the service account has to enter
        try:
            with file_locked(base / "lock", seconds=0):
                try:
                    yield base
                finally:
                    remove_server(base)
        except BusyError:  # another run has locked it first, as an abandoned one, and removes it
            continue
        return


def base_directories() -> list[Path]:
    """Return the directories for private servers, the preferred one first: in memory, then the temporary directory."""
    memory = [MEMORY] if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MIN_FREE_BYTES else []
    return [*memory, Path(tempfile.gettempdir())]


@contextmanager
def _reaper(base: Path) -> Generator[None]:
    """Run a process that removes the server when this process is killed: its standard input reaches its end then."""
    command = [sys.executable, "-m", "infra.server.scratch.reaper", str(base)]
    with subprocess.Popen(
        command, cwd=_PROJECT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
    ) as reaper:
        try:
            yield
        finally:
            remove_server(base)
            reaper.communicate()


def _initialise(base: Path, distribution: Distribution, account: Account, password: str) -> None:
    """Run initdb; the file that it reads has the verifier, which it stores as it is, and goes with the directory."""
    for directory in (base / "run", base / "data"):
        recreate_directory(directory, account)
    owner = (account.uid, account.gid) if account.switch else None
    write_whole(base / "verifier", verifier(password) + "\n", owner=owner)
    arguments = [f"--pgdata={base / 'data'}", f"--username={ADMINISTRATOR}", "--auth=scram-sha-256", "--encoding=UTF8"]
    arguments += [f"--pwfile={base / 'verifier'}", "--locale=C", "--no-sync", "--no-instructions"]
    result = spawn.ProcessResult(1, "")
    for ctype in CTYPES:
        result = spawn.run_program(
            distribution.tool("initdb"),
            [*arguments, f"--lc-ctype={ctype}"],
            account,
            directory=base / "data",
            seconds=INITDB_SECONDS,
        )
        if result.status == 0:
            return
    raise ServerError(f"initdb failed: {result.last_lines()}", place=str(base))


def _start(base: Path, distribution: Distribution, account: Account) -> None:
    settings = {**_SETTINGS, "unix_socket_directories": str(base / "run")}
    options = shlex.join([word for name, value in settings.items() for word in ("-c", f"{name}={value}")])
    log = base / "data" / "server.log"
    result = spawn.run_program(
        distribution.tool("pg_ctl"),
        ["start", "-w", "-t", str(START_SECONDS), "-D", str(base / "data"), "-l", str(log), "-o", options],
        account,
        directory=base / "data",
        seconds=START_SECONDS + 10,
    )
    if result.status != 0:
        errors = summarise_log(read_untrusted(log) or result.output)
        raise ServerError(f"the private server did not start: {errors}", place=str(base))
