"""Tests for reasons of failed connections: found by SQLSTATE, whatever language the server's messages are in."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import psycopg
import pytest
from psycopg import pq

from infra.postgres.connection import failure
from infra.postgres.connection.connect import connect
from infra.postgres.connection.failure import (
    TRACES_STARTUP,
    ConnectionFailure,
    classify_connection_error,
    probe_of_trace,
    probe_with_ping,
)
from infra.postgres.connection.target import Target, conninfo_of
from tests.unit.postgres.connection.refusing_server import RefusingServer

CLOSED_PORT = 1

traced = pytest.mark.skipif(not TRACES_STARTUP, reason="psycopg traces connections on Linux only")


def target(port: int, **options: str) -> Target:
    return Target("127.0.0.1", port, "d", "u", "secret", options)


def error_of(target: Target) -> psycopg.OperationalError:
    """Return the error of a connection attempt."""
    with pytest.raises(psycopg.OperationalError) as caught:
        connect(target)
    return caught.value


REASONS = {
    "08P01": ConnectionFailure.UNREACHABLE,
    "28000": ConnectionFailure.LOGIN_REFUSED,
    "28P01": ConnectionFailure.LOGIN_REFUSED,
    "3D000": ConnectionFailure.NO_DATABASE,
    "42501": ConnectionFailure.NO_PRIVILEGE,
    "53300": ConnectionFailure.NO_FREE_CONNECTION,
    "55000": ConnectionFailure.CLOSED,
    "57P01": ConnectionFailure.STARTING,
    "57P03": ConnectionFailure.STARTING,
    "XX000": ConnectionFailure.OTHER,
}
LASTING = {"28000", "28P01", "3D000", "42501", "55000", "XX000"}


@traced
@pytest.mark.parametrize("sqlstate", REASONS)
def test_a_refusal_in_german_has_the_reason_and_the_sqlstate(sqlstate: str) -> None:
    """The error of a refused connection gets the server's SQLSTATE, by one more attempt, and its reason follows."""
    with RefusingServer(sqlstate) as server:
        error = error_of(target(server.port))
        assert error.sqlstate == sqlstate
        assert classify_connection_error(error) is REASONS[sqlstate]
        assert classify_connection_error(error).is_temporary is (sqlstate not in LASTING)
        assert server.attempts == 2
    assert "secret" not in str(error)


@traced
def test_a_server_that_closes_the_connection_is_unreachable() -> None:
    """Without any answer of the server there is no SQLSTATE."""
    with RefusingServer("") as server:
        error = error_of(target(server.port))
    assert error.sqlstate is None
    assert classify_connection_error(error) is ConnectionFailure.UNREACHABLE


def test_a_closed_port_is_unreachable() -> None:
    """A refused TCP connection is temporary: the server may be restarting."""
    error = error_of(target(CLOSED_PORT))
    assert classify_connection_error(error) is ConnectionFailure.UNREACHABLE
    assert ConnectionFailure.UNREACHABLE.is_temporary


@traced
def test_a_server_that_asks_for_a_password_that_is_missing_refuses_the_login() -> None:
    """The client gives up itself when it has no password."""
    with RefusingServer("28P01", password=True) as server:
        error = error_of(Target("127.0.0.1", server.port, "d", "u", "", {"passfile": "/dev/null"}))
    assert classify_connection_error(error) is ConnectionFailure.LOGIN_REFUSED


@traced
def test_a_server_without_tls_fails_a_connection_that_requires_it() -> None:
    """TLS that cannot be agreed on is a reason of its own."""
    with RefusingServer("28000") as server:
        error = error_of(target(server.port, sslmode="require"))
    assert classify_connection_error(error) is ConnectionFailure.TLS_FAILED
    assert error.sqlstate is None


@traced
def test_the_reason_of_any_host_is_found() -> None:
    """With several hosts the refusal of one counts, although the last one, which the error is about, is unreachable."""
    with RefusingServer("28P01") as server:
        hosts = {"host": "127.0.0.1,127.0.0.1", "port": f"{server.port},{CLOSED_PORT}"}
        error = error_of(replace(target(server.port), options=hosts))
    assert classify_connection_error(error) is ConnectionFailure.LOGIN_REFUSED


@traced
def test_an_error_of_another_function_is_classified_by_its_own_attempt() -> None:
    """Without a target the connection string of the attempt is taken from the error."""
    with RefusingServer("3D000") as server:
        with pytest.raises(psycopg.OperationalError) as caught:
            psycopg.connect(conninfo_of(target(server.port)))
        assert caught.value.sqlstate is None
        assert classify_connection_error(caught.value) is ConnectionFailure.NO_DATABASE
        assert caught.value.sqlstate == "3D000"


def test_a_lost_connection_is_not_attempted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors of connections that were open, and timeouts of attempts, are classified without another attempt."""
    monkeypatch.delattr(failure, "_probe")
    for error in (
        psycopg.OperationalError("lost"),
        psycopg.InterfaceError("closed"),
        psycopg.errors.ConnectionTimeout(),
    ):
        assert classify_connection_error(error) is ConnectionFailure.UNREACHABLE
    assert classify_connection_error(psycopg.ProgrammingError("client")) is ConnectionFailure.OTHER
    assert classify_connection_error(psycopg.errors.UndefinedTable()) is ConnectionFailure.OTHER


@pytest.mark.parametrize(
    ("trace", "reason"),
    [
        (b"", ConnectionFailure.UNREACHABLE),
        (b"F\t8\tSSLRequest\t 1234 5679\nB\t1\tSSLResponse\t S\n", ConnectionFailure.TLS_FAILED),
        (b'B\t1\tSSLResponse\t N\nF\t9\tStartupMessage\t 3 0 "user" "u"\n', ConnectionFailure.UNREACHABLE),
        (b"B\t5\tReadyForQuery\t I\nF\t4\tTerminate\n", ConnectionFailure.NO_PRIMARY),
        (
            b'B\t90\tErrorResponse\t S "FATAL" C "28000" M "a" \\x00\nB\t90\tErrorResponse\t S "F" V "F" C "3D000" M',
            ConnectionFailure.NO_DATABASE,
        ),
        (b'F\t9\tStartupMessage\t 3 0 "user" "B ErrorResponse C "28P01""\n', ConnectionFailure.UNREACHABLE),
    ],
)
def test_traces(trace: bytes, reason: ConnectionFailure) -> None:
    """The reason is read from the messages of a trace: the last error, else how far the connection came."""
    assert probe_of_trace(trace).failure is reason


def replace_ping(monkeypatch: pytest.MonkeyPatch, answer: pq.Ping) -> None:
    """Replace PQping, which waits in libpq and would not let a server in this process answer."""

    def ping(_conninfo: bytes) -> pq.Ping:
        return answer

    monkeypatch.setattr(failure, "pq", SimpleNamespace(Ping=pq.Ping, PGconn=SimpleNamespace(ping=ping)))


@pytest.mark.parametrize(
    ("answer", "reason", "sqlstate"),
    [
        (pq.Ping.REJECT, ConnectionFailure.STARTING, "57P03"),
        (pq.Ping.NO_RESPONSE, ConnectionFailure.UNREACHABLE, None),
        (pq.Ping.NO_ATTEMPT, ConnectionFailure.UNREACHABLE, None),
    ],
)
def test_ping_without_a_login(
    monkeypatch: pytest.MonkeyPatch, answer: pq.Ping, reason: ConnectionFailure, sqlstate: str | None
) -> None:
    """Without a trace, PQping knows a server that is starting and one that does not answer."""
    replace_ping(monkeypatch, answer)
    assert probe_with_ping(conninfo_of(target(CLOSED_PORT))) == (reason, sqlstate)


@pytest.mark.parametrize(
    ("password", "reason"),
    [(True, ConnectionFailure.LOGIN_REFUSED), (False, ConnectionFailure.NO_FREE_CONNECTION)],
)
def test_ping_with_a_refused_login(
    monkeypatch: pytest.MonkeyPatch, *, password: bool, reason: ConnectionFailure
) -> None:
    """Without a trace, a refusal counts as a wrong password if a password was asked for, else as a full server."""
    replace_ping(monkeypatch, pq.Ping.OK)
    with RefusingServer("28P01", password=password) as server:
        assert probe_with_ping(conninfo_of(target(server.port))).failure is reason
