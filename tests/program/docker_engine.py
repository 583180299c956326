"""A Docker engine with PostgreSQL images, started for the tests and shared by all processes of a test run."""

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
from infra.server.docker.engine import Engine
from tests import newest

if TYPE_CHECKING:
    from collections.abc import Generator

IMAGE = "platform-postgres-test/postgres:15"
NEXT_MINOR = "platform-postgres-test/postgres:15-next"
PRETENDED_MAJOR = "platform-postgres-test/postgres:16"
NEWEST = "platform-postgres-test/postgres:18"
BASE = "platform-postgres-test/base"
WITHOUT_PG_TRGM = "platform-postgres-test/postgres:15-small"
ENTRYPOINT = Path(__file__).parent / "image" / "docker-entrypoint.sh"
ADDRESSES = "base=10.213.0.0/16,size=24"  # enough networks for all tests, whatever other engines have taken
SECONDS_TO_START = 60
# As the official images have it; from 18 on PGDATA and the volume are elsewhere.
DOCKERFILE = """\
FROM {base}
COPY docker-entrypoint.sh /usr/local/bin/
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
ENV PG_MAJOR={major} PGDATA={data}
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/{major}/bin
VOLUME {volume}
EXPOSE 5432
{more}
"""
SLIM = "rm -rf var/cache/apt/archives/*.deb var/lib/apt/lists/* usr/share/doc usr/share/locale usr/share/man"
LISTEN = "s/^#listen_addresses.*/listen_addresses = '*'/"
PRETEND = """\
#!/bin/sh
[ "$1" = --version ] && { echo 'postgres (PostgreSQL) 16.4'; exit; }
exec /usr/lib/postgresql/15/bin/postgres "$@"
"""


def missing() -> str:
    """Return why no engine can be started here, '' when one can."""
    if os.geteuid():
        return "the docker tests start a dockerd of their own, and need root for that"
    lacking = [name for name in ("dockerd", "docker", "debootstrap") if not shutil.which(name)]
    if lacking:
        return f"the docker tests need {', '.join(lacking)}: apt-get install docker.io debootstrap"
    if not (parts.own_home() / "plugins" / "resource-docker-v5.2.0").exists():
        return "the docker tests need the docker plugin: make setup STACK=docker"
    return newest.missing()


@contextmanager
def shared_engine(folder: Path) -> Generator[str]:
    """Yield the address of an engine; the first process of a test run starts it, and the last one ends it."""
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
            remaining = int(users.read_text()) - 1
            users.write_text(str(remaining))
            if not remaining:
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
    while not _answers(base):
        assert time.monotonic() < deadline, (base / "log").read_text()[-2000:]
        time.sleep(0.2)
    _make_images(base)


def _answers(base: Path) -> bool:
    if not (base / "docker.sock").exists():  # the SDK leaves a socket open that it could not connect
        return False
    try:
        Engine(_host(base)).ping()
    except ServerError:
        return False
    return True


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


def docker(host: str, *arguments: str) -> str:
    """Run the docker command on an engine."""
    command = ["docker", "--host", host, *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def _make_images(base: Path) -> None:
    host = _host(base)
    docker(host, "import", str(_root_filesystem()), BASE)
    older = {"data": "/var/lib/postgresql/data", "volume": "/var/lib/postgresql/data"}
    newer = {"data": "/var/lib/postgresql/18/docker", "volume": "/var/lib/postgresql"}
    build = base / "build"
    build.mkdir()
    (build / "postgres").write_text(PRETEND)
    (build / "postgres").chmod(0o755)
    shutil.copy(ENTRYPOINT, build)
    shutil.copytree(newest.installation(), build / "18", symlinks=True)
    for name, text in (
        (IMAGE, DOCKERFILE.format(base=BASE, major=15, more="", **older)),
        (NEXT_MINOR, f"FROM {IMAGE}\nENV NEXT=1\n"),
        (WITHOUT_PG_TRGM, f"FROM {IMAGE}\nRUN rm /usr/share/postgresql/15/extension/pg_trgm.control\n"),
        (PRETENDED_MAJOR, f"FROM {IMAGE}\nCOPY postgres /usr/local/sbin/postgres\n"),
        (NEWEST, DOCKERFILE.format(base=BASE, major=18, more="COPY 18 /usr/lib/postgresql/18", **newer)),
    ):
        (build / "Dockerfile").write_text(text)
        docker(host, "build", "--network", "none", "--quiet", "--tag", name, str(build))


def _root_filesystem() -> Path:
    """Return an archive of a Debian with PostgreSQL 15 (made in a minute, and kept in .tools/)."""
    kept = TOOLS / "build" / "postgres-15-image.tar"
    if not kept.exists():
        with tempfile.TemporaryDirectory(prefix="platform-postgres-root-", dir="/var/tmp") as folder:
            packages = "--include=postgresql,postgresql-contrib,gosu"
            _run("debootstrap", "--variant=minbase", packages, "bookworm", folder)
            _run("sh", "-c", SLIM, cwd=folder)
            _run("sed", "-i", LISTEN, f"{folder}/usr/share/postgresql/15/postgresql.conf.sample")
            kept.parent.mkdir(parents=True, exist_ok=True)
            _run("tar", "-C", folder, "-cf", f"{kept}.new", ".")
        Path(f"{kept}.new").replace(kept)
    return kept


def _run(*command: str, cwd: str | Path = ROOT) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
