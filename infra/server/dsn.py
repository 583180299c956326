"""Connection strings of libpq that the user writes: parsed, formatted, and connected to.

The driver is imported in the functions that use it: most runs of `pulumi up` open no connection.
"""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

from infra.errors import ServerError
from infra.postgres.connection.connect import connect
from infra.postgres.connection.libpq_environment import libpq_variable
from infra.postgres.connection.target import MAINTENANCE_DATABASE, Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.postgres.connection.pool import Connection

DSN_REMEDY = "write postgresql://user@host:port/database, or host=… port=… user=…"
_TARGET_KEYWORDS = frozenset({"host", "port", "user", "password", "dbname"})
_PLACE = "connection string"


def parse_keywords(dsn: str, *, place: str = "server.dsn") -> dict[str, str]:
    """Return the keywords of a connection string, a URI or `keyword=value` pairs (PostgreSQL manual, 32.1.1).

    Raises ServerError at `place`, without libpq's message: that quotes what it cannot read, which may be the password.
    """
    from psycopg import ProgrammingError, conninfo  # noqa: PLC0415 (see the module's docstring)

    try:
        return {name: str(value) for name, value in conninfo.conninfo_to_dict(dsn).items() if value is not None}
    except ProgrammingError:
        raise ServerError("is no connection string that libpq can read", place=place, remedy=DSN_REMEDY) from None


def format_dsn(keywords: Mapping[str, str]) -> str:
    """Return a connection string of keywords, quoted as libpq requires."""
    from psycopg import conninfo  # noqa: PLC0415 (see the module's docstring)

    return conninfo.make_conninfo("", **keywords)


def parse_dsn(dsn: str, options: Mapping[str, str] | None = None) -> Target:
    """Return the target of a connection string; missing keywords come from libpq's variables (PGHOST, PGPORT, ...).

    `options` are further libpq keywords, which override those of the string. Raises ServerError, whose message quotes
    nothing of a string that cannot be read.
    """
    keywords = parse_keywords(dsn, place=_PLACE)
    further = {name: value for name, value in keywords.items() if name not in _TARGET_KEYWORDS}
    port = keywords.get("port", "")
    return Target(
        keywords.get("host") or libpq_variable("PGHOST", "127.0.0.1"),
        _first_port(port),
        keywords.get("dbname") or libpq_variable("PGDATABASE", MAINTENANCE_DATABASE),
        keywords.get("user") or libpq_variable("PGUSER") or getpass.getuser(),
        keywords.get("password") or libpq_variable("PGPASSWORD"),
        {**further, **({"port": port} if "," in port else {}), **(options or {})},
    )


def _first_port(port: str) -> int:
    """Return the first port of a list, PGPORT or 5432 for an empty one.

    Raises ServerError without the value when that is no number: it may be a misplaced password.
    """
    place = _PLACE if port else "PGPORT"
    try:
        return int((port or libpq_variable("PGPORT", "5432")).partition(",")[0])
    except ValueError:
        raise ServerError("the port is no number", place=place, remedy=DSN_REMEDY) from None


def connect_dsn(target: Target) -> Connection:
    """Return a connection to the target of a connection string; raise ServerError, without the password."""
    from psycopg import OperationalError  # noqa: PLC0415 (see the module's docstring)

    from infra.postgres.connection.failure import server_message  # noqa: PLC0415

    try:
        return connect(target, autocommit=True)
    except OperationalError as error:
        raise ServerError(
            f"cannot be connected to: {server_message(error)}",
            place=f"database {target.database}",
            remedy="correct the connection string",
        ) from None
