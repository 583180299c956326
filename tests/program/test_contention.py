"""Others are at the same database: a run waits for them or names them, and never breaks what they do."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.program.kinds import PLAIN
from tests.program.project import finished
from tests.program.run_folder import new_checkout

if TYPE_CHECKING:
    from tests.program.project import Project

pytestmark = [pytest.mark.every_kind, pytest.mark.full]

SLOW = "-- A table, slowly.\nCREATE TABLE slowly (a int);\nSELECT pg_sleep(1);\n"


def test_two_runs_at_once_through_two_backends_make_one_schema(project: Project) -> None:
    """The same stack in two states, brought up at once: one waits for the other, and both find the module applied."""
    project.add("sql/09-slowly.sql", SLOW)
    twin = project.twin(new_checkout())
    try:
        runs = [finished(run) for run in [stack.start(*stack.line("up")) for stack in (project, twin)]]
        assert [run.status for run in runs] == [0, 0], "\n".join(run.text for run in runs)
        assert project.sql("SELECT module, failure FROM sqlmodule.event WHERE module LIKE '09%'") == [
            ("09-slowly", None)
        ]
        assert project.fingerprint() == twin.fingerprint()
    finally:
        shutil.rmtree(twin.folder)


def test_a_session_in_the_way_is_named(project: Project, kind: str) -> None:
    """A lock that is not released in time is an error with pid, application and time of who holds it."""
    project.configure(modules={"lock_timeout": "300ms", "wait": "2s"})
    project.add("sql/09-wider.sql", "-- A wider table.\nALTER TABLE categories ADD COLUMN wide int;\n")
    with project.connect(application="nightly report") as other:
        other.execute("LOCK TABLE categories IN ACCESS EXCLUSIVE MODE")
        text = project.refused("up")
        pid = other.info.backend_pid
    assert "sql/09-wider.sql:2:1: canceling statement due to lock timeout [55P03]" in text
    seen = r", idle in transaction since \d\d:\d\d:\d\d .*" if kind != PLAIN else ""  # who may not see it is not told
    assert re.search(rf"pid {pid} \(nightly report, role postgres{seen}\)", text), text
    assert "try 2 of" in text
    project.up()
    assert project.ledger()[-1] == "09"


LIMITS = ("idle_session_timeout", "idle_in_transaction_session_timeout", "statement_timeout", "lock_timeout")


def test_a_module_takes_longer_than_the_servers_own_limits(project: Project) -> None:
    """Time limits of the server, the database and the roles end no session of a run, nor make it try again."""
    with psycopg.connect(**project.home.way(project), dbname="postgres", autocommit=True) as connection:
        for name in LIMITS:
            connection.execute(f"ALTER SYSTEM SET {name} = '500ms'".encode())
        connection.execute("SELECT pg_reload_conf()")
    try:
        project.add("sql/09-slowly.sql", SLOW.replace("sleep(1)", "sleep(3)"))
        text = project.up()
        assert "try 2 of" not in text
        assert project.ledger()[-1] == "09"
        assert project.verb("preview", "--expect-no-changes").status == 0
        assert project.verb("refresh", "--expect-no-changes").status == 0
    finally:
        with project.connect("postgres") as connection:
            connection.autocommit = True
            connection.execute("ALTER SYSTEM RESET ALL")


def test_a_read_only_server_is_said_so(project: Project) -> None:
    """A server that takes no changes is named as the reason, and the run completes when it takes them again."""
    project.configure(modules={"wait": "2s"})
    project.add("sql/09-wider.sql", "-- A wider table.\nALTER TABLE customers ADD COLUMN wide int;\n")
    settings = project.settings["server"]["settings"]
    project.serve(settings={**settings, "default_transaction_read_only": True})
    text = project.refused("up")
    assert re.search("read.only", text), text
    project.serve(settings=settings)
    project.up()
    assert project.ledger()[-1] == "09"
