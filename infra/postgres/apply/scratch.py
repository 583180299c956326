"""Scratch databases on the same server: created empty, used once and dropped, also after a killed run."""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect
from infra.postgres.connection.target import MAINTENANCE_DATABASE

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target

_PREFIX = "platform_postgres_scratch_"

ABANDONED_DATABASES = """
SELECT d.datname FROM pg_database d
WHERE starts_with(d.datname, %s)
  AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid OR a.application_name = d.datname)
"""


@contextmanager
def scratch_database(admin: Target, *, owner: str, extensions: Sequence[str] = ()) -> Generator[Target]:
    """Create an empty database of `owner` with extensions, yield the admin's target for it, and drop it.

    While it exists a session holds its name as application_name. A scratch database that no session uses or is named
    after was left by a killed run; the next call drops it.
    """
    name = f"{_PREFIX}{int(time.time())}_{secrets.token_hex(4)}"
    holder = replace(admin.on(MAINTENANCE_DATABASE), options={**admin.options, "application_name": name})
    with connect(holder, autocommit=True) as holding:
        _drop_abandoned(holding)
        holding.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(
                sql.Identifier(name), sql.Identifier(owner)
            )
        )
        try:
            with connect(admin.on(name), autocommit=True) as connection:
                for extension in extensions:
                    connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))
                connection.execute(sql.SQL("GRANT CREATE, USAGE ON SCHEMA public TO {}").format(sql.Identifier(owner)))
            yield admin.on(name)
        finally:
            pool.close_all(name)
            with connect(admin.on(MAINTENANCE_DATABASE), autocommit=True) as connection:
                _drop(connection, name)


def installed_extensions(target: Target) -> list[str]:
    """Return the names of a database's extensions, in the order in which they were created."""
    with connect(target, autocommit=True) as connection:
        rows = connection.execute("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY oid").fetchall()
    return [row[0] for row in rows]


def _drop_abandoned(connection: Connection) -> None:
    """Drop the scratch databases of runs that were killed."""
    for (name,) in connection.execute(ABANDONED_DATABASES, (_PREFIX,)).fetchall():
        try:
            _drop(connection, name)
        except psycopg.Error:
            continue  # another run drops it at the same time


def _drop(connection: Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
