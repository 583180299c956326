"""Ways into databases that the user names: connection strings, with the password in the environment or in them."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING

import psycopg

from infra.errors import ServerError
from infra.postgres.connection.target import Target, connect
from infra.server.external import DSN_REMEDY, keywords

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.postgres.connection.pool import Connection

OWN = frozenset({"host", "port", "user", "password", "dbname"})
_MAINTENANCE = "postgres"
_PLACE = "connection string"


def parse_dsn(dsn: str, options: Mapping[str, str] | None = None) -> Target:
    """Give the target of a connection string, URI or keywords; what is left out comes from libpq's own variables.

    Raises ServerError, whose words quote nothing of a string that cannot be read.
    """
    given = keywords(dsn, place=_PLACE)
    further = {name: value for name, value in given.items() if name not in OWN}
    return Target(
        given.get("host") or os.environ.get("PGHOST", "127.0.0.1"),
        _port(given.get("port", "")),
        given.get("dbname") or os.environ.get("PGDATABASE", _MAINTENANCE),
        given.get("user") or os.environ.get("PGUSER") or getpass.getuser(),
        given.get("password") or os.environ.get("PGPASSWORD", ""),
        {**further, **({"port": given["port"]} if "," in given.get("port", "") else {}), **(options or {})},
    )


def _port(given: str) -> int:
    """Give the first port of a list, or libpq's own, without quoting what is none: it may be a misplaced password."""
    where = _PLACE if given else "PGPORT"
    try:
        return int((given or os.environ.get("PGPORT", "5432")).partition(",")[0])
    except ValueError:
        raise ServerError("the port is no number", place=where, remedy=DSN_REMEDY) from None


def connect_dsn(target: Target) -> Connection:
    """Connect, or say in a sentence without the password why that cannot be done (ServerError)."""
    try:
        return connect(target, autocommit=True)
    except psycopg.OperationalError as error:
        said = " ".join(str(error).split()).rpartition("FATAL: ")[2].strip()
        raise ServerError(
            f"cannot be entered: {said}", place=f"database {target.database}", remedy="mend the connection string"
        ) from None
