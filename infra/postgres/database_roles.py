"""A database of a stack with its roles, by name; the driver is not imported, since most runs open no connection."""

from __future__ import annotations

from collections.abc import Sequence  # noqa: TC003 - a field's type
from dataclasses import dataclass

CREATE_DATABASE = "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'"
"""Creates an empty database as the postgresql plugin does: with the server's own locale."""


@dataclass(frozen=True)
class DatabaseRoles:
    """The names of a database and its roles, which a server's databases share (PostgreSQL manual, 22 and 23)."""

    name: str
    owner: str
    migrator: str
    app: str
    readonly: str
    further: Sequence[str] = ()

    @property
    def logins(self) -> tuple[str, ...]:
        """The roles that log in."""
        return (self.migrator, self.app, self.readonly, *self.further)

    @property
    def objects(self) -> list[str]:
        """The labels of the roles and the database, in the order of their creation."""
        return [*map(role_label, (self.owner, *self.logins)), database_label(self.name)]


def role_label(name: str) -> str:
    """Return how messages and the state name a role."""
    return f"role {name}"


def database_label(name: str) -> str:
    """Return how messages and the state name a database."""
    return f"database {name}"
