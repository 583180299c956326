"""Fixtures: databases as the stack declares them, a copy of a template for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.postgres.connection.connect import connect
from tests.database.postgres.databases import World, create_template, target_of, worlds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from infra.postgres.connection.target import Target


@pytest.fixture(scope="session")
def template(server: str) -> Target:
    """Create the roles and the template database, and return the superuser's target for the server."""
    admin = target_of(server)
    create_template(admin)
    return admin


@pytest.fixture
def new_world(template: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], World]]:
    """Yield a function that creates worlds for the test, which share the directory of modules."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sql").mkdir()
    with worlds(template) as make:
        yield lambda: make(tmp_path / "sql")


@pytest.fixture(scope="module")
def lasting_worlds(template: Target) -> Iterator[Callable[[Path], World]]:
    """Yield a function that creates worlds for all tests of a file, with the given directory of modules."""
    with worlds(template) as make:
        yield make


@pytest.fixture
def world(new_world: Callable[[], World]) -> World:
    """Return a world with an empty directory for modules and short time limits."""
    return new_world()


@pytest.fixture
def visitor(world: World) -> Iterator[str]:
    """Create a login role that may connect to the world's database and do nothing else, and return its name."""
    name, admin = "world_visitor", world.session.admin
    with connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN".encode())
        connection.execute(f"GRANT CONNECT ON DATABASE {world.session.target.database} TO {name}".encode())
    yield name
    with connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY {name}".encode())
        connection.execute(f"DROP ROLE {name}".encode())
