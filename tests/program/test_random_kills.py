"""Targets are killed at random moments, one after the other on one stack: one command leads back each time.

KILLS says how many, on demand: a kill takes about five seconds. KILLS_SEED says what is killed and when, as a share of
how long that target takes here.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from infra.backup.contents import read_contents
from infra.backup.dump import digest_of
from infra.check.stack_files import dsns
from infra.postgres.connection.connect import connect
from infra.postgres.introspection.cluster_catalog import cluster_facts
from infra.postgres.ledger import ledger
from infra.server.dsn import parse_dsn
from tests.program.checkout import Checkout
from tests.program.homes import FAST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from infra.catalog.catalog import Catalog
    from infra.plan.ledger_rows import LedgerEntry
    from infra.postgres.introspection.cluster_catalog import ClusterFact

KILLS = int(os.environ.get("KILLS") or 0)
SEED = int(os.environ.get("KILLS_SEED") or 1)
SECONDS = 60
TARGETS = ("up", "preview", "refresh", "destroy", "backup", "restore")
FIRST_GUESS = {"create": 6.0, "up": 4.0, "preview": 4.0, "refresh": 3.0, "destroy": 3.0, "backup": 2.0, "restore": 1.0}
"""Seconds that a target takes, until it was measured."""

SHARE_AT_THE_END, LAST_SECONDS = 0.25, 0.5
SHARE_OF_SINGLE_PROCESSES = 0.3
SHARE_OF_REMOVALS = 0.15
SHARE_OF_EDITS = 0.8
MOST_IN_A_ROW = 3

IN_A_DATABASE = "objects in a database"
"""Facts that count the catalog's dependencies on roles; the catalog itself is compared."""

MODULES = {
    "01-kept": "CREATE TABLE kept (id integer PRIMARY KEY);\n",
    "02-edited": "CREATE TABLE edited (id integer PRIMARY KEY, {variant} text);\n"
    "INSERT INTO edited SELECT i FROM generate_series(1, 1000) i;\n",
    "03-view": "CREATE VIEW seen AS SELECT count(*) AS rows FROM edited;\n",
}
VARIANTS = ("first", "second")


@dataclass(frozen=True)
class Contents:
    """What a database and its server have when all is well, for a variant of the modules."""

    catalog: Catalog
    rows: int
    ledger: list[LedgerEntry]
    server: frozenset[ClusterFact]

    def differs_from(self, other: Contents) -> list[str]:
        """Return what only one of two databases has: objects, rows of the ledger, the number of rows."""
        objects = sorted(self.catalog.objects.items() ^ other.catalog.objects.items())
        entries = [entry for entry in self.ledger if entry not in other.ledger]
        entries += [entry for entry in other.ledger if entry not in self.ledger]
        rows = [self.rows, other.rows] if self.rows != other.rows else []
        return [str(part) for part in (*objects, *entries, *rows)]


@dataclass
class Backup:
    """What the newest complete backup has."""

    folder: str
    variant: str
    rows: set[int]


@dataclass
class Life:
    """A stack whose targets are killed, and what has to be in it."""

    checkout: Checkout
    data_root: Path
    dice: random.Random
    present: bool = False
    written: str = VARIANTS[0]  # the variant in sql/
    applied: str = VARIANTS[0]  # the variant in the database
    rows: set[int] = field(default_factory=set[int])  # acknowledged rows of the application
    disturbed: set[str] = field(default_factory=set[str])  # the targets that were killed since the last remedy
    backup: Backup | None = None
    seconds: dict[str, float] = field(default_factory=lambda: dict(FIRST_GUESS))
    known: dict[str, Contents] = field(default_factory=dict[str, Contents])
    story: list[str] = field(default_factory=list[str])

    def write(self, variant: str) -> None:
        """Write the modules in a variant."""
        self.written = variant
        folder = self.checkout.folder / "modules"
        folder.mkdir(exist_ok=True)
        for name, text in MODULES.items():
            (folder / f"{name}.sql").write_text(f"-- A module of the test.\n{text.format(variant=variant)}")

    def say(self, text: str) -> None:
        """Note what is done, for the message of a failure."""
        self.story.append(text)
        print(text, flush=True)

    def arguments(self, target: str) -> str:
        """Return ARGS for a target."""
        return f"{self.backup.folder} --yes" if target == "restore" and self.backup else ""

    def name(self, target: str) -> str:
        """Return the name under which a target's time is measured."""
        return "create" if target == "up" and not self.present else target

    def kill_some(self) -> int:
        """Kill one to three targets one after the other, lead back by one command, and return how many were killed."""
        killed = [target for _ in range(self.dice.randint(1, MOST_IN_A_ROW)) for target in self.kill_one()]
        if not killed:
            return 0
        remedy = self.remedy(killed)
        arguments, started = self.arguments(remedy), time.monotonic()
        done = self.checkout.run(remedy, arguments)
        assert done.status == 0, "\n".join([*self.story, f"make {remedy}", done.text])
        self.say(f"    make {remedy}: {time.monotonic() - started:.2f} s")
        self.ended(remedy, time.monotonic() - started)
        return len(killed)

    def kill_one(self) -> list[str]:
        """Start a target and kill it; return it, or nothing where it ended before."""
        possible = [target for target in TARGETS if self.present or target in {"up", "preview"}]
        target = self.dice.choice([target for target in possible if target != "restore" or self.backup])
        name, arguments = self.name(target), self.arguments(target)
        if target in {"up", "preview"} and self.dice.random() < SHARE_OF_EDITS:
            self.write(self.dice.choice(VARIANTS))
        expected = self.seconds[name]
        if self.dice.random() < SHARE_AT_THE_END:
            delay = max(0.0, expected - self.dice.uniform(0, LAST_SECONDS))
        else:
            delay = self.dice.uniform(0, expected)
        single = self.dice.random() < SHARE_OF_SINGLE_PROCESSES
        started = time.monotonic()
        with self.checkout.start(target, arguments) as process:
            with suppress(subprocess.TimeoutExpired):
                text, _ = process.communicate(timeout=delay)
                self.say(f"{name}: ended after {time.monotonic() - started:.2f} s")
                if process.returncode == 0:
                    self.ended(target, time.monotonic() - started)
                else:  # as what runs on a stack that was left by a kill may; the remedies may not
                    assert self.disturbed, "\n".join([*self.story, text])
                    assert target not in {"up", "destroy"}, "\n".join([*self.story, text])
                return []
            killed = self.kill_single() if single else self.kill_all()
            self.say(f"{name}: after {delay:.2f} of {expected:.2f} s killed {killed}")
            process.communicate(timeout=SECONDS)
        self.disturbed.add(target)
        if single:  # what was not killed may still run, and is not to be disturbed
            self.wait_for_end(plugins=True)
        return [target]

    def kill_all(self) -> str:
        """Kill everything that a target has started, and return how many processes that were."""
        killed: set[int] = set()
        while found := self.checkout.processes():
            for pid in found:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            killed |= found.keys()
        return f"all {len(killed)} processes"

    def kill_single(self) -> str:
        """Kill one process of those that a target has started, and return which."""
        found = self.checkout.processes()
        if not found:
            return "nothing: it has just ended"
        pid = self.dice.choice(sorted(found))
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return f"{pid} ({found[pid][:100]})"

    def remedy(self, killed: list[str]) -> str:
        """Return the one command that has to lead back."""
        if set(killed) <= {"backup", "restore"}:
            return killed[-1]
        if killed[-1] == "destroy":
            return self.dice.choice(["destroy", "up"])
        return "destroy" if self.dice.random() < SHARE_OF_REMOVALS else "up"

    def ended(self, target: str, seconds: float) -> None:
        """Note what a target that has ended has made true, and assert that it has."""
        self.seconds[self.name(target)] = seconds
        self.wait_for_end(plugins=target in {"backup", "restore"})
        if target == "destroy":
            self.present, self.rows, self.disturbed = False, set(), set()
            self.is_gone()
            return
        if target == "up":
            self.find_rows()
            self.present, self.applied, self.disturbed = True, self.written, set()
        is_quiet = self.disturbed <= {"backup", "restore"}
        if target == "backup" and is_quiet:
            self.find_rows()
            self.backup, self.disturbed = self.newest_backup(), set()
        if target == "restore":  # whatever was killed before
            assert self.backup
            self.applied, self.rows = self.backup.variant, set(self.backup.rows)
            self.disturbed = set() if is_quiet else self.disturbed
        if self.present and not self.disturbed:
            self.is_whole()

    def find_rows(self) -> None:
        """Note which rows are there: those of before, or what a killed restore or removal has made of them."""
        found = self.found_rows()
        if found == self.rows or ("destroy" in self.disturbed and not found):
            self.rows = found
            return
        assert "restore" in self.disturbed, self.story
        assert self.backup
        assert found == self.backup.rows, self.story
        self.applied, self.rows = self.backup.variant, found

    def wait_for_end(self, *, plugins: bool) -> None:
        """Wait until nothing runs that a target has started, but for `plugins` whose pulumi ended when it lost its own
        parent: the next target of pulumi's ends them. A process that stays is in the assertion.
        """
        with suppress(AssertionError):
            wait_until(lambda: not self.left_running(plugins=plugins), "")
        assert self.left_running(plugins=plugins) == {}, self.story

    def left_running(self, *, plugins: bool) -> dict[int, str]:
        """Return what targets have started and still runs."""
        found = self.checkout.processes()
        if not plugins:
            return found
        return {pid: text for pid, text in found.items() if not re.search(r"^[^ ]*/pulumi-| -m pulumi\.dynamic ", text)}

    def dsn(self, role: str) -> str:
        """Return the connection string of a role."""
        return dsns(self.checkout.folder, self.checkout.stack, role)[0]

    def found_rows(self) -> set[int]:
        """Return the application's rows."""
        with psycopg.connect(self.dsn("app")) as connection:
            return {row[0] for row in connection.execute("SELECT id FROM kept")}

    def is_whole(self) -> None:
        """Assert that state, ledger, catalog, rows and roles are as after a first run, and write a row."""
        backend = self.checkout.folder / ".state" / "backend" / ".pulumi"
        assert not list((backend / "locks").rglob("*.json")), "a lock is left"
        (state,) = (backend / "stacks").rglob(f"{self.checkout.stack}.json")
        latest = json.loads(state.read_text())["checkpoint"]["latest"]
        assert not latest.get("pending_operations"), latest["pending_operations"]
        assert not [resource["urn"] for resource in latest["resources"] if resource.get("delete")]
        with connect(parse_dsn(self.dsn("migrator")), autocommit=True) as connection, connection.transaction():
            connection.execute("SET LOCAL ROLE kill_db_owner")
            found = read_contents(connection)
            contents = Contents(
                found.catalog,
                found.rows.get("public.edited", -1),
                ledger.read_entries(connection),
                frozenset(fact for fact in cluster_facts(connection) if not fact.text.startswith(IN_A_DATABASE)),
            )
        known = self.known.setdefault(self.applied, contents)
        server = next(iter(self.known.values())).server  # whatever the modules are
        story = "\n".join(self.story)
        assert sorted(fact.text for fact in server ^ contents.server) == [], story
        assert known.differs_from(contents) == [], f"{self.applied}\n{story}"
        assert self.found_rows() == self.rows, story
        with psycopg.connect(self.dsn("readonly")) as connection:
            assert connection.execute("SELECT rows FROM seen").fetchone() == (1000,)
        with psycopg.connect(self.dsn("app")) as connection:
            new = len(self.story)
            connection.execute("INSERT INTO kept VALUES (%s)", (new,))
        self.rows.add(new)

    def is_gone(self) -> None:
        """Assert that nothing of the stack is left but its file."""
        left = [self.checkout.folder / ".state", self.checkout.folder / f".env.{self.checkout.stack}", self.data_root]
        found = [str(inside) for path in left if path.exists() for inside in (path, *path.rglob("*"))]
        assert not found, f"{found[:20]} after {self.story[-12:]}"

    def newest_backup(self) -> Backup:
        """Return the newest backup; assert that all are complete, and nothing else is beside them."""
        home = self.checkout.folder / "backups" / self.checkout.stack
        folders = sorted(home.iterdir())
        assert [path.name for path in folders if not re.fullmatch(r"[\dT-]+Z", path.name)] == []
        for manifest in home.glob("*/*.json"):
            content: dict[str, Any] = json.loads(manifest.read_text())
            assert digest_of(manifest.with_suffix(".dump")) == content["sha256"]
        return Backup(str(folders[-1]), self.applied, set(self.rows))


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds; an assertion names what did not."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"waited {SECONDS} s in vain: {what}"
        time.sleep(0.05)


@pytest.mark.skipif(not KILLS, reason="takes five seconds for each kill: on demand, with KILLS=30")
def test_one_command_leads_back_from_every_kill(tmp_path: Path, data_root: Path) -> None:
    """After SIGKILL of a run, whole or of one process: state, ledger, catalog and rows as after a first `up`."""
    checkout = Checkout(tmp_path, "kill")
    root = data_root.with_name("kills")
    checkout.configure(
        server={"kind": "embedded", "data_root": str(root), "settings": dict(FAST)},
        databases=["kill_db"],
        modules={"directory": "modules"},
    )
    life = Life(checkout, root, random.Random(SEED))
    life.write(VARIANTS[0])
    try:
        started = time.monotonic()
        checkout.make("up")
        life.ended("up", time.monotonic() - started)
        killed = 0
        while killed < KILLS:
            killed += life.kill_some()
    finally:
        life.kill_all()
        done = checkout.run("destroy")
    assert done.status == 0, done.text
