"""Tests for retries: which errors leave nothing behind, and how often work is repeated."""

from __future__ import annotations

import psycopg
import pytest

from infra.errors import LedgerError, ModuleError
from infra.postgres.connection import retry as retry_file
from infra.postgres.connection.connect import connect
from infra.postgres.connection.failure import TRACES_STARTUP
from infra.postgres.connection.retry import is_lost, is_safe_to_retry, retry
from infra.postgres.connection.target import Target
from tests.unit.postgres.connection.refusing_server import RefusingServer


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry_file, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(retry_file, "LONGEST_WAIT", 0.01)


@pytest.mark.parametrize(
    ("error", "safe", "lost"),
    [
        (psycopg.errors.SerializationFailure(), True, False),
        (psycopg.errors.DeadlockDetected(), True, False),
        (psycopg.errors.LockNotAvailable(), True, False),
        (ModuleError("", sqlstate="40P01"), True, False),
        *((ModuleError("", sqlstate=state), True, True) for state in ("57P01", "57P05", "25P03", "25P04")),
        (ModuleError("", sqlstate="57014"), False, False),
        (ModuleError("", sqlstate="53300"), False, False),
        (psycopg.errors.AdminShutdown(), True, True),
        (psycopg.errors.CrashShutdown(), True, True),
        (psycopg.errors.CannotConnectNow(), True, True),
        (psycopg.errors.TooManyConnections(), True, True),
        (psycopg.errors.ConnectionTimeout(), True, True),
        (psycopg.OperationalError("the connection is lost"), True, True),
        (psycopg.InterfaceError("the connection is closed"), True, True),
        (psycopg.errors.InvalidPassword(), False, False),
        (psycopg.errors.InvalidCatalogName(), False, False),
        (psycopg.errors.InsufficientPrivilege(), False, False),
        (psycopg.errors.UniqueViolation(), False, False),
        (psycopg.ProgrammingError("a mistake of the client"), False, False),
        (LedgerError(""), False, False),
    ],
    ids=repr,
)
def test_what_is_safe_to_retry(error: Exception, *, safe: bool, lost: bool) -> None:
    """Rolled back transactions and lost or temporarily refused connections are safe to retry, by their SQLSTATEs."""
    assert (is_safe_to_retry(error), is_lost(error)) == (safe, lost)


class Failing:
    """Work that raises an error so many times and then returns its number of attempts."""

    def __init__(self, error: Exception, times: int) -> None:
        self.error = error
        self.times = times
        self.attempts = 0

    def __call__(self) -> int:
        self.attempts += 1
        if self.attempts <= self.times:
            raise self.error
        return self.attempts


def test_a_rolled_back_transaction_is_attempted_six_times() -> None:
    """Each repetition is reported with the first line of the error; the sixth error is raised."""
    messages: list[str] = []
    error = ModuleError("deadlock detected", sqlstate="40P01", path="sql/01-a.sql", detail="more")
    work = Failing(error, 100)
    with pytest.raises(ModuleError):
        retry(work, seconds=60, tell=messages.append)
    assert work.attempts == 6
    assert messages[0] == "try 2 of 6, after: sql/01-a.sql: deadlock detected [40P01]"
    assert len(messages) == 5


def test_a_lost_connection_is_attempted_until_it_is_back() -> None:
    """The number of attempts after lost connections is limited by time only."""
    messages: list[str] = []
    assert retry(Failing(psycopg.OperationalError("lost"), 9), seconds=60, tell=messages.append) == 10
    assert messages[8] == "try 10 for at most 60 s, after: lost"


def test_a_lost_connection_is_given_up_when_the_time_is_over() -> None:
    """After the time limit the last error is raised."""
    with pytest.raises(psycopg.OperationalError, match="lost"):
        retry(Failing(psycopg.OperationalError("lost"), 10_000), seconds=0.05, tell=lambda _: None)


def test_another_error_is_raised_at_once() -> None:
    """An error that would occur again is not retried."""
    work = Failing(psycopg.errors.UniqueViolation("duplicate"), 1)
    with pytest.raises(psycopg.errors.UniqueViolation):
        retry(work, seconds=60, tell=lambda _: None)
    assert work.attempts == 1


@pytest.mark.skipif(not TRACES_STARTUP, reason="psycopg traces connections on Linux only")
@pytest.mark.parametrize(
    ("sqlstate", "retried"), [("53300", True), ("57P03", True), ("28P01", False), ("28000", False), ("3D000", False)]
)
def test_refusals_in_german(sqlstate: str, *, retried: bool) -> None:
    """A full or starting server is attempted again, a wrong password and a missing database are not."""
    messages: list[str] = []
    with RefusingServer(sqlstate) as server:
        target = Target("127.0.0.1", server.port, "d", "u", "secret")
        with pytest.raises(psycopg.OperationalError):
            retry(lambda: connect(target), seconds=0.1, tell=messages.append)
    assert bool(messages) is retried


@pytest.mark.filterwarnings("error")
def test_without_time_there_is_one_attempt() -> None:
    """A setting `wait: 0` asks for it."""
    failing = Failing(psycopg.OperationalError("the connection is lost"), 1)
    with pytest.raises(psycopg.OperationalError):
        retry(failing, seconds=0, tell=pytest.fail)
    assert failing.attempts == 1
