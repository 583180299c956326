"""A database as the stack declares one, copied for each test."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from infra.postgres.connection import pool
from infra.postgres.connection.target import Target, connect
from infra.postgres.privileges import restrict
from tests.database.postgres.databases import MIGRATOR, OWNER, READER, TEMPLATE, World, make_world, target_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def template(server: str) -> Target:
    """Make the roles, and a database as the stack declares one, to be copied; give the superuser's way to it."""
    admin = target_of(server)
    with connect(admin, autocommit=True) as connection:
        for role, rights in ((OWNER, "NOLOGIN"), (READER, "NOLOGIN"), (MIGRATOR, f"LOGIN IN ROLE {OWNER}")):
            connection.execute(f"CREATE ROLE {role} {rights}".encode())
        connection.execute(f"GRANT pg_signal_backend TO {OWNER}".encode())  # for modules that end their own session
        connection.execute(f"CREATE DATABASE {TEMPLATE} OWNER {OWNER}".encode())
    restrict(admin.on(TEMPLATE), owner=OWNER, readers=[READER])
    with connect(admin.on(TEMPLATE), autocommit=True) as connection:
        connection.execute(f"GRANT CONNECT ON DATABASE {TEMPLATE} TO {OWNER}".encode())
    return admin


@pytest.fixture
def new_world(template: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], World]]:
    """Give a maker of databases that go with the test; all of a test's worlds share the directory of modules."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sql").mkdir()
    with copies(template) as make:
        yield lambda: make(tmp_path / "sql")


@pytest.fixture(scope="module")
def lasting_worlds(template: Target) -> Iterator[Callable[[Path], World]]:
    """Give a maker of databases that go with the module, for a directory of modules."""
    with copies(template) as make:
        yield make


@contextmanager
def copies(template: Target) -> Generator[Callable[[Path], World]]:
    """Give a maker of databases, which are dropped in the end."""
    names: list[str] = []

    def make(files: Path) -> World:
        names.append(f"world_{uuid4().hex[:12]}")
        with connect(template, autocommit=True) as connection:
            connection.execute(
                f"CREATE DATABASE {names[-1]} TEMPLATE {TEMPLATE} OWNER {OWNER} STRATEGY file_copy".encode()
            )
        return make_world(template, names[-1], files)

    try:
        yield make
    finally:
        with connect(template, autocommit=True) as connection:
            for name in names:
                pool.close_all(name)
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def world(new_world: Callable[[], World]) -> World:
    """Give a database of its own to a test, with an empty directory for modules; small waits, told what happens."""
    return new_world()
