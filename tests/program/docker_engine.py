"""A Docker engine of the tests' own with PostgreSQL images made here, shared by all processes of a test run."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import parts
from parts import ROOT, TOOLS

from infra.errors import ServerError
from infra.server.docker_engine import Engine

if TYPE_CHECKING:
    from collections.abc import Generator

IMAGE = "platform-postgres-test/postgres:15"
NEXT_MINOR = "platform-postgres-test/postgres:15-next"
NEXT_MAJOR = "platform-postgres-test/postgres:16"
WITHOUT_PG_TRGM = "platform-postgres-test/postgres:15-small"
ENTRYPOINT = Path(__file__).parent / "image" / "docker-entrypoint.sh"
ADDRESSES = "base=10.213.0.0/16,size=24"  # enough networks for all tests, whatever other engines have taken
SECONDS_TO_START = 60
CHANGES = [
    'ENTRYPOINT ["docker-entrypoint.sh"]',
    'CMD ["postgres"]',
    "ENV PGDATA=/var/lib/postgresql/data",
    "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/15/bin",
    "VOLUME /var/lib/postgresql/data",
    "EXPOSE 5432",
]
SLIM = "rm -rf var/cache/apt/archives/*.deb var/lib/apt/lists/* usr/share/doc usr/share/locale usr/share/man"
LISTEN = "s/^#listen_addresses.*/listen_addresses = '*'/"
PRETEND = """\
#!/bin/sh
[ "$1" = --version ] && { echo 'postgres (PostgreSQL) 16.4'; exit; }
exec /usr/lib/postgresql/15/bin/postgres "$@"
"""


def missing() -> str:
    """Say why no engine can be started here, '' when one can."""
    if os.geteuid():
        return "the docker tests start a dockerd of their own, and need root for that"
    lacking = [name for name in ("dockerd", "docker", "debootstrap") if not shutil.which(name)]
    if lacking:
        return f"the docker tests need {', '.join(lacking)}: apt-get install docker.io debootstrap"
    if not (parts.own_home() / "plugins" / "resource-docker-v5.2.0").exists():
        return "the docker tests need the docker plugin: make setup STACK=docker"
    return ""


@contextmanager
def shared_engine(folder: Path) -> Generator[str]:
    """Give the address of an engine; the first process of a test run starts it, and the last one ends it."""
    with _alone(folder):
        users = folder / "users"
        place = folder / "place"
        if not users.exists():
            base = Path(tempfile.mkdtemp(prefix="platform-postgres-docker-", dir="/var/tmp"))
            place.write_text(str(base))
            _start(base)
        users.write_text(str(int(users.read_text()) + 1 if users.exists() else 1))
        base = Path(place.read_text())
    try:
        yield _host(base)
    finally:
        with _alone(folder):
            left = int(users.read_text()) - 1
            users.write_text(str(left))
            if not left:
                _stop(base)
                users.unlink()


@contextmanager
def _alone(folder: Path) -> Generator[None]:
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _host(base: Path) -> str:
    return f"unix://{base}/docker.sock"


def _start(base: Path) -> None:
    command = ["dockerd", "--data-root", base / "data", "--exec-root", base / "exec", "--pidfile", base / "pid"]
    command += ["--default-address-pool", ADDRESSES]
    with (base / "log").open("w") as log:
        subprocess.run(["setsid", "--fork", *command, "--host", _host(base)], stdout=log, stderr=log, check=True)
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            Engine(_host(base)).ping()
            break
        except ServerError:
            assert time.monotonic() < deadline, (base / "log").read_text()[-2000:]
            time.sleep(0.2)
    _make_images(base)


def _stop(base: Path) -> None:
    """End the engine, and before it what would outlive it: the bridges of its networks."""
    containers = docker(_host(base), "ps", "--all", "--quiet").split()
    if containers:
        docker(_host(base), "rm", "--force", *containers)
    docker(_host(base), "network", "prune", "--force")
    pid = int((base / "pid").read_text())
    os.kill(pid, signal.SIGTERM)
    while Path(f"/proc/{pid}").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z":
        time.sleep(0.1)
    shutil.rmtree(base)


def docker(host: str, *arguments: str, given: bytes | None = None) -> str:
    """Run the docker command on an engine."""
    command = ["docker", "--host", host, *arguments]
    done = subprocess.run(command, input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def _make_images(base: Path) -> None:
    host = _host(base)
    changes = [word for change in CHANGES for word in ("--change", change)]
    docker(host, "import", *changes, str(_root_filesystem()), IMAGE)
    for name, lines in (
        (NEXT_MINOR, "ENV NEXT=1\n"),
        (WITHOUT_PG_TRGM, "RUN rm /usr/share/postgresql/15/extension/pg_trgm.control\n"),
        (NEXT_MAJOR, "COPY postgres /usr/local/sbin/postgres\n"),
    ):
        build = base / "build"
        build.mkdir(exist_ok=True)
        (build / "postgres").write_text(PRETEND)
        (build / "postgres").chmod(0o755)
        (build / "Dockerfile").write_text(f"FROM {IMAGE}\n{lines}")
        docker(host, "build", "--network", "none", "--quiet", "--tag", name, str(build))


def _root_filesystem() -> Path:
    """Give an archive of a Debian with PostgreSQL 15 and the entrypoint (made in a minute, and kept in .tools/)."""
    kept = TOOLS / "build" / "postgres-15-image.tar"
    if not kept.exists() or kept.stat().st_mtime < ENTRYPOINT.stat().st_mtime:
        with tempfile.TemporaryDirectory(prefix="platform-postgres-root-", dir="/var/tmp") as folder:
            packages = "--include=postgresql,postgresql-contrib,gosu"
            _run("debootstrap", "--variant=minbase", packages, "bookworm", folder)
            _run("sh", "-c", SLIM, cwd=folder)
            _run("sed", "-i", LISTEN, f"{folder}/usr/share/postgresql/15/postgresql.conf.sample")
            shutil.copy(ENTRYPOINT, f"{folder}/usr/local/bin/")
            kept.parent.mkdir(parents=True, exist_ok=True)
            _run("tar", "-C", folder, "-cf", f"{kept}.new", ".")
        Path(f"{kept}.new").replace(kept)
    return kept


def _run(*command: str, cwd: str | Path = ROOT) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
