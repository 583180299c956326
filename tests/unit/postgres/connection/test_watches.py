"""Tests for watches: when they check, when they end, and what a timeout's error says of blockers."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from infra.errors import ModuleError
from infra.postgres.connection import watches
from infra.postgres.connection.target import Target
from infra.postgres.connection.watches import Blocker, BlockerWatch, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from infra.postgres.connection.pool import Connection

TARGET = Target("h", 1, "d", "u", "")
SECONDS = 5.0


class CountingWatch(Watch):
    """Counts its checks, and goes on until it has enough."""

    def __init__(self, *, enough: int = 1000, delay: float = 0.0) -> None:
        super().__init__(TARGET, delay=delay, interval=0.001)
        self.enough = enough
        self.answers = 0
        self.failures = 0
        self.ended = threading.Event()

    def _run(self) -> None:
        super()._run()
        self.ended.set()

    def check(self, connection: Connection) -> bool:
        """Count an answer."""
        assert connection
        self.answers += 1
        return self.answers < self.enough

    def check_without_answer(self) -> bool:
        """Count a failure."""
        self.failures += 1
        return self.failures < self.enough


@pytest.fixture
def connecting(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception | None], None]:
    """Return a function that replaces `connect`, by a connection or an error."""

    def replace(error: Exception | None) -> None:
        @contextmanager
        def connect(*_arguments: Any, **_keywords: Any) -> Generator[str]:  # noqa: ANN401 (as connect() takes them)
            if error:
                raise error
            yield "connection"

        monkeypatch.setattr(watches, "connect", connect)

    return replace


def test_a_watch_ends_when_a_check_says_so(connecting: Callable[[Exception | None], None]) -> None:
    """Checks are repeated at the interval, until one returns False."""
    connecting(None)
    watch = CountingWatch(enough=3)
    watch.start()
    assert watch.ended.wait(SECONDS)
    assert (watch.answers, watch.failures) == (3, 0)


def test_a_server_that_does_not_answer_is_noted(connecting: Callable[[Exception | None], None]) -> None:
    """An error of the driver is passed to the watch, which says whether to go on."""
    connecting(psycopg.OperationalError("lost"))
    watch = CountingWatch(enough=2)
    watch.start()
    assert watch.ended.wait(SECONDS)
    assert (watch.answers, watch.failures) == (0, 2)


def test_a_watch_is_stopped_before_its_first_check(connecting: Callable[[Exception | None], None]) -> None:
    """The first check comes after the delay, and none comes after the stop."""
    connecting(None)
    watch = CountingWatch(delay=SECONDS)
    watch.start()
    started = time.monotonic()
    watch.stop(SECONDS)
    assert time.monotonic() - started < SECONDS
    assert watch.ended.is_set()
    assert watch.answers == 0


def test_a_watch_that_was_not_started_can_be_stopped() -> None:
    """Most statements end before their watch starts."""
    watch = CountingWatch()
    watch.stop(SECONDS)
    assert watch.answers == 0


BLOCKER = Blocker(12, "nightly report", "app", "active", "10:00:00 UTC")


def test_blockers_are_shown_as_far_as_they_may_be_seen() -> None:
    """State and time are left out where PostgreSQL does not show them."""
    assert str(BLOCKER) == "pid 12 (nightly report, role app, active since 10:00:00 UTC)"
    assert str(Blocker(12, "", "app", None, None)) == "pid 12 (no application name, role app)"


@pytest.mark.parametrize(
    ("sqlstate", "detail", "hint"),
    [
        ("55P03", f"it waited for {BLOCKER}", "end that session, or let this one wait longer with"),
        ("57014", f"it waited for {BLOCKER}", "let it run longer with `modules.statement_timeout`"),
        ("42P01", "", ""),
    ],
)
def test_a_timeout_names_the_blockers(sqlstate: str, detail: str, hint: str) -> None:
    """Errors of lock and statement timeouts get the blockers as detail and the setting as hint; others stay."""
    watch = BlockerWatch(TARGET, 1, print)
    watch.blockers = (BLOCKER,)
    error = watch.with_blockers(ModuleError("canceled", sqlstate=sqlstate, path="sql/01-a.sql"))
    assert (error.what, error.sqlstate, error.place, error.detail) == ("canceled", sqlstate, "sql/01-a.sql", detail)
    assert error.hint.startswith(hint)


def test_a_timeout_keeps_the_servers_detail_and_hint() -> None:
    """What the server says itself comes first; without blockers there is no detail."""
    watch = BlockerWatch(TARGET, 1, print)
    own = watch.with_blockers(ModuleError("canceled", sqlstate="55P03", detail="d", hint="h"))
    assert (own.detail, own.hint) == ("d", "h")
    assert watch.with_blockers(ModuleError("canceled", sqlstate="55P03")).detail == ""
