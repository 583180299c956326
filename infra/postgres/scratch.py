"""Scratch databases: what modules make is made there, on the same server, to be compared; none survives."""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from infra.modules.directive import runs_by_statement
from infra.postgres import pool
from infra.postgres.by_statement import on_scratch
from infra.postgres.execute import become, execute
from infra.postgres.ownership import effect_of
from infra.postgres.target import connect

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from infra.catalog.owned import Effect
    from infra.modules.module import Module
    from infra.postgres.pool import Connection
    from infra.postgres.target import Target

PREFIX = "platform_postgres_scratch_"
OLD_SECONDS = 3600
MAINTENANCE = "postgres"

LEFTOVERS = """
SELECT d.datname FROM pg_database d
WHERE starts_with(d.datname, %s) AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)
  AND split_part(d.datname, '_', 4)::bigint < %s
"""


@contextmanager
def scratch_database(admin: Target, *, owner: str, like: Target) -> Generator[Target]:
    """Make an empty database of `owner` with the extensions of `like`, give the admin's way into it, and drop it.

    Its name holds the time, in seconds since 1970, so that the next run can sweep what a killed one left.
    """
    name = f"{PREFIX}{int(time.time())}_{secrets.token_hex(4)}"
    with connect(admin.on(MAINTENANCE), autocommit=True) as connection:
        _sweep(connection)
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(
                sql.Identifier(name), sql.Identifier(owner)
            )
        )
    try:
        with connect(admin.on(name), autocommit=True) as connection:
            for extension in _extensions(like):
                connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))
            connection.execute(sql.SQL("GRANT CREATE, USAGE ON SCHEMA public TO {}").format(sql.Identifier(owner)))
        yield admin.on(name)
    finally:
        pool.close_all(name)
        with connect(admin.on(MAINTENANCE), autocommit=True) as connection:
            _drop(connection, name)


def _extensions(like: Target) -> list[str]:
    with connect(like, autocommit=True) as connection:
        rows = connection.execute("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY oid").fetchall()
    return [row[0] for row in rows]


def _sweep(connection: Connection) -> None:
    """Drop the scratch databases of runs that were killed."""
    for (name,) in connection.execute(LEFTOVERS, (PREFIX, int(time.time()) - OLD_SECONDS)).fetchall():
        try:
            _drop(connection, name)
        except psycopg.Error:
            continue  # somebody else sweeps too


def _drop(connection: Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def effects_on_scratch(
    admin: Target, modules: Sequence[Module], *, owner: str, like: Target, seconds: float
) -> dict[str, Effect]:
    """Run modules in order on a scratch database, and give what each of them did; raises ModuleError."""
    effects: dict[str, Effect] = {}
    with scratch_database(admin, owner=owner, like=like) as scratch, pool.connection(scratch) as connection:
        for module in modules:
            if runs_by_statement(module.text):
                effects[module.name] = on_scratch(connection, module, owner, seconds)
                continue
            with connection.transaction():
                become(connection, owner, lock_timeout=seconds, statement_timeout=seconds)

                def act(module: Module = module) -> None:
                    execute(connection, module)
                    become(connection, owner, lock_timeout=seconds, statement_timeout=seconds)

                effects[module.name] = effect_of(connection, scratch, act)
    return effects
