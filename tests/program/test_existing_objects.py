"""Roles and databases that the server has and the state does not: a killed run goes on, a stranger's are refused."""

from __future__ import annotations

import os
import re
import signal
import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.program.kinds import PLAIN

if TYPE_CHECKING:
    from tests.program.project import Project

pytestmark = pytest.mark.full

UNCHANGED = re.compile(r"Resources:\n +\d+ unchanged\n")
CREATING = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'CREATE DATABASE%%' AND wait_event_type = %s"
SECONDS = 60


def execute(project: Project, *statements: str) -> None:
    """Run statements as a superuser, each in a transaction of its own."""
    with psycopg.connect(**project.home.way(project), dbname="postgres", autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def kill_in_create_database(project: Project) -> None:
    """Kill `up` while it waits for the server in CREATE DATABASE, which the server then completes."""
    with psycopg.connect(**project.home.way(project), dbname="postgres") as connection:
        connection.execute("COMMENT ON DATABASE template0 IS 'locked until the end of this transaction'")
        process = project.start(*project.line("up"))
        deadline = time.monotonic() + SECONDS
        with psycopg.connect(**project.home.way(project), dbname="postgres", autocommit=True) as observer:
            while not observer.execute(CREATING, ("Lock",)).fetchall():
                assert time.monotonic() < deadline, "no CREATE DATABASE waits"
                assert process.poll() is None, process.communicate()[0]
                time.sleep(0.05)
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            connection.rollback()
            while not observer.execute("SELECT FROM pg_database WHERE datname = 'app_db'").rowcount:
                assert time.monotonic() < deadline, "the server did not complete it"
                time.sleep(0.05)
    project.pulumi("cancel", "--yes", "--stack", project.stack)


@pytest.mark.parametrize("kind", [PLAIN], indirect=True)
def test_what_the_state_does_not_know_of_goes_on(bare: Project) -> None:
    """After a kill in CREATE DATABASE, or with a part of the state deleted, `up` imports what is there, with rows."""
    kill_in_create_database(bare)
    text = bare.preview()
    assert re.search(r"= postgresql:index/database:Database: \(import\)\s+\[id=app_db\]", text), text
    bare.up()
    assert UNCHANGED.search(bare.up())
    bare.sql("INSERT INTO customers VALUES ('kept', 'x@y')")
    role = bare.resource("app_db_app")["urn"]
    bare.pulumi("state", "delete", role, "--target-dependents", "--yes", "--stack", bare.stack)
    text = bare.up()
    assert "= 3 imported" in text, text  # the role, the one after it, and the database
    assert bare.sql("SELECT id FROM customers", role="app") == [("kept",)]
    assert UNCHANGED.search(bare.up("--replace", bare.resource("shared-objects")["urn"])) is None
    assert bare.verb("refresh", "--clear-pending-creates", "--expect-no-changes").status == 0
    execute(bare, "DROP DATABASE app_db WITH (FORCE)")
    bare.verb("refresh")
    text = bare.up()
    assert "the server has no database app_db any more" in text
    assert "app_db imported" in text
    assert UNCHANGED.search(bare.up())
    bare.destroy()
    assert bare.home.traces(bare) == []


@pytest.mark.parametrize("kind", [PLAIN], indirect=True)
def test_what_was_there_first_is_refused_until_the_settings_name_it(bare: Project) -> None:
    """The refusal comes before anything is created; what the settings name is taken over, and outlives the stack."""
    execute(bare, "CREATE ROLE app_db_app NOLOGIN", "GRANT app_db_app TO boss WITH ADMIN OPTION")
    execute(bare, "CREATE DATABASE app_db OWNER boss")
    bare.admin("CREATE TABLE old (id integer); INSERT INTO old VALUES (7); ALTER TABLE old OWNER TO boss")
    there = bare.home.traces(bare)
    sentence = "has role app_db_app and database app_db already, which this stack did not create; choose other names or"
    for verb in ("preview", "up"):
        text = bare.refused(verb)
        assert sentence in text
        assert "add app_db_app and app_db to server.adopt" in text
    assert bare.home.traces(bare) == there
    bare.serve(adopt=["app_db", "app_db_app"])
    text = bare.preview()
    assert "takes over role app_db_app, database app_db" in text
    assert "= 2 to import" in text
    bare.configure(modules={"unmanaged": ["* public.old*"]})
    bare.up()
    assert UNCHANGED.search(bare.up())
    assert bare.sql("SELECT count(*) FROM shipping_methods", role="app") == [(3,)]
    bare.destroy()
    roles = ["app_db_owner", "app_db_migrator", "app_db_readonly"]  # own objects in the database, or may use them
    assert sorted(bare.home.traces(bare)) == sorted([*there, *roles])
    assert bare.admin("SELECT id FROM old") == [(7,)]
