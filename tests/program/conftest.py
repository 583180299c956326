"""Projects for the program tests: with nothing brought up, or copied from one that was brought up once."""

from __future__ import annotations

import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.program.docker_engine import missing, shared_engine
from tests.program.homes import Docker, Embedded, External
from tests.program.kinds import DOCKER, EMBEDDED, SUPERUSER, kinds_of
from tests.program.project import Project
from tests.program.run_folder import new_checkout, run_folder
from tests.program.template import Template

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from tests.program.homes import Home

DATABASES = ("app_db", "app_test")
WITHOUT_DOCKER = missing()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test of a module that is marked `every_kind` on the kinds of server that kinds.py gives it."""
    if "kind" in metafunc.fixturenames and metafunc.definition.get_closest_marker("every_kind"):
        skip = pytest.mark.skipif(bool(WITHOUT_DOCKER), reason=WITHOUT_DOCKER)
        kinds = kinds_of(metafunc.function.__name__)
        marked = [pytest.param(kind, marks=skip if kind == DOCKER else ()) for kind in kinds]
        metafunc.parametrize("kind", marked, indirect=True)


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    """Return the kind of server that a test runs on."""
    return str(getattr(request, "param", EMBEDDED))


@pytest.fixture(scope="session")
def data_root() -> Generator[Path]:
    """Yield a folder that the servers' system user can reach, and see that nothing is left in it."""
    yield run_folder() / "root"
    shutil.rmtree(run_folder())


@dataclass(frozen=True)
class Kept:
    """What is made once for all tests of this process, by the kind of server, and removed in reverse order."""

    stack: ExitStack
    templates: dict[str, Template] = field(default_factory=dict[str, Template])
    projects: dict[str, Project] = field(default_factory=dict[str, Project])
    engines: list[str] = field(default_factory=list[str])


@pytest.fixture(scope="session")
def kept(data_root: Path) -> Generator[Kept]:  # noqa: ARG001 (which is removed after it)
    """Yield room for what is kept."""
    with ExitStack() as stack:
        yield Kept(stack)


@pytest.fixture
def engine(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of the run's Docker engine."""
    if not kept.engines:
        base = tmp_path_factory.getbasetemp()
        shared = (base.parent if base.name.startswith("popen-") else base) / "docker"
        kept.engines.append(kept.stack.enter_context(shared_engine(shared)))
    return kept.engines[0]


@pytest.fixture
def home(kind: str, data_root: Path, request: pytest.FixtureRequest) -> Home:
    """Return what the test's kind of server is like."""
    if kind == EMBEDDED:
        return Embedded(data_root)
    if kind == DOCKER:
        return Docker(request.getfixturevalue("engine"))
    return External(data_root, "postgres" if kind == SUPERUSER else "boss")


@contextmanager
def removed(project: Project) -> Generator[Project]:
    """Remove a project in the end; what `destroy` does has tests of its own."""
    try:
        yield project
    finally:
        project.remove()


@contextmanager
def brought_up(home: Home, template: Callable[[], Template]) -> Generator[Project]:
    """Yield a complete and running project: a copy, but in a container, which cannot be copied, one of its own."""
    project = Project(new_checkout(), home)
    with removed(project):
        if isinstance(home, Embedded):
            yield template().copy(project.folder)
        else:
            project.make()
            project.up()
            yield project


@pytest.fixture
def bare(home: Home) -> Generator[Project]:
    """Yield a project of its own to a test, with nothing brought up."""
    with removed(Project(new_checkout(), home)) as project:
        project.make()
        yield project


@pytest.fixture
def beside(home: Home) -> Generator[Project]:
    """Yield a second project like `bare`."""
    with removed(Project(new_checkout(), home)) as project:
        project.make()
        yield project


@pytest.fixture
def template(kind: str, home: Home, kept: Kept) -> Callable[[], Template]:
    """Return what makes, once, a project with one database that was brought up."""

    def made() -> Template:
        assert isinstance(home, Embedded)
        if kind not in kept.templates:
            project = kept.stack.enter_context(removed(Project(new_checkout(), home)))
            kept.templates[kind] = Template(project, home, DATABASES[:1])
        return kept.templates[kind]

    return made


@pytest.fixture
def project(home: Home, template: Callable[[], Template]) -> Generator[Project]:
    """Yield a project of its own to a test, complete and running."""
    with brought_up(home, template) as project:
        yield project


@pytest.fixture
def other(home: Home, template: Callable[[], Template]) -> Generator[Project]:
    """Yield a second project like `project`."""
    with brought_up(home, template) as project:
        yield project


@pytest.fixture
def standing(kind: str, home: Home, template: Callable[[], Template], kept: Kept) -> Project:
    """Return a project with a second database added, once for all tests of this process that leave it as it is."""
    if kind not in kept.projects:
        project = kept.stack.enter_context(brought_up(home, template))
        project.configure(databases=list(DATABASES))
        project.up()
        kept.projects[kind] = project
    return kept.projects[kind]
