"""The builtin names of lint are those of a server."""

from __future__ import annotations

import psycopg

from infra.lint.builtins import read_builtins
from tests.database.lint.server_builtins import extension_names, server_names

pytest_plugins = ["tests.database.scratch_server"]


def test_every_name_of_the_server_is_builtin(server: str) -> None:
    """Functions, types, operator classes and access methods of the server and of its extensions are all in lint."""
    builtins = read_builtins()
    with psycopg.connect(server, autocommit=True) as connection:
        names, names_by_extension = server_names(connection), extension_names(connection)
    kinds = {"functions": "function", "types": "type", "opclasses": "opclass", "methods": "method"}
    for plural, kind in kinds.items():
        assert [name for name in names[plural] if not builtins.is_builtin(kind, "", name)] == []
    assert set(names["reserved"]) <= builtins.reserved
    for extension, names_by_plural in names_by_extension.items():
        for plural, kind in kinds.items():
            created = names_by_plural.get(plural, [])
            assert [name for name in created if extension not in builtins.extensions_with(kind, name)] == []
