"""A group of databases on a real server: created, filled in parallel, compared and dropped."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from infra.errors import ModuleError, RefusedError
from infra.modules.decision import Lifecycle, Step
from infra.modules.module import load_modules
from infra.postgres.access_drift import access_drift
from infra.postgres.apply.losses import refuse_dropped, rows_of_database
from infra.postgres.apply.plan_cache import PlanInProgress, cache
from infra.postgres.apply.planning import look
from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect
from infra.postgres.connection.session import Session
from infra.postgres.groups import parallel
from infra.postgres.groups.group import GroupSpec
from infra.postgres.groups.modules import WaitingError, module_order, read_completeness, visits
from infra.postgres.groups.parallel import CancelledError, carry_out, parallel_databases
from infra.postgres.groups.provisioning import (
    drop_database,
    ensure_database,
    existing_databases,
    prepare_database,
    refusals,
)
from infra.postgres.groups.roles import drop_former_roles, drop_roles, ensure_roles
from infra.postgres.groups.templates import drop_templates
from tests.database.postgres.databases import by_hand

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from infra.postgres.connection.target import Target
    from infra.postgres.groups.parallel import Done

pytest_plugins = ["tests.database.scratch_server"]

NAMES = ["acme", "globex", "initech"]

FAILS_WHERE_BROKEN = """
SELECT 1 / (shobj_description(oid, 'pg_database') IS DISTINCT FROM 'broken')::int
FROM pg_database WHERE datname = current_database();
"""


class Tenants:
    """A group on the test's server, with a directory of modules."""

    def __init__(self, spec: GroupSpec, directory: Path) -> None:
        self.spec = spec
        self.directory = directory
        self.lines: list[str] = []

    def create(self, names: Sequence[str] = NAMES) -> None:
        """Create databases with their roles."""
        ensure_roles(self.spec, names)
        for name in names:
            ensure_database(self.spec, name, ["pgcrypto"])

    def apply(self, number: str, names: Sequence[str] = NAMES) -> dict[str, Done[Step]]:
        """Apply a module, by its number, in databases."""
        module = next(module for module in load_modules(self.directory) if module.name.startswith(number))
        order = module_order(str(self.directory))

        def work(name: str) -> Step:
            return visits.apply(self.spec.session(name, self.lines.append), module, order, recorded=False)

        return carry_out(names, work, parallel=2, tell=self.lines.append)

    def sql(self, name: str, statement: str, user: str = "") -> list[tuple[Any, ...]]:
        """Return the rows of a statement in a database, as the administrator or as one of its roles."""
        role = self.spec.role(name, user) if user else ""
        target = self.spec.admin.on(name)
        login = target.login(role, self.spec.password(role)) if role else target
        with connect(by_hand(login), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(params=["own", "shared"])
def tenants(request: pytest.FixtureRequest, template: Target, tmp_path: Path) -> Iterator[Tenants]:
    """Yield a group without databases; what is created of it is dropped."""
    (tmp_path / "sql").mkdir()
    admin = template.on("postgres")
    session = Session(
        admin,
        admin,
        admin.user,
        stack="test",
        lifecycle=Lifecycle.EPHEMERAL,
        directory=str(tmp_path / "sql"),
        wait=1,
    )
    spec = GroupSpec("tenants", session, "a key", shared=request.param == "shared")
    yield Tenants(spec, tmp_path / "sql")
    pool.close_all()
    cache.clear()  # the next test's databases have the same names
    drop_templates(spec)
    for name in NAMES:
        drop_database(spec, name)
        visits.forget(spec.session(name, print))
    drop_roles(spec, NAMES)


def test_a_database_is_created_once_with_roles_that_can_log_in(tenants: Tenants) -> None:
    """Creating twice changes nothing; each role may do what it is to, and PUBLIC may not even connect."""
    for _ in range(2):
        tenants.create(["acme"])
    tenants.sql("acme", "SET ROLE " + tenants.spec.role("acme", "owner") + "; CREATE TABLE a (id integer)", "migrator")
    tenants.sql("acme", "INSERT INTO a VALUES (1)", "app")
    assert tenants.sql("acme", "SELECT id FROM a", "readonly") == [(1,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        tenants.sql("acme", "DELETE FROM a", "readonly")
    assert access_drift(tenants.spec.admin.on("acme"), tenants.spec.access("acme")) == []
    assert tenants.sql("acme", "SELECT count(*) FROM pg_extension WHERE extname = 'pgcrypto'") == [(1,)]


def test_a_further_role_inherits_until_it_is_taken_out(tenants: Tenants) -> None:
    """It reads, then writes too, as the settings say; what a module granted it is no reason to keep it."""
    spec = tenants.spec
    tenants.spec = replace(spec, further={"reporting": "readonly"})
    tenants.create(["acme"])
    owner, name = tenants.spec.role("acme", "owner"), tenants.spec.role("acme", "reporting")
    granted = f"CREATE TABLE a (id integer); CREATE SCHEMA own; GRANT USAGE ON SCHEMA own TO {name}"
    tenants.sql("acme", f"SET ROLE {owner}; {granted}", "migrator")
    assert tenants.sql("acme", "SELECT id FROM a", "reporting") == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        tenants.sql("acme", "DELETE FROM a", "reporting")
    tenants.spec = replace(spec, further={"reporting": "app"})
    ensure_roles(tenants.spec, ["acme"])
    tenants.sql("acme", "DELETE FROM a", "reporting")
    tenants.spec = spec
    drop_former_roles(spec, ["reporting"], ["acme"])
    assert tenants.sql("acme", f"SELECT rolname FROM pg_roles WHERE rolname = '{name}'") == []


def test_a_database_has_a_ledger_from_the_beginning(tenants: Tenants) -> None:
    """So a database without one was emptied by somebody, also where the first module failed before; it is refused."""
    tenants.create(["acme"])
    session = replace(tenants.spec.session("acme", print), lifecycle=Lifecycle.PERSISTENT)
    (tenants.directory / "01-a.sql").write_text("CREATE TABLE a (id integer);", encoding="utf-8")
    planned = look(session, recorded=True, explain=False)
    assert isinstance(planned, PlanInProgress)
    assert [step.step for step in planned.plan.steps] == [Step.APPLY]
    tenants.sql("acme", "DROP SCHEMA sqlmodule CASCADE")
    cache.clear()
    planned = look(session, recorded=True, explain=False)
    assert isinstance(planned, PlanInProgress)
    assert [step.step for step in planned.plan.steps] == [Step.REFUSE]
    cache.clear()


def test_another_key_gives_every_role_another_password(tenants: Tenants) -> None:
    """The server has a verifier of each login's password, and another one after the key has changed."""
    tenants.create(["acme"])
    query = "SELECT rolpassword FROM pg_authid WHERE rolpassword LIKE 'SCRAM-SHA-256%' AND rolname ~ '(acme|tenants)_'"
    before = tenants.sql("acme", query)
    ensure_roles(replace(tenants.spec, key="another key"), ["acme"])
    after = tenants.sql("acme", query)
    assert len(before) == len(after) == 3
    assert not set(before) & set(after)
    assert tenants.spec.password("acme_app") != replace(tenants.spec, key="another key").password("acme_app")


def test_what_is_not_the_groups_is_refused(tenants: Tenants) -> None:
    """A database of somebody else, or a role without the group's mark, is refused, unless a setting names it."""
    with connect(tenants.spec.admin, autocommit=True) as connection:
        role = sql.Identifier(tenants.spec.role("globex", "app"))
        connection.execute("CREATE DATABASE acme")
        connection.execute(sql.SQL("CREATE ROLE {}").format(role))
        try:
            found = refusals(tenants.spec, ["acme", "globex"], adopt=())
            assert "database acme of the owner postgres is there already" in found["acme"]
            assert f"role {tenants.spec.role('globex', 'app')} is there already" in found["globex"]
            names = ["acme", tenants.spec.role("globex", "app")]
            assert refusals(tenants.spec, ["acme", "globex"], adopt=names) == {}
        finally:
            connection.execute("DROP DATABASE acme")
            connection.execute(sql.SQL("DROP ROLE {}").format(role))
    tenants.create(["acme"])
    assert refusals(tenants.spec, ["acme"], adopt=()) == {}


def test_another_privilege_is_mended(tenants: Tenants) -> None:
    """What others were granted beside is revoked when the drift was reported."""
    tenants.create(["acme"])
    tenants.sql("acme", "GRANT CONNECT ON DATABASE acme TO PUBLIC")
    assert access_drift(tenants.spec.admin.on("acme"), tenants.spec.access("acme"))
    prepare_database(tenants.spec, "acme", [], revoke_others=True)
    assert access_drift(tenants.spec.admin.on("acme"), tenants.spec.access("acme")) == []


def test_what_is_lost_with_a_database_is_known_before_it_is_dropped(tenants: Tenants, tmp_path: Path) -> None:
    """Rows that no module inserted are counted by table; where somebody has to be asked, they are refused by name."""
    tenants.create(["acme"])
    (tenants.directory / "01-a.sql").write_text("CREATE TABLE a (id integer); INSERT INTO a VALUES (1);")
    tenants.apply("01", ["acme"])
    target, file = tenants.spec.admin.on("acme"), tmp_path / "losses"
    assert rows_of_database(target) == {}
    refuse_dropped([target], str(file))
    tenants.sql("acme", "INSERT INTO a VALUES (2); CREATE TABLE by_hand AS SELECT 1")
    assert rows_of_database(target) == {"public.a": "1", "public.by_hand": "1"}
    refuse_dropped([target], "")
    with pytest.raises(RefusedError, match=r"acme: would lose rows that no module inserted: public\.a 1, "):
        refuse_dropped([target], str(file))
    assert file.read_text() == "database acme: public.a 1, public.by_hand 1\n"
    drop_database(tenants.spec, "acme")
    drop_database(tenants.spec, "acme")
    assert existing_databases(tenants.spec, NAMES) == {}
    assert rows_of_database(target) == {}


def test_a_database_that_fails_neither_stops_nor_hides_the_others(tenants: Tenants) -> None:
    """The others get this module and the next; the next one waits where the one before it is missing."""
    tenants.create()
    (tenants.directory / "01-a.sql").write_text("CREATE TABLE a (id integer);", encoding="utf-8")
    (tenants.directory / "02-b.sql").write_text(f"CREATE TABLE b (id integer);\n{FAILS_WHERE_BROKEN}", encoding="utf-8")
    (tenants.directory / "03-c.sql").write_text("CREATE TABLE c (id integer);", encoding="utf-8")
    tenants.sql("globex", "COMMENT ON DATABASE globex IS 'broken'")
    first, second, third = (tenants.apply(number) for number in ("01", "02", "03"))
    assert [first[name].result for name in NAMES] == [Step.APPLY] * 3
    assert [type(second[name].error) for name in NAMES] == [type(None), ModuleError, type(None)]
    assert str(second["globex"].error).startswith(f"{tenants.directory}/02-b.sql")
    assert "division by zero" in str(second["globex"].error)
    assert [str(third[name].error) for name in NAMES] == ["None", "waits for 02-b", "None"]
    assert isinstance(third["globex"].error, WaitingError)
    tenants.sql("globex", "COMMENT ON DATABASE globex IS NULL")
    assert [tenants.apply(number, ["globex"])["globex"].result for number in ("02", "03")] == [Step.APPLY] * 2


def test_one_visit_applies_all_modules(tenants: Tenants) -> None:
    """The later ones report what the visit for the first one did; one that may not be run is left to its own turn."""
    tenants.create(["acme"])
    for name, text in {
        "01-a": "CREATE TABLE a ();",
        "02-b": "CREATE TABLE b ();",
        "03-c": "COMMIT;",
        "04-d": "SELECT 1",
    }.items():
        (tenants.directory / f"{name}.sql").write_text(text, encoding="utf-8")
    applied = "SELECT module FROM sqlmodule.ledger ORDER BY module"
    tenants.apply("01", ["acme"])
    assert tenants.sql("acme", applied) == [("01-a",), ("02-b",)]
    assert tenants.apply("02", ["acme"])["acme"].result is Step.APPLY
    session = tenants.spec.session("acme", print)
    known, read = visits.completeness(session), read_completeness(session)
    assert known == read
    assert list(known.statements) == ["01-a", "02-b"]


def test_a_visited_database_is_not_read_by_the_next_run(tenants: Tenants) -> None:
    """The visit that applied the last module wrote down that nothing is left to do."""
    tenants.create(["acme"])
    (tenants.directory / "01-a.sql").write_text("CREATE TABLE a (id integer);", encoding="utf-8")
    tenants.apply("01", ["acme"])
    cache.clear()
    looked = look(tenants.spec.session("acme", print), recorded=True, explain=False)
    assert isinstance(looked, PlanInProgress)
    assert looked.plan.is_unchanged
    assert not looked.status.catalog.objects


def test_a_changed_module_is_awaited_by_the_later_ones_in_another_process(tenants: Tenants) -> None:
    """Whether a module is applied as its file is, the ledger says: also to a process that applied nothing itself."""
    tenants.create(["acme"])
    (tenants.directory / "01-a.sql").write_text("CREATE TABLE a (id integer);", encoding="utf-8")
    (tenants.directory / "02-b.sql").write_text("CREATE TABLE b (id integer);", encoding="utf-8")
    tenants.apply("01", ["acme"])
    visits.forget(tenants.spec.session("acme", print))
    (tenants.directory / "01-a.sql").write_text("CREATE TABLE a (id bigint);", encoding="utf-8")
    assert str(tenants.apply("02", ["acme"])["acme"].error) == "waits for 01-a"
    tenants.apply("01", ["acme"])
    assert tenants.apply("02", ["acme"])["acme"].result is Step.REBUILD


def test_no_connection_is_left_open(tenants: Tenants) -> None:
    """After the work on a database nobody is connected to it, however many databases there are."""
    tenants.create()
    (tenants.directory / "01-a.sql").write_text("CREATE TABLE a (id integer);", encoding="utf-8")
    tenants.apply("01")
    count = "SELECT count(*) FROM pg_stat_activity WHERE datname IN ('acme', 'globex', 'initech')"
    with connect(tenants.spec.admin, autocommit=True) as connection:
        deadline = time.monotonic() + 5  # a backend ends a moment after its client has closed the connection
        while (found := connection.execute(count).fetchone()) != (0,) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert found == (0,)


def test_no_more_connections_than_the_server_has_free(template: Target) -> None:
    """Two connections for a database: eight are four databases at once, and a full server gets one at a time."""
    admin = template.on("postgres")
    assert parallel_databases(admin, 8) == 4
    with connect(admin, autocommit=True) as connection:
        ((free,),) = connection.execute(parallel.FREE_CONNECTIONS).fetchall()
    held = [connect(admin) for _ in range(free - 1)]
    try:
        assert parallel_databases(admin, 8) == 1
    finally:
        for connection in held:
            connection.close()


def test_work_is_limited_over_all_groups() -> None:
    """Two groups at once do not work on more databases than one may."""
    running, most, lock = 0, 0, threading.Lock()

    def work(_name: str) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02)
        with lock:
            running -= 1

    names = [f"db{number}" for number in range(8)]
    threads = [
        threading.Thread(target=carry_out, args=(names, work), kwargs={"parallel": 2, "tell": print}) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_a_cancelled_run_ends_after_the_databases_it_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is begun is finished; the rest was not begun, and is told so."""
    cancelled = threading.Event()
    monkeypatch.setattr(parallel, "cancelled", cancelled)

    def work(_name: str) -> str:
        cancelled.set()
        return "done"

    outcomes = carry_out(["a", "b", "c"], work, parallel=1, tell=print)
    assert outcomes["a"].result == "done"
    assert [type(outcomes[name].error) for name in ("b", "c")] == [CancelledError] * 2


def test_progress_is_a_line_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines say how many of how many are done; quick work has none, and the last one closes the others."""
    lines: list[str] = []
    carry_out(["a", "b"], lambda _: "applied", parallel=1, tell=lines.append)
    assert lines == []
    monkeypatch.setattr(parallel, "PROGRESS_SECONDS", 0.0)
    carry_out(["a", "b"], lambda _: "applied", parallel=1, tell=lines.append)
    assert [line.partition(" (")[0] for line in lines] == ["1 of 2: a applied", "2 of 2: b applied"]
