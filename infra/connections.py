"""How applications reach a database: libpq's variables, a URI for each driver, and the lines of the `.env` file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import chain, count
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SCHEMES = {"DSN": "postgresql", "SQLALCHEMY_URL": "postgresql+psycopg", "ASYNC_URL": "postgresql+asyncpg"}
"""A URI's ending in the `.env` file to its scheme: psycopg, psql, asyncpg; SQLAlchemy; SQLAlchemy on asyncpg."""


@dataclass(frozen=True)
class Connection:
    """One role's way into one database."""

    database: str
    role: str  # migrator, app or readonly
    user: str
    password: str = field(repr=False)
    host: str
    port: int

    def uri(self, scheme: str) -> str:
        """Give a connection URI, every part percent-encoded where it must be (PostgreSQL manual, 32.1.1.2).

        SQLAlchemy decodes user and password, and takes the database as it stands up to a question mark.
        """
        user, password, database = (quote(part, safe="") for part in (self.user, self.password, self.database))
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{user}:{password}@{host}:{self.port}/{self.database if '+' in scheme else database}"

    def dsn(self) -> str:
        """Give the URI that psql and most drivers take."""
        return self.uri(SCHEMES["DSN"])

    def variables(self) -> dict[str, str]:
        """Give the environment variables that libpq reads (manual, 32.15)."""
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGDATABASE": self.database,
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
        }


def env_lines(connections: Sequence[Connection]) -> str:
    """Give the `.env` file's lines: what the old stack's file called the first database, then every way into each.

    `DATABASE_URL` is the application role's, never an administrator's; a database whose name ends in `_test` is also
    `TEST_DATABASE_URL`.
    """
    app = next(one for one in connections if one.role == "app")
    lines = {
        "POSTGRES_HOST": app.host,
        "POSTGRES_PORT": str(app.port),
        "POSTGRES_DB": app.database,
        "APP_DB_USER": app.user,
        "APP_DB_PASSWORD": app.password,
        "DATABASE_URL": app.uri(SCHEMES["ASYNC_URL"]),
    }
    for test in connections:
        if test.role == "app" and test.database.endswith("_test"):
            lines.setdefault("TEST_DATABASE_URL", test.uri(SCHEMES["ASYNC_URL"]))
    prefixes = _prefixes(one.database for one in connections)
    for one in connections:
        prefix = f"{prefixes[one.database]}_{one.role.upper()}"
        lines |= {f"{prefix}_{ending}": one.uri(scheme) for ending, scheme in SCHEMES.items()}
    return "".join(f"{name}={_value(text)}\n" for name, text in lines.items())


def _prefixes(databases: Iterable[str]) -> dict[str, str]:
    """Give each database how its variables begin: what a shell takes for a name, and no other database has."""
    prefixes: dict[str, str] = {}
    for database in dict.fromkeys(databases):
        plain = re.sub(r"[^A-Z0-9]+", "_", database.upper()).strip("_")
        plain = f"_{plain}" if plain[:1].isdigit() else plain
        numbered = (f"{plain}_{number}" for number in count(2))
        prefixes[database] = next(name for name in chain([plain], numbered) if name not in prefixes.values())
    return prefixes


def _value(text: str) -> str:
    """Quote a value where a shell or a dotenv reader would take it apart."""
    if re.fullmatch(r"[A-Za-z0-9_@%+=:,./-]*", text):
        return text
    return "'" + text.replace("'", "'\\''") + "'"
