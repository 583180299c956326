"""Sends a module's text to PostgreSQL, as the owner role and within limits of time; the only place that does."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from psycopg import generators, sql
from psycopg.pq import ExecStatus

from infra.postgres.locate import module_error

if TYPE_CHECKING:
    from collections.abc import Generator

    from infra.modules.module import Module
    from infra.postgres.pool import Connection

GONE_CHECK = "1s"
"""How often a backend looks whether its client is still there while it works (manual, 20.3.2)."""


def become(connection: Connection, owner: str, *, lock_timeout: float, statement_timeout: float) -> None:
    """Take the owner's role and this program's settings (times in seconds), for the current transaction only."""
    connection.execute(
        sql.SQL(
            "RESET ALL; SET LOCAL ROLE {owner}; SET LOCAL search_path = public;"
            " SET LOCAL lock_timeout = {lock}; SET LOCAL statement_timeout = {statement};"
            " SET LOCAL client_connection_check_interval = {check}"
        ).format(
            owner=sql.Identifier(owner),
            lock=int(lock_timeout * 1000),
            statement=int(statement_timeout * 1000),
            check=GONE_CHECK,
        )
    )


@contextmanager
def owning(connection: Connection, owner: str, lock_timeout: float, statement_timeout: float) -> Generator[None]:
    """Be the owner, within the limits (in seconds), for statements outside a transaction."""
    limits = sql.SQL("SET ROLE {}; SET search_path = public; SET lock_timeout = {}; SET statement_timeout = {}")
    connection.execute(limits.format(sql.Identifier(owner), int(lock_timeout * 1000), int(statement_timeout * 1000)))
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute("RESET ROLE; RESET ALL")


def execute(connection: Connection, module: Module) -> None:
    """Send a module whole and without parameters, so that `%` and `:name` are its own; raises ModuleError."""
    send(connection, module, module.text, first=0)


def send(connection: Connection, module: Module, text: str, *, first: int) -> None:
    """Send part of a module's text, whose first statement is the module's number `first` (from 0)."""
    connection.pgconn.send_query(text.encode())
    results = connection.wait(generators.execute(connection.pgconn))
    if results and results[-1].status == ExecStatus.FATAL_ERROR:
        raise module_error(module, results[-1], first + len(results) - 1, whole=text is module.text)
