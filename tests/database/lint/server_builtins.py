"""Collects what a server and its extensions offer: the names that lint knows without asking a server.

`python tests/database/lint/server_builtins.py CONNINFO … > infra/lint/builtins.json`, where one server has all of
contrib; what several versions offer is put together.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from typing_extensions import LiteralString

KINDS: dict[str, LiteralString] = {
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
OF_AN_EXTENSION = (
    "oid IN (SELECT objid FROM pg_depend WHERE deptype = 'e' AND classid = {catalog}::regclass"
    " AND refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = {name}))"
)
OF_THE_SERVER = "oid < 16384"  # FirstNormalObjectId
LEFT_OUT = {"relations"}  # the server's own are in pg_catalog and information_schema, known by their names


def of_the_server(connection: psycopg.Connection[Any]) -> dict[str, list[str]]:
    """Give the names that every database has."""
    found = {kind: _names(connection, kind, sql.SQL(OF_THE_SERVER)) for kind in KINDS if kind not in LEFT_OUT}
    words = connection.execute("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T') ORDER BY 1").fetchall()
    return {**found, "reserved": [word for (word,) in words]}


def of_extensions(connection: psycopg.Connection[Any]) -> dict[str, dict[str, list[str]]]:
    """Give the names that each extension brings, of all those that can be created."""
    names = connection.execute(
        "SELECT name FROM pg_available_extensions WHERE name !~ '^pl|_pl(perl|python)' ORDER BY 1"  # no languages
    ).fetchall()
    return {name: _of_extension(connection, name) for (name,) in names}


def _of_extension(connection: psycopg.Connection[Any], name: str) -> dict[str, list[str]]:
    with connection.transaction(force_rollback=True):
        connection.execute(sql.SQL("CREATE EXTENSION {} CASCADE").format(sql.Identifier(name)))
        found: dict[str, list[str]] = {}
        for kind in KINDS:
            parts = {"catalog": sql.Literal(CATALOGS[kind]), "name": sql.Literal(name)}
            found[kind] = _names(connection, kind, sql.SQL(OF_AN_EXTENSION).format(**parts))
        return {kind: names for kind, names in found.items() if names}


def _names(connection: psycopg.Connection[Any], kind: str, condition: sql.Composable) -> list[str]:
    rows = connection.execute(sql.SQL(KINDS[kind]).format(condition)).fetchall()
    return [name for (name,) in rows if kind != "functions" or name.isidentifier()]


def together(*given: dict[str, Any]) -> dict[str, Any]:
    """Put what several servers offer into one."""
    found: dict[str, Any] = {}
    for name in sorted({name for one in given for name in one}):
        parts = [one[name] for one in given if name in one]
        found[name] = (
            together(*parts) if isinstance(parts[0], dict) else sorted({each for part in parts for each in part})
        )
    return found


def offered(conninfo: str) -> dict[str, Any]:
    """Give all that one server offers."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        return {"server": of_the_server(connection), "extensions": of_extensions(connection)}


if __name__ == "__main__":
    json.dump(together(*map(offered, sys.argv[1:])), sys.stdout, separators=(",", ":"))
    print()
