"""Targets: the databases that may be connected to, as values. The driver is imported only to write a conninfo."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from infra.postgres.connection.session_settings import CLIENT_ENCODING, SESSION_SETTINGS, startup_options

if TYPE_CHECKING:
    from collections.abc import Mapping


CONNECT_TIMEOUT_SECONDS = 10
ONE_OF_SEVERAL_SECONDS = 3  # for each of several hosts: the next one may be the right one
APPLICATION_NAME = "platform-postgres"
MAINTENANCE_DATABASE = "postgres"
"""The database that initdb creates for administrators and tools to connect to (PostgreSQL manual, 22.2)."""
ADMIN_USER = "postgres"
"""The bootstrap superuser's usual name (PostgreSQL manual, 21.1)."""
REQUIRE_SCRAM = {"require_auth": "scram-sha-256"}
"""For servers of a stack's own: they prove that they know the password, and whoever else listens is told none."""


@dataclass(frozen=True)
class Target:
    """One database on one server; `options` are further libpq keywords (PostgreSQL manual, 32.1.2).

    `host` and `port` in `options` may be libpq's lists of several hosts, and then take the place of the fields. What is
    empty is left to libpq. `settings` are parameters that its sessions have in place of this program's usual ones.
    `is_administrators` is False for the login of a role that this program made.
    """

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    options: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    is_administrators: bool = True

    def on(self, database: str) -> Target:
        """Return the target of another database on the same server, with the same user."""
        return replace(self, database=database)

    def login(self, user: str, password: str) -> Target:
        """Return the target of the same database for a role that this program made."""
        return replace(self, user=user, password=password, is_administrators=False)

    def __str__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}/{self.database}"


def has_several_hosts(target: Target) -> bool:
    """Return whether a target lists several servers, of which libpq connects to the first suitable one."""
    return "," in target.options.get("host", "")


def conninfo_of(target: Target) -> str:
    """Return the connection string that libpq is given for a target; it contains the password."""
    from psycopg import conninfo  # noqa: PLC0415 (most runs open no connection)

    seconds = ONE_OF_SEVERAL_SECONDS if has_several_hosts(target) else CONNECT_TIMEOUT_SECONDS
    own = startup_options({**SESSION_SETTINGS, **target.settings})
    keywords = {
        "host": target.host,
        "port": str(target.port or ""),
        "dbname": target.database,
        "user": target.user,
        "password": target.password,
        "application_name": APPLICATION_NAME,
        "connect_timeout": str(seconds),
        **target.options,
        "client_encoding": CLIENT_ENCODING,
        "options": f"{target.options.get('options', '')} {own}".strip(),  # of two settings the server takes the last
    }
    return conninfo.make_conninfo("", **{name: value for name, value in keywords.items() if value})
