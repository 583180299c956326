"""Scratch databases: what modules make is made there, on the same server, to be compared; none survives."""

from __future__ import annotations

import secrets
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from infra.modules.directive import runs_by_statement
from infra.postgres.apply.by_statement import on_scratch
from infra.postgres.connection import pool
from infra.postgres.connection.execute import execute, owner_transaction, set_role
from infra.postgres.connection.target import connect
from infra.postgres.introspection.effects import catalog_change_of

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from infra.catalog.changes import CatalogChange
    from infra.modules.module import Module
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target

_PREFIX = "platform_postgres_scratch_"
_MAINTENANCE = "postgres"

LEFTOVERS = """
SELECT d.datname FROM pg_database d
WHERE starts_with(d.datname, %s)
  AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid OR a.application_name = d.datname)
"""


@contextmanager
def scratch_database(admin: Target, *, owner: str, extensions: Sequence[str] = ()) -> Generator[Target]:
    """Make an empty database of `owner` with these extensions, give the admin's way into it, and drop it.

    As long as it is in use a session has its name for an application name: what no session speaks of was left by a run
    that was killed, and the next one sweeps it.
    """
    name = f"{_PREFIX}{int(time.time())}_{secrets.token_hex(4)}"
    holder = replace(admin.on(_MAINTENANCE), options={**admin.options, "application_name": name})
    with connect(holder, autocommit=True) as held:
        _sweep(held)
        held.execute(
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
            with connect(admin.on(_MAINTENANCE), autocommit=True) as connection:
                _drop(connection, name)


def installed_extensions(like: Target) -> list[str]:
    """Name the extensions of a database, in the order in which they were made."""
    with connect(like, autocommit=True) as connection:
        rows = connection.execute("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY oid").fetchall()
    return [row[0] for row in rows]


def _sweep(connection: Connection) -> None:
    """Drop the scratch databases of runs that were killed."""
    for (name,) in connection.execute(LEFTOVERS, (_PREFIX,)).fetchall():
        try:
            _drop(connection, name)
        except psycopg.Error:
            continue  # somebody else sweeps too


def _drop(connection: Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def effects_on_scratch(
    admin: Target, modules: Sequence[Module], *, owner: str, like: Target, seconds: float
) -> dict[str, CatalogChange]:
    """Run modules in order on a scratch database, and give what each of them did; raises ModuleError."""
    extensions = installed_extensions(like)
    with scratch_database(admin, owner=owner, extensions=extensions) as scratch, pool.connection(scratch) as connection:
        return {
            module.name: run_on_scratch(connection, scratch, module, owner=owner, seconds=seconds) for module in modules
        }


def run_on_scratch(
    connection: Connection, scratch: Target, module: Module, *, owner: str, seconds: float
) -> CatalogChange:
    """Run one module on a scratch database as a stack's run would, and give what it did; raises ModuleError."""

    def act() -> None:
        execute(connection, module)
        set_role(connection, owner, lock_timeout=seconds, statement_timeout=seconds)

    if runs_by_statement(module.text):
        return on_scratch(connection, module, owner, seconds)
    with owner_transaction(connection, owner, lock_timeout=seconds, statement_timeout=seconds):
        return catalog_change_of(connection, scratch, act)
