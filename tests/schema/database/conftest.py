"""Databases of the kinds that exist elsewhere, on a server that has this project's extensions."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from infra.postgres.connection.connect import connect
from infra.server.scratch.private_server import private_server
from tests.database.postgres.databases import MIGRATOR, OWNER, PERSISTENT, READER, World, create_template, worlds
from tests.schema.database.kinds import schema_of
from tests.schema.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.postgres.connection.target import Target
    from tests.schema.database.kinds import Make


@pytest.fixture(scope="module")
def admin() -> Iterator[Target]:
    """Yield the administrator of a server that has this project's extensions."""
    with private_server() as server:
        create_template(server.admin)
        with connect(server.admin) as connection:
            password = sql.Literal(server.admin.password)
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(MIGRATOR), password))
            connection.execute("CREATE ROLE old_admin; CREATE ROLE old_application")
        yield server.admin


@pytest.fixture
def make(admin: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Yield a function that makes a database of a kind, '' for an empty one, with the project's modules and revisions.

    The tables of a kind are another administrator's, with privileges for a role that the stack does not have.
    """
    monkeypatch.chdir(tmp_path)
    for folder in ("sql", "migrations"):
        shutil.copytree(ROOT / folder, folder)
    with worlds(admin) as new_world:

        def of_kind(kind: str) -> World:
            world = new_world(Path("sql")).set(
                lifecycle=PERSISTENT, migrations="migrations", adopt=True, statement_timeout=60
            )
            world.sql(f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT SELECT ON TABLES TO {READER}", owner=False)
            if kind:
                world.sql("GRANT ALL ON SCHEMA public TO old_admin", owner=False)
                before, _, tables = schema_of(kind).partition("CREATE TABLE")
                world.sql(f"{before} SET ROLE old_admin; CREATE TABLE{tables}", owner=False)
                world.sql("GRANT ALL ON ALL TABLES IN SCHEMA public TO old_application, PUBLIC", owner=False)
            return world

        yield of_kind
