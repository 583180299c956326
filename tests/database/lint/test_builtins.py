"""The names that lint takes for PostgreSQL's own are those that a server has."""

from __future__ import annotations

import psycopg

from infra.lint.builtins import known
from tests.database.lint.server_builtins import of_extensions, of_the_server

pytest_plugins = ["tests.database.scratch_server"]


def test_every_name_of_this_server_is_known(server: str) -> None:
    """Functions, types, operator classes and access methods of the server and of its extensions are all known."""
    with psycopg.connect(server, autocommit=True) as connection:
        own, extensions = of_the_server(connection), of_extensions(connection)
    kinds = {"functions": "function", "types": "type", "opclasses": "opclass", "methods": "method"}
    for plural, kind in kinds.items():
        assert [name for name in own[plural] if not known().is_server_s(kind, "", name)] == []
    assert set(own["reserved"]) <= known().reserved
    for extension, brings in extensions.items():
        for plural, kind in kinds.items():
            assert [name for name in brings.get(plural, []) if extension not in known().bringing(kind, name)] == []
