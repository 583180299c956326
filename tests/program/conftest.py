"""Projects for the program tests: with nothing brought up, or copied from one that was brought up once."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.program.project import Project
from tests.program.template import Template

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture(scope="session")
def data_root() -> Generator[Path]:
    """Give a folder that the servers' system user can reach, and see that nothing is left in it."""
    folder = Path(tempfile.mkdtemp(prefix="platform-postgres-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder / "root"
    shutil.rmtree(folder)


def folder() -> Path:
    """Make a folder for a checkout."""
    return Path(tempfile.mkdtemp(prefix="platform-postgres-checkout-"))


@contextmanager
def removed(project: Project) -> Generator[Project]:
    """Remove a project in the end; what `destroy` does has tests of its own."""
    try:
        yield project
    finally:
        project.remove()


@pytest.fixture
def bare(data_root: Path) -> Generator[Project]:
    """Give a project of its own to a test, with nothing brought up."""
    with removed(Project(folder(), data_root)) as project:
        project.make()
        yield project


@pytest.fixture(scope="session")
def template(data_root: Path) -> Generator[Template]:
    """Give a project with one database that was brought up, once for all tests of this process."""
    with removed(Project(folder(), data_root)) as project:
        yield Template(project, ["app_db"])


@pytest.fixture
def project(template: Template) -> Generator[Project]:
    """Give a project of its own to a test, complete and running."""
    place = folder()
    with removed(Project(place, template.project.data_root)):
        yield template.copy(place)


@pytest.fixture
def other(template: Template) -> Generator[Project]:
    """Give a second project like `project`."""
    place = folder()
    with removed(Project(place, template.project.data_root)):
        yield template.copy(place)


@pytest.fixture(scope="session")
def standing(template: Template) -> Generator[Project]:
    """Give a project with a second database added, once for all tests of this process that leave it as it is."""
    place = folder()
    with removed(Project(place, template.project.data_root)):
        project = template.copy(place)
        project.configure(databases=["app_db", "app_test"])
        project.up()
        yield project
