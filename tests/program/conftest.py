"""Projects for the program tests: one brought up for all tests that only look, and fresh ones."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.program.project import Project

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture(scope="session")
def data_root() -> Generator[Path]:
    """Give a folder that the servers' system user can reach, and see that nothing is left in it."""
    folder = Path(tempfile.mkdtemp(prefix="platform-postgres-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder / "root"
    shutil.rmtree(folder)


def _made(data_root: Path) -> Generator[Project]:
    folder = Path(tempfile.mkdtemp(prefix="platform-postgres-checkout-"))
    project = Project(folder, data_root)
    try:
        yield project
    finally:
        project.verb("destroy")
        shutil.rmtree(folder)


@pytest.fixture
def project(data_root: Path) -> Generator[Project]:
    """Give a project of its own to a test, with nothing brought up."""
    yield from _made(data_root)


@pytest.fixture(scope="session")
def standing(data_root: Path) -> Generator[Project]:
    """Give a project that is brought up once for all tests that leave it as it is."""
    for project in _made(data_root):
        project.up()
        yield project
