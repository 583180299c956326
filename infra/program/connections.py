"""How applications reach a database: libpq's variables, a URI for each driver, and the lines of the `.env` file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import chain, count
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SCHEMES = {"DSN": "postgresql", "SQLALCHEMY_URL": "postgresql+psycopg", "ASYNC_URL": "postgresql+asyncpg"}
"""A URI's ending in the `.env` file to its scheme: psycopg, psql, asyncpg; SQLAlchemy; SQLAlchemy on asyncpg."""

LIBPQ_OPTIONS = {name: name for name in ("sslmode", "sslrootcert", "target_session_attrs")}
ASYNCPG_OPTIONS = {"sslmode": "ssl", "target_session_attrs": "target_session_attrs"}
"""The administrator's libpq options that applications need too, by their names in URIs; not his client certificate."""

VARIABLES = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "target_session_attrs": "PGTARGETSESSIONATTRS"}
"""The same for libpq's environment (PostgreSQL manual, 32.15)."""


@dataclass(frozen=True)
class ApplicationConnection:
    """One role's connection to one database."""

    database: str
    role: str  # migrator, app or readonly
    user: str
    password: str = field(repr=False)
    host: str
    port: int
    options: Mapping[str, str] = field(default_factory=dict[str, str])  # libpq's further keywords, host lists included

    def addresses(self) -> list[tuple[str, str]]:
        """Return host and port of every server that may be the primary."""
        hosts = self.options.get("host", self.host).split(",")
        ports = self.options.get("port", str(self.port)).split(",")
        return list(zip(hosts, ports * len(hosts) if len(ports) == 1 else ports, strict=True))

    def uri(self, scheme: str) -> str:
        """Return a connection URI, every part percent-encoded where it must be (PostgreSQL manual, 32.1.1.2).

        SQLAlchemy decodes user and password, and takes the database as it stands up to a question mark. A directory of
        Unix sockets is an option: in front of the database its slashes would be the database's.
        """
        user, password, database = (quote(part, safe="") for part in (self.user, self.password, self.database))
        places = [f"{f'[{host}]' if ':' in host else host}:{port}" for host, port in self.addresses()]
        names = ASYNCPG_OPTIONS if scheme.endswith("+asyncpg") else LIBPQ_OPTIONS
        query = [(name, self.options[option]) for option, name in names.items() if option in self.options]
        where = ",".join(places)
        if any(host.startswith("/") for host, _ in self.addresses()):
            lists = (",".join(part) for part in zip(*self.addresses(), strict=True))
            query, where = [*zip(("host", "port"), lists, strict=True), *query], ""
        elif "+" in scheme and len(places) > 1:  # SQLAlchemy takes several hosts as options
            query, where = [*(("host", place) for place in places), *query], ""
        ending = f"?{urlencode(query, safe='/:[],', quote_via=quote)}" if query else ""
        return f"{scheme}://{user}:{password}@{where}/{self.database if '+' in scheme else database}{ending}"

    def dsn(self) -> str:
        """Return the URI that psql and most drivers take."""
        return self.uri(SCHEMES["DSN"])

    def variables(self) -> dict[str, str]:
        """Return the environment variables that libpq reads (manual, 32.15)."""
        return {
            "PGHOST": ",".join(host for host, _ in self.addresses()),
            "PGPORT": ",".join(port for _, port in self.addresses()),
            "PGDATABASE": self.database,
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            **{name: self.options[option] for option, name in VARIABLES.items() if option in self.options},
        }


def env_lines(connections: Sequence[ApplicationConnection]) -> str:
    """Return the `.env` file's lines: the former stack's names for the first database, then all connections.

    `DATABASE_URL` is the application role's, never an administrator's; a database whose name ends in `_test` is also
    `TEST_DATABASE_URL`.
    """
    app = next(connection for connection in connections if connection.role == "app")
    lines = {
        "POSTGRES_HOST": app.host,
        "POSTGRES_PORT": str(app.port),
        "POSTGRES_DB": app.database,
        "APP_DB_USER": app.user,
        "APP_DB_PASSWORD": app.password,
        "DATABASE_URL": app.uri(SCHEMES["ASYNC_URL"]),
    }
    if "sslrootcert" in app.options:  # SQLAlchemy has no way to tell asyncpg in the URL
        lines["PGSSLROOTCERT"] = app.options["sslrootcert"]
    for test in connections:
        if test.role == "app" and test.database.endswith("_test"):
            lines.setdefault("TEST_DATABASE_URL", test.uri(SCHEMES["ASYNC_URL"]))
    prefixes = _prefixes(connection.database for connection in connections)
    for connection in connections:
        prefix = f"{prefixes[connection.database]}_{connection.role.upper()}"
        lines |= {f"{prefix}_{ending}": connection.uri(scheme) for ending, scheme in SCHEMES.items()}
    return "".join(f"{name}={_value(text)}\n" for name, text in lines.items())


def _prefixes(databases: Iterable[str]) -> dict[str, str]:
    """Return a prefix for each database's variables: a valid name in a shell, and unique."""
    prefixes: dict[str, str] = {}
    for database in dict.fromkeys(databases):
        plain = re.sub(r"[^A-Z0-9]+", "_", database.upper()).strip("_")
        plain = f"_{plain}" if plain[:1].isdigit() else plain
        numbered = (f"{plain}_{number}" for number in count(2))
        prefixes[database] = next(name for name in chain([plain], numbered) if name not in prefixes.values())
    return prefixes


def _value(text: str) -> str:
    """Return a value, quoted where a shell or a dotenv reader would split it."""
    if re.fullmatch(r"[A-Za-z0-9_@%+=:,./-]*", text):
        return text
    return "'" + text.replace("'", "'\\''") + "'"
