"""Modules are applied while the primary changes: each exactly once, and no acknowledged module is lost."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from infra.modules.decision import Lifecycle, Step
from infra.modules.module import Module
from infra.postgres.apply import runner
from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect
from infra.postgres.connection.session import Session
from infra.postgres.connection.target import Target
from infra.postgres.ledger import ledger
from tests.database.failover.patroni_cluster import PatroniCluster, running_cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from typing_extensions import Self

pytestmark = pytest.mark.full

LONGEST_PAUSE = 30.0  # seconds; measured: 3 to 5
LONGEST_FREEZE = 60.0  # measured: 35 to 51, the cluster's own TTL of 20 s included
FROZEN_SECONDS = 40.0


@pytest.fixture(scope="module")
def cluster() -> Generator[PatroniCluster]:
    """Yield a cluster whose nodes all run."""
    with running_cluster() as cluster:
        yield cluster


@dataclass
class Applying:
    """A thread that applies modules one after the other until the block ends, with what was acknowledged, and when."""

    session: Session
    messages: list[str] = field(default_factory=list[str])
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
        number = 1
        try:
            while not self._over.is_set():
                number += 1
                name = f"{number:04}-module{number}"
                text = f"CREATE TABLE t{number} (id int PRIMARY KEY);\nINSERT INTO t{number} VALUES ({number});\n"
                path = Path(self.session.directory, f"{name}.sql")
                path.write_text(text)
                module = Module(number, name, str(path), text)
                self.done.append((name, runner.apply(self.session, module).step))
                self.times.append(time.monotonic())
        except Exception as error:  # noqa: BLE001 (shown by the test)
            self.errors.append(error)

    def wait_for_more(self, count: int = 20, seconds: float = 180) -> None:
        """Wait until so many more modules are applied."""
        goal, deadline = len(self.done) + count, time.monotonic() + seconds
        while len(self.done) < goal and not self.errors and time.monotonic() < deadline:
            time.sleep(0.05)
        assert self.errors == []
        assert len(self.done) >= goal, self.messages

    @property
    def longest_pause(self) -> float:
        """The longest time between two acknowledged modules, in seconds."""
        return max(after - before for before, after in zip(self.times, self.times[1:], strict=False))


def create_database(cluster: PatroniCluster, name: str, folder: Path) -> tuple[Session, list[str]]:
    """Create a database with its owner; return the session for its modules, and the list of its messages."""
    options = {"host": cluster.hosts, "port": cluster.port_list, "target_session_attrs": "read-write"}
    admin = Target("127.0.0.1", cluster.ports[0], "postgres", "postgres", cluster.password, options)
    with connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name}_owner".encode())
        connection.execute(f"CREATE DATABASE {name} OWNER {name}_owner".encode())
    (folder / "0001-first.sql").write_text("SELECT 1;\n")
    messages: list[str] = []
    session = Session(
        target=admin.on(name),
        admin=admin,
        owner=f"{name}_owner",
        stack="tests",
        lifecycle=Lifecycle.PERSISTENT,
        directory=str(folder),
        tell=messages.append,
    )
    return session, messages


def assert_nothing_is_lost(applying: Applying) -> None:
    """Assert that ledger, catalog and events contain each acknowledged module exactly once."""
    with connect(applying.session.target, autocommit=True) as connection:
        rows = [entry.module for entry in ledger.read_entries(connection)]
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        done = connection.execute("SELECT count(*) FROM sqlmodule.event WHERE failure IS NULL").fetchone()
    assert rows == [name for name, _ in applying.done]
    assert tables == done == (len(rows),)
    pool.close_all()


def test_nothing_acknowledged_is_lost_in_a_switchover_and_a_crash(
    cluster: PatroniCluster, record_property: Callable[[str, object], None], tmp_path: Path
) -> None:
    """During a switchover and a kill -9 of the leader's postmaster every module is applied exactly once."""
    session, messages = create_database(cluster, "ha", tmp_path)
    with Applying(session, messages) as applying:
        applying.wait_for_more()
        cluster.switch_over()
        applying.wait_for_more()
        cluster.wait_until_complete()
        cluster.crash()
        applying.wait_for_more()
    record_property("longest_pause_seconds", round(applying.longest_pause, 1))
    print(f"longest pause {applying.longest_pause:.1f} s, {len(applying.done)} modules, {len(messages)} further tries")
    assert applying.longest_pause < LONGEST_PAUSE
    assert any("try 2" in line for line in messages), "a wait is shown while it lasts"
    assert_nothing_is_lost(applying)


@pytest.mark.skipif(not os.environ.get("FREEZE"), reason="takes two minutes: on demand, with FREEZE=1")
def test_nothing_acknowledged_is_lost_when_the_leader_freezes(cluster: PatroniCluster, tmp_path: Path) -> None:
    """While the leader hangs for 40 s, the run's connection to it is cut, and the run continues on its successor."""
    cluster.wait_until_complete()
    session, messages = create_database(cluster, "frozen", tmp_path)
    with Applying(session, messages) as applying:
        applying.wait_for_more()
        with cluster.frozen():
            applying.wait_for_more()
            time.sleep(max(0.0, FROZEN_SECONDS - applying.longest_pause))
        cluster.wait_until_complete()
        applying.wait_for_more()
    print(f"longest pause {applying.longest_pause:.1f} s, {len(applying.done)} modules, {len(messages)} messages")
    assert applying.longest_pause < LONGEST_FREEZE
    assert any("no server takes changes" in line or "try 2" in line for line in messages), messages
    assert_nothing_is_lost(applying)


def test_without_a_primary_the_wait_ends_at_its_limit(cluster: PatroniCluster) -> None:
    """When no server accepts changes, the run fails after `modules.wait`, with one sentence."""
    port = cluster.ports[(cluster.leader() + 1) % len(cluster.ports)]
    options = {"host": "127.0.0.1", "port": str(port), "target_session_attrs": "read-write"}
    target = Target("127.0.0.1", port, "postgres", "postgres", cluster.password, options)
    session = Session(target=target, admin=target, owner="postgres", stack="tests", wait=2)
    text = "CREATE TABLE never (id int);"
    module = Module(1, "01-never", "sql/01-never.sql", text)
    started = time.monotonic()
    with pytest.raises(Exception, match="cannot be reached") as caught:
        runner.apply(session, module)
    assert not isinstance(caught.value, psycopg.Error)
    assert time.monotonic() - started < 10
