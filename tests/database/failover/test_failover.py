"""Modules that are applied while the primary changes: each once, and nothing that was acknowledged is lost."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
import pytest

from infra.modules.decision import Digests, Lifecycle, Step
from infra.modules.digests import text_digest
from infra.modules.module import Module
from infra.modules.statements import statements_digest
from infra.postgres.apply import runner
from infra.postgres.connection import pool
from infra.postgres.connection.session import Session
from infra.postgres.connection.target import Target, connect
from infra.postgres.ledger import ledger
from tests.database.failover.patroni_cluster import PatroniCluster

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from typing_extensions import Self

LONGEST_PAUSE = 30.0  # seconds; measured: 3 to 5
LONGEST_FREEZE = 60.0  # measured: 35 to 51, the cluster's own TTL of 20 s included
FROZEN_SECONDS = 40.0


@pytest.fixture(scope="module")
def cluster() -> Generator[PatroniCluster]:
    """Give a cluster whose nodes all run."""
    made = PatroniCluster()
    try:
        if reason := made.reason_against():
            pytest.skip(reason)
        made.start()
        yield made
    finally:
        made.stop()


@dataclass
class Applying:
    """Modules that are applied one after the other until it ends; what was acknowledged, and when."""

    session: Session
    told: list[str] = field(default_factory=list[str])
    done: list[tuple[str, Step]] = field(default_factory=list[tuple[str, Step]])
    times: list[float] = field(default_factory=list[float])
    errors: list[Exception] = field(default_factory=list[Exception])

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._apply)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _apply(self) -> None:
        number = 0
        try:
            while not self._over.is_set():
                number += 1
                name = f"{number:05}-module"
                text = f"CREATE TABLE t{number} (id int PRIMARY KEY);\nINSERT INTO t{number} VALUES ({number});\n"
                module = Module(number, name, f"sql/{name}.sql", text)
                digests = Digests(text_digest(text), statements_digest(text))
                self.done.append((name, runner.apply(self.session, module, digests).step))
                self.times.append(time.monotonic())
        except Exception as error:  # noqa: BLE001 (shown by the test)
            self.errors.append(error)

    def more(self, count: int = 20, seconds: float = 60) -> None:
        """Wait until some more modules are applied."""
        aim, deadline = len(self.done) + count, time.monotonic() + seconds
        while len(self.done) < aim and not self.errors and time.monotonic() < deadline:
            time.sleep(0.05)
        assert self.errors == []
        assert len(self.done) >= aim, self.told

    @property
    def longest_pause(self) -> float:
        """The longest time between two acknowledged modules, in seconds."""
        return max(after - before for before, after in zip(self.times, self.times[1:], strict=False))


def prepared(cluster: PatroniCluster, name: str) -> tuple[Session, list[str]]:
    """Make a database with its owner; give the session for its modules, and what it will tell."""
    options = {"host": cluster.hosts, "port": cluster.port_list, "target_session_attrs": "read-write"}
    admin = Target("127.0.0.1", cluster.ports[0], "postgres", "postgres", cluster.password, options)
    with connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name}_owner".encode())
        connection.execute(f"CREATE DATABASE {name} OWNER {name}_owner".encode())
    told: list[str] = []
    session = Session(
        target=admin.on(name),
        admin=admin,
        owner=f"{name}_owner",
        stack="tests",
        lifecycle=Lifecycle.EPHEMERAL,
        directory="nowhere",
        tell=told.append,
    )
    return session, told


def see_that_all_is_there(applying: Applying) -> None:
    """Compare what was acknowledged with the ledger, the catalog and the events: each module, and each once."""
    with connect(applying.session.target, autocommit=True) as connection:
        rows = [entry.module for entry in ledger.entries(connection)]
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        done = connection.execute("SELECT count(*) FROM sqlmodule.event WHERE failure IS NULL").fetchone()
    assert rows == [name for name, _ in applying.done]
    assert tables == done == (len(rows),)
    pool.close_all()


def test_nothing_acknowledged_is_lost_in_a_switchover_and_a_crash(
    cluster: PatroniCluster, record_property: Callable[[str, object], None]
) -> None:
    """During a switchover and a kill -9 of the leader's postmaster every module is applied, once, and said so."""
    session, told = prepared(cluster, "ha")
    with Applying(session, told) as applying:
        applying.more()
        cluster.switch_over()
        applying.more()
        cluster.wait_until_whole()
        cluster.crash()
        applying.more()
    record_property("longest_pause_seconds", round(applying.longest_pause, 1))
    print(f"longest pause {applying.longest_pause:.1f} s, {len(applying.done)} modules, {len(told)} further tries")
    assert applying.longest_pause < LONGEST_PAUSE
    assert any("try 2" in line for line in told), "a wait is shown while it lasts"
    see_that_all_is_there(applying)


@pytest.mark.skipif(not os.environ.get("FREEZE"), reason="takes two minutes: on demand, with FREEZE=1")
def test_nothing_acknowledged_is_lost_when_the_leader_freezes(cluster: PatroniCluster) -> None:
    """A leader that hangs for 40 s and then goes on: the run is cut off from it, and goes on with its successor."""
    cluster.wait_until_whole()
    session, told = prepared(cluster, "frozen")
    with Applying(session, told) as applying:
        applying.more()
        with cluster.frozen():
            applying.more()
            time.sleep(max(0.0, FROZEN_SECONDS - applying.longest_pause))
        cluster.wait_until_whole()
        applying.more()
    print(f"longest pause {applying.longest_pause:.1f} s, {len(applying.done)} modules, {len(told)} messages")
    assert applying.longest_pause < LONGEST_FREEZE
    assert any("no server takes changes" in line or "try 2" in line for line in told), told
    see_that_all_is_there(applying)


def test_without_a_primary_the_wait_ends_at_its_limit(cluster: PatroniCluster) -> None:
    """When no server takes changes, the run gives up after `modules.wait`, with one sentence."""
    port = cluster.ports[(cluster.leader() + 1) % len(cluster.ports)]
    options = {"host": "127.0.0.1", "port": str(port), "target_session_attrs": "read-write"}
    target = Target("127.0.0.1", port, "postgres", "postgres", cluster.password, options)
    session = Session(target=target, admin=target, owner="postgres", stack="tests", wait=2)
    text = "CREATE TABLE never (id int);"
    module = Module(1, "01-never", "sql/01-never.sql", text)
    begun = time.monotonic()
    with pytest.raises(Exception, match="cannot be reached") as caught:
        runner.apply(session, module, Digests(text_digest(text), statements_digest(text)))
    assert not isinstance(caught.value, psycopg.Error)
    assert time.monotonic() - begun < 10
