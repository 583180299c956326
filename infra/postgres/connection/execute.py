"""Execution of a module's text, as the owner role and within time limits; no other file sends module text."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import psycopg
from psycopg import generators, sql
from psycopg.pq import ExecStatus

from infra.postgres.connection.locate import module_error
from infra.postgres.connection.session_start import reset_settings
from infra.postgres.connection.simple_query import simple_query

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from psycopg.abc import PQGen
    from psycopg.pq.abc import PGresult

    from infra.modules.module import Module
    from infra.postgres.connection.pool import Connection

_WAKE_SECONDS = 0.1
"""The longest interval at which the elapsed time is checked while a statement runs."""

CLIENT_CHECK_INTERVAL = "1s"
"""How often a backend checks that its client is still connected while it runs a query (manual, 20.3.2)."""


def set_role(connection: Connection, owner: str, *, lock_timeout: float, statement_timeout: float) -> None:
    """Set the owner's role and this program's settings (times in seconds) for the current transaction only."""
    simple_query(connection, owner_settings(connection, owner, lock_timeout, statement_timeout))


@contextmanager
def owner_transaction(
    connection: Connection, owner: str, *, lock_timeout: float, statement_timeout: float
) -> Generator[None]:
    """Run the block in one transaction, as the owner and within the limits (in seconds)."""
    simple_query(connection, f"BEGIN; {owner_settings(connection, owner, lock_timeout, statement_timeout)}")
    try:
        yield
    except BaseException:
        with suppress(psycopg.Error):  # the connection may be what failed
            simple_query(connection, "ROLLBACK")
        raise
    simple_query(connection, "COMMIT")


def owner_settings(connection: Connection, owner: str, lock_timeout: float, statement_timeout: float) -> str:
    """Return the commands of `set_role`."""
    return reset_settings(connection) + _settings_in_transaction(owner, lock_timeout, statement_timeout)


@cache
def _settings_in_transaction(owner: str, lock_timeout: float, statement_timeout: float) -> str:
    return (
        f"SET LOCAL ROLE {sql.Identifier(owner).as_string()}; SET LOCAL search_path = public;"
        f" SET LOCAL lock_timeout = {int(lock_timeout * 1000)};"
        f" SET LOCAL statement_timeout = {int(statement_timeout * 1000)};"
        f" SET LOCAL client_connection_check_interval = '{CLIENT_CHECK_INTERVAL}'"
    )


@contextmanager
def session_role(connection: Connection, owner: str, lock_timeout: float, statement_timeout: float) -> Generator[None]:
    """Set the owner's role and the limits (in seconds) for statements outside a transaction; reset them afterwards."""
    limits = sql.SQL("SET ROLE {}; SET search_path = public; SET lock_timeout = {}; SET statement_timeout = {}")
    connection.execute(limits.format(sql.Identifier(owner), int(lock_timeout * 1000), int(statement_timeout * 1000)))
    try:
        yield
    finally:
        if not connection.broken:
            simple_query(connection, f"RESET ROLE; {reset_settings(connection)}")


class OnSlow(NamedTuple):
    """An action that is taken once, when a statement has run for so many seconds."""

    seconds: float
    act: Callable[[], None]


def execute(connection: Connection, module: Module, on_slow: OnSlow | None = None) -> None:
    """Send a module whole and without parameters, so that `%` and `:name` keep their meaning; raises ModuleError."""
    send(connection, module, module.text, first=0, on_slow=on_slow)


def send(
    connection: Connection, module: Module, text: str, *, first: int, on_slow: OnSlow | None = None
) -> list[PGresult]:
    """Send part of a module's text, whose first statement has the number `first` (from 0), and return the results.

    Raises ModuleError.
    """
    connection.pgconn.send_query(text.encode())
    answer = generators.execute(connection.pgconn)
    if on_slow:
        results = connection.wait(_with_action(answer, on_slow), interval=min(_WAKE_SECONDS, on_slow.seconds / 2))
    else:
        results = connection.wait(answer)
    if results and results[-1].status == ExecStatus.FATAL_ERROR:
        raise module_error(module, results[-1], first + len(results) - 1, whole=text is module.text)
    return results


def _with_action(answer: PQGen[list[PGresult]], on_slow: OnSlow) -> PQGen[list[PGresult]]:
    """Wait for an answer as psycopg's own generator does, and take the action when its time has come."""
    deadline = time.monotonic() + on_slow.seconds
    taken = False
    try:
        readiness = next(answer)
        while True:
            ready = yield readiness
            if not taken and time.monotonic() > deadline:
                taken = True
                on_slow.act()
            readiness = answer.send(ready)
    except StopIteration as end:
        return end.value
