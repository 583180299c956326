"""The upgrade of a container's data to another major version of PostgreSQL: complete, or without any change."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.program.docker_engine import IMAGE, NEWEST, docker, missing
from tests.program.homes import Docker
from tests.program.test_killed import hosts, wait_until

if TYPE_CHECKING:
    from tests.program.project import Project

REASON = missing()
pytestmark = [pytest.mark.skipif(bool(REASON), reason=REASON), pytest.mark.full]

BY_HAND = """
CREATE DATABASE "by hand's"; CREATE ROLE readers;
CREATE ROLE somebody LOGIN PASSWORD 'Pw-by-hand'; GRANT readers TO somebody
"""
MORE = """
CREATE TABLE "Big one" (a int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, b text, c numeric DEFAULT 1.5);
INSERT INTO "Big one" (b) SELECT md5(i::text) FROM generate_series(1, 5000) i;
CREATE VIEW a_few AS SELECT * FROM "Big one" WHERE a < 10;
"""

TRAPS = """
SET ROLE app_db_owner; SET search_path = public;
CREATE FUNCTION rise(trap text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
    EXECUTE pg_catalog.format('COPY (SELECT 1) TO PROGRAM %L', 'touch "risen by ' || trap || '"'); RETURN 'x';
EXCEPTION WHEN insufficient_privilege THEN RETURN 'x'; END $$;
CREATE FUNCTION evil(trap text, a text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
    $$ BEGIN PERFORM public.rise(trap); RETURN a; END $$;
CREATE TABLE checked (a text CHECK (evil('a check', a) = a)); INSERT INTO checked VALUES ('x');
CREATE TABLE generated (a text, b text GENERATED ALWAYS AS (evil('a generated column', a)) STORED);
INSERT INTO generated VALUES ('x');
CREATE TABLE parted (a text) PARTITION BY LIST ((a || evil('a partition', 'x')));
CREATE DOMAIN narrow AS text CHECK (evil('a domain', VALUE) = VALUE);
CREATE FUNCTION step(narrow, text) RETURNS narrow LANGUAGE sql AS 'SELECT $1';
CREATE AGGREGATE last_of(text) (SFUNC = step, STYPE = narrow, INITCOND = 'x');
CREATE TABLE split (a narrow) PARTITION BY LIST (a);
CREATE TABLE split_x PARTITION OF split FOR VALUES IN ('x');
CREATE TABLE later (a text); INSERT INTO later VALUES ('x');
CREATE FUNCTION is_right(later) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
    $$ BEGIN PERFORM public.rise('a check of rows'); RETURN true; END $$;
ALTER TABLE later ADD CHECK (is_right(later));
CREATE TABLE parent (a text PRIMARY KEY); INSERT INTO parent VALUES ('x');
CREATE TABLE child (a text); INSERT INTO child VALUES ('x');
CREATE INDEX ON child (a) WHERE evil('an index', 'x') = 'x'; CREATE INDEX ON child (evil('an expression', a));
ALTER TABLE child ADD FOREIGN KEY (a) REFERENCES parent;
CREATE TABLE counted (a text); INSERT INTO counted VALUES ('x');
CREATE INDEX ON counted (a) WHERE evil('a count', 'x') = 'x';
CREATE MATERIALIZED VIEW computed AS SELECT evil('a view', a) AS a FROM checked;
CREATE INDEX ON computed (a) WHERE evil('a view with an index', 'x') = 'x';
CREATE FUNCTION on_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM public.rise('a trigger of the ledger'); RETURN NEW; END $$;
CREATE TRIGGER t BEFORE UPDATE ON sqlmodule.identity FOR EACH ROW EXECUTE FUNCTION on_change();
CREATE TRIGGER t BEFORE UPDATE ON sqlmodule.ledger FOR EACH ROW EXECUTE FUNCTION on_change();
"""
"""Functions that PostgreSQL runs while a dump is restored, rows are counted, and the ledger is written."""


@pytest.fixture
def home(engine: str) -> Docker:
    """Choose the docker kind for every project here."""
    return Docker(engine)


@pytest.fixture
def filled(bare: Project) -> Project:
    """Return a stack on PostgreSQL 15 with rows, and with a database and a role that it did not make."""
    bare.add("sql/09-view.sql", "-- A view.\nCREATE VIEW few_customers AS SELECT id, 'it''s' AS o FROM customers;\n")
    bare.up()
    for statement in BY_HAND.split(";"):
        with bare.connect("postgres") as connection:
            connection.autocommit = True
            connection.execute(statement.encode())
    bare.admin(MORE, database="by hand's")
    bare.sql("INSERT INTO customers VALUES ('kept', 'x@y')")
    return bare


def volumes(project: Project) -> list[str]:
    """Return the names of the stack's volumes, without its mark."""
    mine = ["--filter", f"name=pp-{project.mark}", "--format", "{{.Name}}"]
    names = docker(project.env["DOCKER_HOST"], "volume", "ls", *mine).split()
    return sorted(name.removeprefix(f"pp-{project.mark}") for name in names)


def containers(project: Project) -> list[str]:
    """Return the names of the containers of the stack and of an upgrade."""
    mine = ["--all", "--filter", f"name=pp-{project.mark}", "--format", "{{.Names}}"]
    return docker(project.env["DOCKER_HOST"], "ps", *mine).split()


def versions(project: Project) -> tuple[str, list[tuple[object, ...]]]:
    """Return the server's version and a row that was there before."""
    return str(project.admin("SHOW server_version")[0][0]).split(".")[0], project.sql("SELECT id FROM customers")


def test_data_move_to_another_major_version_when_asked_to(filled: Project) -> None:
    """Roles, passwords, databases and rows are in the new server, nothing is to do, and the old volume stays."""
    before, fingerprint = filled.outputs()["dsn"], filled.fingerprint()
    filled.serve(image=NEWEST)
    assert "set server.upgrade to dump-restore" in filled.refused("preview")
    filled.serve(upgrade="dump-restore")
    text = filled.preview()
    assert "upgrade from PostgreSQL 15 to 18: the server stops, all databases are dumped" in text
    assert volumes(filled) == [""]
    text = filled.up()
    assert re.search(r"moved: roles, catalogs and \d{4,} rows are equal; the data from before stay in volume pp-", text)
    assert versions(filled) == ("18", [("kept",)])
    assert filled.outputs()["dsn"] == before
    assert filled.admin('SELECT count(*), max(a) FROM "Big one"', database="by hand's") == [(5000, 5000)]
    assert filled.admin("SELECT rolname::text FROM pg_roles WHERE pg_has_role('somebody', oid, 'MEMBER')") == [
        ("readers",),
        ("somebody",),
    ]
    assert filled.verb("preview", "--expect-no-changes").status == 0, filled.preview()
    assert filled.verb("refresh").status == 0
    read = filled.resource("app_db-ready")["outputs"]["fingerprint"]
    assert read != fingerprint  # 18 writes the view in other words
    done = filled.verb("refresh", "--diff", "--expect-no-changes")
    assert done.status == 0, done.text
    assert volumes(filled) == ["", "-18", "-dump-15"]
    assert containers(filled) == [f"pp-{filled.mark}"]
    look = ["-v", f"pp-{filled.mark}-dump-15:/x:ro", IMAGE, "-c", "ls -A /x /x/dump; cat /x/dump/globals.sql"]
    kept = docker(filled.env["DOCKER_HOST"], "run", "--rm", "--entrypoint", "sh", *look)
    assert re.search(r"^\d+-app_db\.dump$", kept, re.MULTILINE)
    assert "hba.conf" not in kept
    assert "initial-password" not in kept
    assert "SCRAM-SHA-256$4096" in kept
    filled.edit("sql/02-init-customers.sql", "    full_name  varchar,\n", "    full_name  varchar(2000),\n")
    filled.up()
    filled.serve(image=IMAGE)
    assert "which an older one cannot read" in filled.refused("preview")
    filled.serve(image=NEWEST)
    filled.destroy()
    assert volumes(filled) == []


def risen(project: Project) -> str:
    """Return the files that functions of an owner have written with the rights of a superuser, on either server."""
    mounts = [word for name in ("", "-18") for word in ("-v", f"pp-{project.mark}{name}:/data{name}:ro")]
    look = [*mounts, "--entrypoint", "sh", IMAGE, "-c", "find /data /data-18 -name 'risen*'"]
    return docker(project.env["DOCKER_HOST"], "run", "--rm", *look)


def test_a_move_runs_nothing_of_an_owner_as_superuser(filled: Project) -> None:
    """What a dump has is the owner's: a login that is no superuser restores it, and records it in the ledger."""
    filled.sql(TRAPS)
    filled.serve(image=NEWEST, upgrade="dump-restore")
    filled.up()
    assert risen(filled) == ""
    assert versions(filled) == ("18", [("kept",)])
    assert filled.sql("SELECT b, computed.a FROM generated, computed") == [("x", "x")]
    assert filled.admin("SELECT rolname FROM pg_roles WHERE rolname LIKE 'platform%'") == []
    assert filled.verb("preview", "--expect-no-changes").status == 0, filled.preview()


def test_a_move_that_fails_leaves_the_server_as_it_was(filled: Project) -> None:
    """What the newer version does not take is named; the old container runs again, and nothing of the move is left."""
    filled.admin("CREATE VIEW gone AS SELECT daticulocale FROM pg_database")  # a column that 17 has renamed
    container = json.loads(docker(filled.env["DOCKER_HOST"], "inspect", f"pp-{filled.mark}"))[0]["Id"]
    filled.serve(image=NEWEST, upgrade="dump-restore")
    text = filled.refused("up")
    assert re.search(r"was not moved to PostgreSQL 18: pg_restore of database app_db: failed: .*daticulocale", text), (
        text
    )
    assert "nothing was changed, and the server runs again as it was" in text
    assert versions(filled) == ("15", [("kept",)])
    assert volumes(filled) == [""]
    assert json.loads(docker(filled.env["DOCKER_HOST"], "inspect", f"pp-{filled.mark}"))[0]["Id"] == container
    filled.admin("DROP VIEW gone")
    filled.up()
    assert versions(filled) == ("18", [("kept",)])


def test_a_move_that_is_killed_is_begun_again(filled: Project) -> None:
    """After SIGKILL in the middle the data are where they were, and the next run moves them, over what was left."""
    filled.serve(image=NEWEST, upgrade="dump-restore")
    process = filled.start(*filled.line("up"))
    wait_until(lambda: f"pp-{filled.mark}.new" in containers(filled), "the newer server is not there")
    process.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()
    wait_until(lambda: not hosts(filled), "the host of the dynamic resources runs on")
    filled.pulumi("cancel", "--yes", "--stack", filled.stack)
    filled.up("--refresh=false")
    assert versions(filled) == ("18", [("kept",)])
    assert containers(filled) == [f"pp-{filled.mark}"]
    assert volumes(filled) == ["", "-18", "-dump-15"]
