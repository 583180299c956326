"""Collection of the names that a server and its extensions have, for infra/lint/builtins.json.

`python tests/database/lint/server_builtins.py CONNINFO … > infra/lint/builtins.json`, where each server has all of
contrib; the names of several versions are merged.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from typing_extensions import LiteralString

QUERIES: dict[str, LiteralString] = {
    "functions": "SELECT DISTINCT proname FROM pg_proc WHERE {} ORDER BY 1",
    "types": "SELECT DISTINCT typname FROM pg_type WHERE typcategory <> 'A' AND {} ORDER BY 1",
    "relations": "SELECT DISTINCT relname FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'f') AND {} ORDER BY 1",
    "opclasses": "SELECT DISTINCT opcname FROM pg_opclass WHERE {} ORDER BY 1",
    "methods": "SELECT DISTINCT amname FROM pg_am WHERE {} ORDER BY 1",
}
CATALOGS = {
    "functions": "pg_proc",
    "types": "pg_type",
    "relations": "pg_class",
    "opclasses": "pg_opclass",
    "methods": "pg_am",
}
OF_EXTENSION = (
    "oid IN (SELECT objid FROM pg_depend WHERE deptype = 'e' AND classid = {catalog}::regclass"
    " AND refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = {name}))"
)
OF_SERVER = "oid < 16384"  # FirstNormalObjectId
NOT_OF_SERVER = {"relations"}  # the server's own are in pg_catalog and information_schema, recognized by these schemas


def server_names(connection: psycopg.Connection[Any]) -> dict[str, list[str]]:
    """Return the names that every database has, by kind, and the reserved words."""
    names = {kind: _names(connection, kind, sql.SQL(OF_SERVER)) for kind in QUERIES if kind not in NOT_OF_SERVER}
    words = connection.execute("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T') ORDER BY 1").fetchall()
    return {**names, "reserved": [word for (word,) in words]}


def extension_names(connection: psycopg.Connection[Any]) -> dict[str, dict[str, list[str]]]:
    """Return the names that each extension creates, by kind, of all extensions that can be created."""
    extensions = connection.execute(
        "SELECT name FROM pg_available_extensions WHERE name !~ '^pl|_pl(perl|python)' ORDER BY 1"  # no languages
    ).fetchall()
    return {extension: _names_of_extension(connection, extension) for (extension,) in extensions}


def _names_of_extension(connection: psycopg.Connection[Any], extension: str) -> dict[str, list[str]]:
    with connection.transaction(force_rollback=True):
        connection.execute(sql.SQL("CREATE EXTENSION {} CASCADE").format(sql.Identifier(extension)))
        names: dict[str, list[str]] = {}
        for kind in QUERIES:
            parameters = {"catalog": sql.Literal(CATALOGS[kind]), "name": sql.Literal(extension)}
            names[kind] = _names(connection, kind, sql.SQL(OF_EXTENSION).format(**parameters))
        return {kind: names_of_kind for kind, names_of_kind in names.items() if names_of_kind}


def _names(connection: psycopg.Connection[Any], kind: str, condition: sql.Composable) -> list[str]:
    rows = connection.execute(sql.SQL(QUERIES[kind]).format(condition)).fetchall()
    return [name for (name,) in rows if kind != "functions" or name.isidentifier()]


def merge(*dictionaries: dict[str, Any]) -> dict[str, Any]:
    """Return the union of the names of several servers."""
    merged: dict[str, Any] = {}
    for key in sorted({key for dictionary in dictionaries for key in dictionary}):
        values = [dictionary[key] for dictionary in dictionaries if key in dictionary]
        if isinstance(values[0], dict):
            merged[key] = merge(*values)
        else:
            merged[key] = sorted({name for names in values for name in names})
    return merged


def collect(conninfo: str) -> dict[str, Any]:
    """Return all names of one server."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        return {"server": server_names(connection), "extensions": extension_names(connection)}


if __name__ == "__main__":
    json.dump(merge(*map(collect, sys.argv[1:])), sys.stdout, separators=(",", ":"))
    print()
