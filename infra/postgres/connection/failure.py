"""Reasons why a connection failed, by SQLSTATE and never by the text of a message, which a server may translate.

libpq reads the SQLSTATE of a refused connection, but hands out only the text. Its protocol trace has the SQLSTATE: a
refused connection is attempted once more with the trace on, and the field C of the server's ErrorResponse is read from
it (PostgreSQL manual, 32.11 PQtrace and 53.8). psycopg supports the trace on Linux, and libpq traces the startup of a
connection from version 18 on; elsewhere PQping and the catalog give most of the answer.
"""

from __future__ import annotations

import os
import re
import sys
import time
from enum import Enum
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from infra.postgres.connection.target import (
    CONNECT_TIMEOUT_SECONDS,
    MAINTENANCE_DATABASE,
    ONE_OF_SEVERAL_SECONDS,
    Target,
    conninfo_of,
)

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn

_TRACING_LIBPQ = 180_000
TRACES_STARTUP = sys.platform == "linux" and pq.version() >= _TRACING_LIBPQ
"""Whether the trace of psycopg's libpq shows the messages of a connection's startup."""

_ERROR_STATE = re.compile(rb'^B\t\d+\tErrorResponse\t.*? C "([0-9A-Z]{5})"', re.MULTILINE)
_TLS_ANSWER = b"B\t1\tSSLResponse\t"  # S or N: whether the server can encrypt the connection
_EVENTS = {pq.PollingStatus.READING: EVENT_READ, pq.PollingStatus.WRITING: EVENT_WRITE}

INVALID_PASSWORD, INVALID_CATALOG_NAME, INSUFFICIENT_PRIVILEGE = "28P01", "3D000", "42501"
TOO_MANY_CONNECTIONS, CANNOT_CONNECT_NOW, CLOSED = "53300", "57P03", "55000"

MAY_CONNECT = """
SELECT pg_catalog.has_database_privilege(current_user, d.oid, 'CONNECT'), d.datallowconn AND d.datconnlimit <> -2
FROM pg_catalog.pg_database d WHERE d.datname = %s
"""


class ConnectionFailure(Enum):
    """Why a connection could not be opened, or was lost."""

    UNREACHABLE = "no server answers, or the connection was lost"
    STARTING = "the server is starting, shutting down or recovering"
    NO_FREE_CONNECTION = "the server, the database or the role has reached its limit of connections"
    NO_PRIMARY = "no server fulfils target_session_attrs"
    TLS_FAILED = "client and server do not agree on an encrypted connection"
    LOGIN_REFUSED = "the server refuses this role, its password or its address"
    NO_DATABASE = "the database does not exist"
    CLOSED = "the database takes no connections"
    NO_PRIVILEGE = "the role lacks the privilege CONNECT on the database"
    OTHER = "another reason"

    @property
    def is_temporary(self) -> bool:
        """Whether the same attempt may succeed later without any change of the stack."""
        return self in {
            ConnectionFailure.UNREACHABLE,
            ConnectionFailure.STARTING,
            ConnectionFailure.NO_FREE_CONNECTION,
            ConnectionFailure.NO_PRIMARY,
            ConnectionFailure.TLS_FAILED,  # a server that stops during the TLS handshake looks like this too
        }


class _Probe(NamedTuple):
    """The result of a second attempt: the reason, and the server's SQLSTATE if it sent one."""

    failure: ConnectionFailure
    sqlstate: str | None = None


_BY_SQLSTATE = {
    "08": ConnectionFailure.UNREACHABLE,
    "28": ConnectionFailure.LOGIN_REFUSED,
    INVALID_CATALOG_NAME: ConnectionFailure.NO_DATABASE,
    CLOSED: ConnectionFailure.CLOSED,
    INSUFFICIENT_PRIVILEGE: ConnectionFailure.NO_PRIVILEGE,
    TOO_MANY_CONNECTIONS: ConnectionFailure.NO_FREE_CONNECTION,
    "57P01": ConnectionFailure.STARTING,
    "57P02": ConnectionFailure.STARTING,
    CANNOT_CONNECT_NOW: ConnectionFailure.STARTING,
    **dict.fromkeys(("57P05", "25P03", "25P04"), ConnectionFailure.UNREACHABLE),  # ended by a time limit of sessions
}
"""SQLSTATEs, or their first two characters, the class (PostgreSQL manual, appendix A)."""

_classified: WeakKeyDictionary[psycopg.Error, ConnectionFailure] = WeakKeyDictionary()


def classify_connection_error(error: psycopg.Error, target: Target | str | None = None) -> ConnectionFailure:
    """Return why a connection failed, and set `error.sqlstate` where the server sent one that libpq did not report.

    `target`, or a connection string, is what was connected to. It is needed only for several hosts, since psycopg's
    error describes the attempt on the last one. The result is remembered with the error.
    """
    if error.sqlstate:
        return _failure_of(error.sqlstate)
    if not isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        return ConnectionFailure.OTHER
    if error not in _classified:
        probe = _probe_again(error, conninfo_of(target) if isinstance(target, Target) else target or "")
        error.sqlstate = probe.sqlstate
        _classified[error] = probe.failure
    return _classified[error]


def _failure_of(sqlstate: str) -> ConnectionFailure:
    return _BY_SQLSTATE.get(sqlstate) or _BY_SQLSTATE.get(sqlstate[:2], ConnectionFailure.OTHER)


def _probe_again(error: psycopg.Error, conninfo: str) -> _Probe:
    """Attempt again what failed: the attempt that the error describes, then all hosts if that one was unreachable.

    An error without a connection object is a connection that was lost in use, or an attempt that timed out.
    """
    probe = _Probe(ConnectionFailure.UNREACHABLE)
    if error.pgconn:
        probe = _probe(_conninfo_of_attempt(error.pgconn), CONNECT_TIMEOUT_SECONDS)
    is_attempt = error.pgconn is not None or isinstance(error, psycopg.errors.ConnectionTimeout)
    if is_attempt and probe.failure is ConnectionFailure.UNREACHABLE:
        hosts = str(conninfo_to_dict(conninfo).get("host") or "")
        return _probe(conninfo, ONE_OF_SEVERAL_SECONDS) if "," in hosts else probe
    return probe


def _conninfo_of_attempt(connection: PGconn) -> str:
    keywords = {option.keyword.decode(): option.val.decode() for option in connection.info if option.val}
    return make_conninfo("", **keywords)


def _probe(conninfo: str, seconds: float) -> _Probe:
    return _probe_with_trace(conninfo, seconds) if TRACES_STARTUP else probe_with_ping(conninfo)


def _probe_with_trace(conninfo: str, seconds: float) -> _Probe:
    """Attempt a connection with the protocol trace on; the trace stays in memory, since it can contain a password."""
    connection = pq.PGconn.connect_start(conninfo.encode())
    trace = os.memfd_create("libpq-trace")
    try:
        if connection.status == pq.ConnStatus.BAD:  # such as a host name that cannot be resolved
            return _Probe(ConnectionFailure.UNREACHABLE)
        connection.trace(trace)
        connection.set_trace_flags(pq.Trace.SUPPRESS_TIMESTAMPS)
        succeeded = _complete(connection, time.monotonic() + seconds)
        connection.untrace()
        if succeeded:  # the reason has gone since the first attempt
            return _Probe(ConnectionFailure.STARTING, CANNOT_CONNECT_NOW)
        if connection.needs_password:  # the server asked for a password, and there is none
            return _Probe(ConnectionFailure.LOGIN_REFUSED, INVALID_PASSWORD)
        return probe_of_trace(os.pread(trace, os.fstat(trace).st_size, 0))
    finally:
        connection.finish()
        os.close(trace)


def _complete(connection: PGconn, deadline: float) -> bool:
    """Return whether a connection attempt succeeds before the deadline (of time.monotonic())."""
    while (status := connection.connect_poll()) in _EVENTS:
        with DefaultSelector() as selector:  # a new one each time: the socket changes with the host
            selector.register(connection.socket, _EVENTS[pq.PollingStatus(status)])
            if not selector.select(max(0.0, deadline - time.monotonic())):
                return False
    return status == pq.PollingStatus.OK


def probe_of_trace(trace: bytes) -> _Probe:
    """Return what the trace of a connection attempt that failed says of the reason."""
    if states := _ERROR_STATE.findall(trace):
        sqlstate = states[-1].decode()  # the last: with sslmode=prefer libpq tries a second time without TLS
        return _Probe(_failure_of(sqlstate), sqlstate)
    if b"\tReadyForQuery\t" in trace:  # the login succeeded, and libpq closed the connection
        return _Probe(ConnectionFailure.NO_PRIMARY)
    messages = trace.splitlines()
    if messages and messages[-1].startswith(_TLS_ANSWER):
        return _Probe(ConnectionFailure.TLS_FAILED)
    return _Probe(ConnectionFailure.UNREACHABLE)


def probe_with_ping(conninfo: str) -> _Probe:
    """Return the reason as PQping and the maintenance database give it, for platforms without a trace of the startup.

    PQping recognizes a server that is starting by the SQLSTATE, but does not distinguish other refusals (manual, 32.1).
    """
    answer = pq.PGconn.ping(conninfo.encode())
    if answer == pq.Ping.REJECT:
        return _Probe(ConnectionFailure.STARTING, CANNOT_CONNECT_NOW)
    if answer != pq.Ping.OK:
        return _Probe(ConnectionFailure.UNREACHABLE)
    return _probe_maintenance_database(conninfo)


def _probe_maintenance_database(conninfo: str) -> _Probe:
    """Return the reason by whether the same login works on the maintenance database, and what its catalog says.

    Two reasons cannot be separated this way: a role's limit of connections looks like a wrong password, and a refusal
    before any password was asked for like a server that is full.
    """
    try:
        with psycopg.Connection.connect(conninfo, dbname=MAINTENANCE_DATABASE) as connection:
            row = connection.execute(MAY_CONNECT, [conninfo_to_dict(conninfo).get("dbname")]).fetchone()
    except psycopg.OperationalError as error:
        asked = error.pgconn is not None and (error.pgconn.used_password or error.pgconn.needs_password)
        if asked:
            return _Probe(ConnectionFailure.LOGIN_REFUSED, INVALID_PASSWORD)
        return _Probe(ConnectionFailure.NO_FREE_CONNECTION)
    if row is None:
        return _Probe(ConnectionFailure.NO_DATABASE, INVALID_CATALOG_NAME)
    if not row[1]:
        return _Probe(ConnectionFailure.CLOSED, CLOSED)
    if not row[0]:
        return _Probe(ConnectionFailure.NO_PRIVILEGE, INSUFFICIENT_PRIVILEGE)
    return _Probe(ConnectionFailure.NO_FREE_CONNECTION, TOO_MANY_CONNECTIONS)


def server_message(error: psycopg.OperationalError) -> str:
    """Return the server's message of a failed connection on one line, or libpq's when no server answered.

    libpq writes severity and message of the server as `<severity>:  <message>`, whatever its language.
    """
    return " ".join(str(error).rpartition(":  ")[2].split())
