"""A target is a database that may be connected to, and this is the one place where connections are opened.

The driver is imported when the first one is: most runs of `up` open none.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

CONNECT_TIMEOUT_SECONDS = 10
ONE_OF_SEVERAL_SECONDS = 3  # for each of several hosts: the next one may be the right one
APPLICATION_NAME = "platform-postgres"


@dataclass(frozen=True)
class Target:
    """One database on one server; `options` are further libpq keywords (PostgreSQL manual, 32.1.2)."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    options: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    def on(self, database: str) -> Target:
        """Give the same server and user, another database."""
        return replace(self, database=database)

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}/{self.database}"


def connect(target: Target, *, autocommit: bool = False) -> psycopg.Connection[tuple[Any, ...]]:
    """Open a connection; raises psycopg.OperationalError, whose text holds no password."""
    from psycopg import Connection, conninfo  # noqa: PLC0415 (see the module's docstring)

    several = "," in target.options.get("host", "")
    keywords = {
        "host": target.host,
        "port": str(target.port),
        "dbname": target.database,
        "user": target.user,
        "password": target.password,
        "application_name": APPLICATION_NAME,
        "connect_timeout": str(ONE_OF_SEVERAL_SECONDS if several else CONNECT_TIMEOUT_SECONDS),
        **target.options,
    }
    return Connection.connect(conninfo.make_conninfo("", **keywords), autocommit=autocommit)
