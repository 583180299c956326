"""Directories for real servers, outside the checkout, and the promise that no process of a test outlives it."""

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
from infra.server.embedded.directory import make_root, read_marker, write_marker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

END_SECONDS = 10

# Reachable for every user, unlike pytest's tmp_path, and on a disk.
PLACE = Path("/var/tmp" if sys.platform == "linux" else tempfile.gettempdir())


def pids_below(directory: Path) -> list[int]:
    """Give the processes that work in or below a directory; a test's own directory names its own processes only."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdecimal() and entry.joinpath("cwd").readlink().is_relative_to(directory):
                found.append(int(entry.name))
        except OSError:
            continue  # ended meanwhile, or somebody else's
    return found


def kill_all_below(directory: Path) -> None:
    """Kill what works below a directory, and wait until it is gone."""
    deadline = time.monotonic() + END_SECONDS
    while (left := pids_below(directory)) and time.monotonic() < deadline:
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.02)


def remove_place(directory: Path) -> None:
    """Destroy what is below a directory as a user would, which frees shared memory; then make sure by force."""
    for marker in list(directory.rglob("server.json")):
        with suppress(InfraError, OSError):
            if found := read_marker(marker.parent):
                cluster.destroy(marker.parent, owner=found.owner)
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
    """Give a directory that every user can reach; it goes with all processes in it."""
    directory = make_place()
    try:
        yield directory
    finally:
        remove_place(directory)


@pytest.fixture
def spec(place: Path) -> ClusterSpec:
    """Give the specification of a server that does not exist yet."""
    return make_spec(place / "root")


@pytest.fixture
def new_spec(place: Path) -> Callable[[], ClusterSpec]:
    """Give a maker of further specifications below the same root."""
    return lambda: make_spec(place / "root")


@pytest.fixture(scope="session")
def template() -> Iterator[ClusterSpec]:
    """Give a server that was made, and stopped, to be copied: three times as fast as initdb."""
    directory = make_place()
    try:
        wanted = make_spec(directory / "root")
        cluster.create(wanted)
        cluster.stop(wanted.layout.base, owner=wanted.owner)
        yield wanted
    finally:
        remove_place(directory)


@pytest.fixture
def made(template: ClusterSpec) -> Callable[[ClusterSpec], Running]:
    """Give what stands for `cluster.create` where it matters only that there is a server, and that it runs."""

    def make(wanted: ClusterSpec) -> Running:
        make_root(wanted.root)
        marker = read_marker(template.layout.base)
        assert marker
        for option, name in (("-a", template.name), ("-al", "dist")):
            if not (target := wanted.root / (name if name == "dist" else wanted.name)).exists():
                subprocess.run(["cp", option, template.root / name, target], check=True)
        write_marker(wanted.layout.base, replace(marker, name=wanted.name, owner=wanted.owner, port=0))
        return cluster.set_password(wanted, template.admin_password)

    return make


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[ClusterSpec, Running]]:
    """Give one server for tests that only look at it."""
    directory = make_place()
    try:
        wanted = make_spec(directory / "root")
        yield wanted, cluster.create(wanted)
    finally:
        remove_place(directory)


@pytest.fixture
def processes_below() -> Callable[[Path], list[int]]:
    """Give pids_below, which a test cannot import from here."""
    return pids_below
