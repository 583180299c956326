"""Extensions on a real server: created where they are missing, and found with their schema and version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.postgres.connection.connect import connect
from infra.postgres.extensions import ensure_extensions, installed_extensions

if TYPE_CHECKING:
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]


def test_extensions_are_created_once_and_found(world: World) -> None:
    """They go to schema public; one that is dropped is not found, and in a database that is not there none is."""
    target = world.session.admin
    created = ensure_extensions(target, ["pgcrypto", "pg_trgm"])
    assert {name: schema for name, (schema, _) in created.items()} == {"pgcrypto": "public", "pg_trgm": "public"}
    assert ensure_extensions(target, ["pgcrypto", "pg_trgm"]) == created
    with connect(target, autocommit=True) as connection:
        connection.execute("DROP EXTENSION pg_trgm")
    assert installed_extensions(target, ["pgcrypto", "pg_trgm"]) == {"pgcrypto": created["pgcrypto"]}
    assert installed_extensions(target.on("nowhere"), ["pgcrypto"]) is None
