"""Directories for real servers, outside the checkout; the processes of a test end with it."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.errors import InfraError
from infra.server.embedded import cluster
from infra.server.embedded.cluster import ClusterSpec, Running
from infra.server.embedded.directory import create_root, read_marker, write_marker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

END_SECONDS = 10

# Reachable for every user, unlike pytest's tmp_path, and on a disk.
PLACE = Path("/var/tmp" if sys.platform == "linux" else tempfile.gettempdir())


def pids_below(directory: Path) -> list[int]:
    """Return the pids of the processes that work in or below a directory, which belongs to one test only."""
    pids: list[int] = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and entry.joinpath("cwd").readlink().is_relative_to(directory):
                pids.append(int(entry.name))
        except OSError:
            continue  # it has ended, or is another user's
    return pids


def kill_all_below(directory: Path) -> None:
    """Kill the processes below a directory, and wait until they have ended."""
    deadline = time.monotonic() + END_SECONDS
    while (remaining := pids_below(directory)) and time.monotonic() < deadline:
        for pid in remaining:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.02)


def remove_place(directory: Path) -> None:
    """Destroy the servers below a directory, which releases shared memory; then kill and remove what remains."""
    for marker in list(directory.rglob("server.json")):
        with suppress(InfraError, OSError):
            if content := read_marker(marker.parent):
                cluster.destroy(marker.parent, owner=content.owner)
    kill_all_below(directory)
    shutil.rmtree(directory)


def make_place() -> Path:
    directory = Path(tempfile.mkdtemp(prefix="platform-postgres-test-", dir=PLACE)).resolve()
    directory.chmod(0o755)
    return directory


def make_spec(root: Path) -> ClusterSpec:
    return ClusterSpec(
        name=f"test-{secrets.token_hex(4)}",
        owner="tests/server",
        admin_password=f"Pw-{secrets.token_urlsafe(18)}",
        root=root,
    )


@pytest.fixture
def place() -> Iterator[Path]:
    """Yield a directory that every user can enter; it is removed with all processes in it."""
    directory = make_place()
    try:
        yield directory
    finally:
        remove_place(directory)


@pytest.fixture
def spec(place: Path) -> ClusterSpec:
    """Return the specification of a server that does not exist yet."""
    return make_spec(place / "root")


@pytest.fixture
def new_spec(place: Path) -> Callable[[], ClusterSpec]:
    """Return a function that returns further specifications below the same root."""
    return lambda: make_spec(place / "root")


@pytest.fixture(scope="session")
def template() -> Iterator[ClusterSpec]:
    """Yield a server that was created and stopped, to be copied: three times as fast as initdb."""
    directory = make_place()
    try:
        spec = make_spec(directory / "root")
        cluster.create(spec)
        cluster.stop(spec.layout.base, owner=spec.owner)
        yield spec
    finally:
        remove_place(directory)


@pytest.fixture
def start_server(template: ClusterSpec) -> Callable[[ClusterSpec], Running]:
    """Return a faster replacement of cluster.create() for tests that only need a server that runs."""

    def start(spec: ClusterSpec) -> Running:
        create_root(spec.root)
        marker = read_marker(template.layout.base)
        assert marker
        for option, name in (("-a", template.name), ("-al", "dist")):
            if not (target := spec.root / (name if name == "dist" else spec.name)).exists():
                subprocess.run(["cp", option, template.root / name, target], check=True)
        write_marker(spec.layout.base, replace(marker, name=spec.name, owner=spec.owner, port=0))
        return cluster.set_password(spec, template.admin_password)

    return start


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[ClusterSpec, Running]]:
    """Yield one server for tests that only read."""
    directory = make_place()
    try:
        spec = make_spec(directory / "root")
        yield spec, cluster.create(spec)
    finally:
        remove_place(directory)


@pytest.fixture
def processes_below() -> Callable[[Path], list[int]]:
    """Return pids_below, which a test cannot import from here."""
    return pids_below
