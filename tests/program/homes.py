"""Where the stacks of tests live: each kind of server, seen alike, so that one test runs on all of them."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import psycopg

from infra.server.embedded import cluster
from tests.program.docker_engine import IMAGE, docker
from tests.program.state import admin_password, named, processes_in

if TYPE_CHECKING:
    from infra.server.embedded.specification import Running
    from tests.program.project import Project

FAST: dict[str, Any] = {"fsync": False, "full_page_writes": False}
"""Server settings that make a test's server quick; what they give up is only the survival of a power cut."""

SECRET = "Pw-" + secrets.token_urlsafe(18)
BOSS = "Pw-" + secrets.token_urlsafe(18)
OWN_DATABASES = "('postgres', 'template0', 'template1')"
LEFT = f"""
SELECT rolname::text FROM pg_roles WHERE rolname !~ '^pg_' AND rolname NOT IN ('postgres', 'boss')
UNION ALL SELECT datname::text FROM pg_database WHERE datname NOT IN {OWN_DATABASES}
"""


class Home(Protocol):
    """One kind of server: what a project's settings say of it, and what a test can see of it and do to it."""

    def settle(self, project: Project) -> None:
        """Write the project's settings, and make what has to be there before the first `up`."""
        ...

    def way(self, project: Project) -> dict[str, Any]:
        """Return host, port, user and password of a superuser."""
        ...

    def traces(self, project: Project) -> list[str]:
        """Name what the stack has made and not removed."""
        ...

    def told(self, project: Project) -> dict[str, bytes]:
        """Return everything that the server has written or shows: log, data, what the system says of it."""
        ...

    def admin_passwords(self, project: Project) -> set[str]:
        """Return the passwords that open the server to an administrator."""
        ...

    def kill(self, project: Project) -> None:
        """End the server as a crash would."""
        ...

    def freeze(self, project: Project) -> None:
        """Freeze the server."""
        ...

    def thaw(self, project: Project) -> None:
        """Resume the server."""
        ...

    def remove(self, project: Project) -> None:
        """Remove the server, whatever state it is in; what `destroy` does has tests of its own."""
        ...


class Embedded:
    """The stack's own server below `data_root`, shared by tests so that binaries are copied once."""

    def __init__(self, data_root: Path) -> None:
        self.data_root = data_root

    def settle(self, project: Project) -> None:
        server = {"kind": "embedded", "data_root": str(self.data_root), "settings": dict(FAST)}
        project.settings["server"] = server

    def way(self, project: Project) -> dict[str, Any]:
        return way_of(project)

    def base(self, project: Project) -> Path:
        """Return the folder of a project's server."""
        return self.data_root / f"{project.stack}-{project.mark}"

    def postmaster(self, project: Project) -> int:
        """Return the pid of a project's server."""
        return int((self.base(project) / "data" / "postmaster.pid").read_text().splitlines()[0])

    def traces(self, project: Project) -> list[str]:
        base = self.base(project)
        folder = [str(base)] if base.exists() else []
        return folder + [f"process {pid}" for pid in processes_in(base)]

    def told(self, project: Project) -> dict[str, bytes]:
        return files_below(self.base(project))

    def admin_passwords(self, project: Project) -> set[str]:
        return {admin_password(project.exported())}

    def kill(self, project: Project) -> None:
        os.kill(self.postmaster(project), signal.SIGKILL)

    def freeze(self, project: Project) -> None:
        os.kill(self.postmaster(project), signal.SIGSTOP)

    def thaw(self, project: Project) -> None:
        os.kill(self.postmaster(project), signal.SIGCONT)

    def remove(self, project: Project) -> None:
        base = self.base(project)
        marker = base / "server.json"
        if marker.exists():
            with suppress(ProcessLookupError, FileNotFoundError):
                self.thaw(project)
            cluster.destroy(base, owner=json.loads(marker.read_text())["owner"])


class External(Embedded):
    """A server that no stack has made, with an administrator who is a superuser (`postgres`) or none (`boss`)."""

    def __init__(self, data_root: Path, user: str, bin_dir: Path | None = None) -> None:
        super().__init__(data_root)
        self.user = user
        self.bin_dir = bin_dir

    def base(self, project: Project) -> Path:
        return self.data_root / f"external-{project.mark}"

    def specification(self, project: Project) -> cluster.ClusterSpec:
        """Return what the server is; nothing of it is the stack's."""
        return cluster.ClusterSpec(
            name=self.base(project).name,
            owner=f"tests {project.mark}",
            admin_password=SECRET,
            root=self.data_root,
            settings={name: "off" if value is False else str(value) for name, value in FAST.items()},
            bin_dir=self.bin_dir,
        )

    def settle(self, project: Project) -> None:
        self.live_at(project, cluster.create(self.specification(project)))
        with psycopg.connect(**self.way(project), dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE ROLE boss LOGIN CREATEDB CREATEROLE PASSWORD '{BOSS}'".encode())

    def live_at(self, project: Project, running: Running) -> None:
        """Name the server in the project's settings."""
        dsn = f"host={running.host} port={running.port} user={self.user} dbname=postgres"
        project.settings["server"] = {"kind": "external", "dsn": dsn, "password_variable": "ADMIN_PASSWORD"}
        project.env["ADMIN_PASSWORD"] = SECRET if self.user == "postgres" else BOSS

    def way(self, project: Project) -> dict[str, Any]:
        host, port = cluster.listens_at(self.base(project)) or ("", 0)
        return {"host": host, "port": port, "user": "postgres", "password": SECRET}

    def traces(self, project: Project) -> list[str]:
        with psycopg.connect(**self.way(project), dbname="postgres") as connection:
            return [row[0] for row in connection.execute(LEFT.encode())]

    def admin_passwords(self, project: Project) -> set[str]:  # noqa: ARG002 (of no project)
        return {SECRET, BOSS}


class Docker:
    """A container on the test run's own engine, at the address `host`."""

    def __init__(self, host: str) -> None:
        self.host = host

    def settle(self, project: Project) -> None:
        name = f"pp-{project.mark}"
        names = {"container": name, "volume": name, "network": name}
        project.settings["server"] = {"kind": "docker", "image": IMAGE, "settings": dict(FAST), **names}
        project.env["DOCKER_HOST"] = self.host

    def way(self, project: Project) -> dict[str, Any]:
        return way_of(project)

    def traces(self, project: Project) -> list[str]:
        name = str(project.settings["server"]["container"])
        kinds = {"container": ["ps", "-a"], "volume": ["volume", "ls"], "network": ["network", "ls"]}
        return [
            f"{kind} {identifier}"
            for kind, command in kinds.items()
            for identifier in docker(self.host, *command, "--quiet", "--filter", f"name={name}").split()
        ]

    def told(self, project: Project) -> dict[str, bytes]:
        name = str(project.settings["server"]["container"])
        shown = {word: docker(self.host, word, name).encode() for word in ("inspect", "top")}
        logs = subprocess.run(["docker", "--host", self.host, "logs", name], capture_output=True, check=True)
        volume = Path(docker(self.host, "volume", "inspect", "--format", "{{.Mountpoint}}", name).strip())
        return {**files_below(volume), **shown, "logs": logs.stdout + logs.stderr}

    def admin_passwords(self, project: Project) -> set[str]:
        # Not the initial one: the image keeps it in its process, and it opens nothing (test_docker.py).
        return {admin_password(project.exported())}

    def kill(self, project: Project) -> None:
        docker(self.host, "kill", str(project.settings["server"]["container"]))

    def freeze(self, project: Project) -> None:
        docker(self.host, "pause", str(project.settings["server"]["container"]))

    def thaw(self, project: Project) -> None:
        docker(self.host, "unpause", str(project.settings["server"]["container"]))

    def remove(self, project: Project) -> None:
        mine = ["--filter", f"name=pp-{project.mark}"]
        for container in docker(self.host, "ps", "--all", "--quiet", *mine).split():
            docker(self.host, "rm", "--force", "--volumes", container)
        for volume in docker(self.host, "volume", "ls", "--quiet", *mine).split():
            docker(self.host, "volume", "rm", volume)
        known = "".join(path.read_text() for path in project.state.rglob("*.json"))
        for certificate in re.findall(r'"(/[^"]+/platform-postgres-certificates/[^"]+)"', known):
            Path(certificate).unlink(missing_ok=True)
            with suppress(OSError):  # another stack has one, or it is gone
                Path(certificate).parent.rmdir()


def way_of(project: Project) -> dict[str, Any]:
    """Return the connection to a server that the stack has made, also when the stack has no outputs yet."""
    exported = project.exported()
    port = int(named(exported, "server")["outputs"]["listen_port"])
    return {"host": "127.0.0.1", "port": port, "user": "postgres", "password": admin_password(exported)}


def files_below(folder: Path) -> dict[str, bytes]:
    """Read every file in a folder and below it."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()}


def copy_of(folder: Path, to: Path) -> None:
    """Copy a server that stands still, owners and all."""
    shutil.rmtree(to, ignore_errors=True)
    subprocess.run(["cp", "-a", folder, to], check=True)
