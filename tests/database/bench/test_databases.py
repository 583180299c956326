"""The benchmark's databases: both programs that it compares make the same schema in them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from bench.checkout import DatabaseAccess
from bench.databases import Databases
from infra.postgres.connection.connect import connect
from infra.postgres.extensions import create_extensions
from tests.database.postgres.databases import OWNER

pytest_plugins = ["tests.database.scratch_server"]

if TYPE_CHECKING:
    from tests.database.postgres.databases import World


def test_psql_and_the_runner_make_the_modules(world: World) -> None:
    """The extensions that a benchmark's database needs are those of the stack's database, in the same schema."""
    psql = shutil.which("psql")
    if psql is None:
        pytest.skip("psql is not installed: apt-get install postgresql-client")
    world.write(m01_a="CREATE TABLE kept (id uuid DEFAULT gen_random_uuid(), name citext);")
    session = world.session
    with connect(session.admin, autocommit=True) as connection:
        create_extensions(connection, ["pgcrypto", "citext"])
    databases = Databases(DatabaseAccess(session.admin, session.target, OWNER), world.files, psql)
    assert databases.by_psql().seconds > 0
    whole, statements = databases.by_runner()
    assert whole.seconds > statements.seconds > 0
