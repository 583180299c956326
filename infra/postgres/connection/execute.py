"""Sends a module's text to PostgreSQL, as the owner role and within limits of time; the only place that does."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import psycopg
from psycopg import generators, sql
from psycopg.pq import ExecStatus

from infra.postgres.connection.locate import module_error
from infra.postgres.connection.simple_query import simple_query

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from psycopg.abc import PQGen
    from psycopg.pq.abc import PGresult

    from infra.modules.module import Module
    from infra.postgres.connection.pool import Connection

_LOOK_SECONDS = 0.1
"""How often it is looked at the clock while a statement runs."""

GONE_CHECK = "1s"
"""How often a backend looks whether its client is still there while it works (manual, 20.3.2)."""


def set_role(connection: Connection, owner: str, *, lock_timeout: float, statement_timeout: float) -> None:
    """Take the owner's role and this program's settings (times in seconds), for the current transaction only."""
    simple_query(connection, _as_owner(owner, lock_timeout, statement_timeout))


@contextmanager
def owner_transaction(
    connection: Connection, owner: str, *, lock_timeout: float, statement_timeout: float
) -> Generator[None]:
    """Do something in one transaction, as the owner and within the limits (in seconds)."""
    simple_query(connection, f"BEGIN; {_as_owner(owner, lock_timeout, statement_timeout)}")
    try:
        yield
    except BaseException:
        with suppress(psycopg.Error):  # the connection may be what failed
            simple_query(connection, "ROLLBACK")
        raise
    simple_query(connection, "COMMIT")


@cache
def _as_owner(owner: str, lock_timeout: float, statement_timeout: float) -> str:
    return (
        f"RESET ALL; SET LOCAL ROLE {sql.Identifier(owner).as_string()}; SET LOCAL search_path = public;"
        f" SET LOCAL lock_timeout = {int(lock_timeout * 1000)};"
        f" SET LOCAL statement_timeout = {int(statement_timeout * 1000)};"
        f" SET LOCAL client_connection_check_interval = '{GONE_CHECK}'"
    )


@contextmanager
def session_role(connection: Connection, owner: str, lock_timeout: float, statement_timeout: float) -> Generator[None]:
    """Be the owner, within the limits (in seconds), for statements outside a transaction."""
    limits = sql.SQL("SET ROLE {}; SET search_path = public; SET lock_timeout = {}; SET statement_timeout = {}")
    connection.execute(limits.format(sql.Identifier(owner), int(lock_timeout * 1000), int(statement_timeout * 1000)))
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute("RESET ROLE; RESET ALL")


class OnSlow(NamedTuple):
    """What is done, once, when an answer takes longer than that."""

    seconds: float
    begin: Callable[[], None]


def execute(connection: Connection, module: Module, patience: OnSlow | None = None) -> None:
    """Send a module whole and without parameters, so that `%` and `:name` are its own; raises ModuleError."""
    send(connection, module, module.text, first=0, patience=patience)


def send(connection: Connection, module: Module, text: str, *, first: int, patience: OnSlow | None = None) -> None:
    """Send part of a module's text, whose first statement is the module's number `first` (from 0)."""
    connection.pgconn.send_query(text.encode())
    answer = generators.execute(connection.pgconn)
    if patience:
        results = connection.wait(_patiently(answer, patience), interval=min(_LOOK_SECONDS, patience.seconds / 2))
    else:
        results = connection.wait(answer)
    if results and results[-1].status == ExecStatus.FATAL_ERROR:
        raise module_error(module, results[-1], first + len(results) - 1, whole=text is module.text)


def _patiently(answer: PQGen[list[PGresult]], patience: OnSlow) -> PQGen[list[PGresult]]:
    """Wait for an answer as the driver does, and lose patience when it takes too long."""
    ends = time.monotonic() + patience.seconds
    begun = False
    try:
        wanted = next(answer)
        while True:
            ready = yield wanted
            if not begun and time.monotonic() > ends:
                begun = True
                patience.begin()
            wanted = answer.send(ready)
    except StopIteration as end:
        return end.value
