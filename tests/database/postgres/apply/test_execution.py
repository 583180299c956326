"""The executor: a module does the same in a first run, in a rebuild, and in a proof on a scratch database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from infra.errors import InfraError, ModuleError
from infra.modules.decision import Step
from infra.modules.directive import DIRECTIVE
from infra.plan import commits
from infra.plan.commits import Commit
from infra.plan.rendering import PlannedDatabase, plan_as_text
from tests.database.postgres.databases import EPHEMERAL, World

if TYPE_CHECKING:
    from collections.abc import Callable

pytest_plugins = ["tests.database.scratch_server"]

TABLES = "SELECT format('%I', relname) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
PAIR = """
CREATE TABLE parent (id integer PRIMARY KEY);
CREATE TABLE child (id integer PRIMARY KEY, parent_id integer REFERENCES parent {});
INSERT INTO child VALUES (1, 7);
INSERT INTO parent VALUES (7);
"""
CIRCLE = """
CREATE TABLE hen (id integer PRIMARY KEY, egg_id integer NOT NULL);
CREATE TABLE egg (id integer PRIMARY KEY, hen_id integer NOT NULL REFERENCES hen DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE hen ADD FOREIGN KEY (egg_id) REFERENCES egg DEFERRABLE INITIALLY DEFERRED;
INSERT INTO hen VALUES (1, 1);
INSERT INTO egg VALUES (1, 1);
"""
CHECKED = """
CREATE TABLE checked (id integer);
CREATE FUNCTION check_later() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN IF current_setting(''application_name'') = ''x'' THEN RAISE ''x''; END IF; RETURN NULL; END';
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON checked DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_later();
INSERT INTO checked VALUES (1);
"""
ENUM = "CREATE TYPE mood AS ENUM ('sad');\n"
ADD_VALUE = "ALTER TYPE mood ADD VALUE 'ok';\n"
USE_VALUE = "CREATE TABLE person (m mood DEFAULT 'ok');\nINSERT INTO person DEFAULT VALUES;\n"
ASSERT = "DO $$ BEGIN ASSERT {}; END $$;\n"
OWNS = "current_user = (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database())"

LEFT_BEHIND = {
    "a temporary table of a later table's name": (
        "CREATE TEMP TABLE city AS SELECT 1 AS id, 'de' AS country;\nINSERT INTO country SELECT country FROM city;\n",
        "CREATE TABLE city (id integer, country text);\nINSERT INTO city VALUES (7, 'de');\n",
    ),
    "temporary tables of one name": ("CREATE TEMP TABLE work (a integer);\n", "CREATE TEMP TABLE work (b text);\n"),
    "temporary tables until COMMIT": (
        "CREATE TEMP TABLE work (a integer) ON COMMIT DROP;\nINSERT INTO work VALUES (1);\n",
        "CREATE TEMP TABLE work (b text) ON COMMIT DELETE ROWS;\nINSERT INTO work VALUES (1);\n",
    ),
    "a temporary view, type, sequence and function": (
        (
            "CREATE TEMP VIEW v AS SELECT 1 AS a;\nCREATE TYPE pg_temp.y AS (a integer);\nCREATE TEMP SEQUENCE q;\n"
            "CREATE FUNCTION pg_temp.f() RETURNS integer LANGUAGE sql AS 'SELECT 1';\n"
        ),
        (
            "CREATE VIEW v AS SELECT 2 AS a;\nCREATE TYPE y AS (b text);\nCREATE SEQUENCE q;\nCREATE TABLE t (a y);\n"
            "CREATE FUNCTION pg_temp.f() RETURNS text LANGUAGE sql AS 'SELECT 1';\n"
        ),
    ),
    "prepared statements of one name": ("PREPARE p AS SELECT 1;\n", "PREPARE p AS SELECT 2;\n"),
    "cursors of one name": (
        "DECLARE c CURSOR WITH HOLD FOR TABLE country;\nDECLARE d CURSOR FOR TABLE country;\nFETCH d;\n",
        "ALTER TABLE country ADD x text;\nDECLARE c CURSOR FOR TABLE country;\nDECLARE d CURSOR FOR TABLE country;\n",
    ),
    "settings": (
        (
            "CREATE SCHEMA s;\nSET search_path = s;\nSET LOCAL check_function_bodies = off;\nSET my.own = 'x';\n"
            "SELECT set_config('role', session_user::text, false);\n"
        ),
        "CREATE TABLE here ();\n"
        + ASSERT.format(f"to_regclass('public.here') IS NOT NULL AND {OWNS}")
        + ASSERT.format("current_setting('check_function_bodies') = 'on' AND current_setting('my.own', true) = ''"),
    ),
    "listeners": ("LISTEN a;\n", ASSERT.format("(SELECT count(*) FROM pg_listening_channels()) = 0")),
    "locks of the session": (
        "SELECT pg_advisory_lock(5), pg_advisory_lock(5), pg_advisory_lock_shared(6, 7);\n",
        ASSERT.format(
            "NOT EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'"
            " AND (objid = 5 OR classid = 6))"
        ),
    ),
    "the current values of sequences": (
        "CREATE SEQUENCE q;\nSELECT nextval('q');\n",
        "DO $$ BEGIN PERFORM currval('q'); RAISE ''; EXCEPTION WHEN object_not_in_prerequisite_state THEN END $$;\n",
    ),
    "deferred foreign keys": (PAIR.format("DEFERRABLE INITIALLY DEFERRED"), "ALTER TABLE child ADD note text;\n"),
    "foreign keys deferred for the transaction": (
        "SET CONSTRAINTS ALL DEFERRED;\n" + PAIR.format("DEFERRABLE"),
        "ALTER TABLE child ADD note text;\n",
    ),
    "a deferred constraint trigger": (CHECKED, "ALTER TABLE checked ADD note text;\n"),
    "a deferred unique constraint": (
        (
            "CREATE TABLE u (a integer UNIQUE DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO u VALUES (1), (2);\n"
            "UPDATE u SET a = 3 - a;\n"
        ),
        "ALTER TABLE u ADD note text;\nINSERT INTO u VALUES (1);\nUPDATE u SET a = 9 WHERE ctid = '(0,5)';\n",
    ),
    "constraints that are made later": (PAIR.format("DEFERRABLE INITIALLY DEFERRED"), CIRCLE),
    "a deferred constraint that is used again": (
        PAIR.format("DEFERRABLE INITIALLY DEFERRED"),
        "INSERT INTO child VALUES (2, 8);\nINSERT INTO parent VALUES (8);\n",
    ),
    "a new value of an enum": (ENUM + "CREATE TABLE x ();\n", ADD_VALUE, USE_VALUE),
}


def contents(world: World) -> dict[str, list[Any]]:
    """Return the rows of each table."""
    return {name: sorted(map(str, world.sql(f"TABLE {name}"))) for (name,) in world.sql(TABLES)}


def write(world: World, *texts: str) -> None:
    """Write modules with these texts; the first one has a table more."""
    named = {f"m0{number}_x": text for number, text in enumerate(texts, 1)}
    world.write(**{**named, "m01_x": f"CREATE TABLE country (code text);\n{texts[0]}"})


@pytest.mark.parametrize("texts", LEFT_BEHIND.values(), ids=LEFT_BEHIND.keys())
def test_what_a_module_leaves_reaches_no_later_one(new_world: Callable[[], World], texts: tuple[str, ...]) -> None:
    """A rebuild gives the catalog and the rows that a first run gives, whatever a module leaves in its session."""
    world, first = new_world().set(lifecycle=EPHEMERAL), new_world()
    write(world, *texts)
    assert world.up() == [Step.APPLY] * len(texts)
    write(world, "CREATE TABLE edited ();\n" + texts[0], *texts[1:])
    assert world.up() == [Step.REBUILD] * len(texts)
    first.up()
    assert contents(world) == contents(first)
    assert world.fingerprint() == first.fingerprint()
    assert world.drift() == {}
    assert world.equals_scratch()


@pytest.mark.parametrize("texts", LEFT_BEHIND.values(), ids=LEFT_BEHIND.keys())
def test_a_proof_runs_what_a_first_run_runs(world: World, texts: tuple[str, ...]) -> None:
    """The modules can be verified on a scratch database, whatever they leave in their sessions."""
    write(world, *texts)
    world.up()
    assert world.equals_scratch()


BROKEN = PAIR.format("DEFERRABLE INITIALLY DEFERRED").replace("INSERT INTO parent VALUES (7);\n", "")
VIOLATION = 'insert or update on table "child" violates foreign key constraint "child_parent_id_fkey" [23503]'


@pytest.mark.parametrize(("first", "place"), [("", "sql/01-x.sql"), (f"{DIRECTIVE}\n", "sql/01-x.sql")])
def test_a_deferred_violation_names_its_module(world: World, first: str, place: str) -> None:
    """What a module has deferred is checked at its end, and the error names the module and not the transaction."""
    world.write(m01_x=f"{first}{BROKEN}")
    with pytest.raises(ModuleError) as caught:
        world.up()
    assert str(caught.value).splitlines() == [
        f"{place}: {VIOLATION}",
        '  detail: Key (parent_id)=(7) is not present in table "parent".',
        "  hint: what is deferred is checked when its module ends, or its statement in a module that runs by statement",
    ]


def test_a_deferred_violation_in_a_rebuild_names_its_module(world: World) -> None:
    """In a rebuild, too, each module is checked at its own end, and nothing is changed when one fails."""
    world.set(lifecycle=EPHEMERAL).write(m01_x="CREATE TABLE a ();\n", m02_x=PAIR.format(""), m03_x="SELECT 1;\n")
    world.write(m02_x="CREATE TABLE b ();\n")
    world.up()
    world.write(m01_x="CREATE TABLE c ();\n", m02_x=BROKEN)
    with pytest.raises(ModuleError, match=r"^sql/02-x\.sql: insert or update on table"):
        world.up()
    assert sorted(contents(world)) == ["a", "b"]


COMMITS = "DO $$ BEGIN COMMIT; END $$;\n"


@pytest.mark.parametrize("first", ["", f"{DIRECTIVE}\n"])
def test_a_block_that_commits_is_explained(world: World, first: str) -> None:
    """A DO block cannot end the transaction that the module's record is part of, and the error says so."""
    world.write(m01_x=f"{first}{COMMITS}")
    with pytest.raises(ModuleError) as caught:
        world.up()
    assert "invalid transaction termination [2D000]" in str(caught.value)
    assert "leave COMMIT and ROLLBACK out of DO blocks and procedures" in caught.value.hint


STACK_PRIVILEGES = {
    "GRANT ALL ON SCHEMA public TO PUBLIC": "privileges of PUBLIC on schema public",
    "REVOKE USAGE ON SCHEMA public FROM world_readonly": "privileges of world_readonly on schema public",
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO world_readonly": (
        "privileges of world_readonly on future tables of world_owner"
    ),
    "GRANT CONNECT ON DATABASE %I TO PUBLIC": "the database's privileges, owner or limits",
    "ALTER DATABASE %I CONNECTION LIMIT 7": "the database's privileges, owner or limits",
}


@pytest.mark.parametrize("first", ["", f"{DIRECTIVE}\n"], ids=["in a transaction", "by statement"])
@pytest.mark.parametrize(("statement", "place"), STACK_PRIVILEGES.items(), ids=STACK_PRIVILEGES.keys())
def test_no_statement_gives_a_privilege_two_owners(world: World, first: str, statement: str, place: str) -> None:
    """What the text of a module hides, its change of the catalog shows: the stack declares that, and it is undone."""
    world.write(
        m01_x="CREATE TABLE a ();\n",
        m02_x=f"{first}DO $$ BEGIN EXECUTE format('{statement}', current_database()); END $$;\n",
    )
    before = access(world)
    with pytest.raises(ModuleError) as caught:
        world.up()
    assert str(caught.value).splitlines() == [
        f"sql/02-x.sql: changes {place}, which the stack declares: each would undo the other",
        "  hint: remove it: the stack's roles have what they need (docs/how-do-i.md)",
    ]
    assert access(world) == before
    assert sorted(world.ledger()) == ["01-x"]
    world.write(m02_x="CREATE TABLE b ();\nGRANT SELECT ON b TO world_readonly;\n")
    world.up()
    assert access(world) == before


def test_a_rebuild_gives_no_privilege_two_owners(world: World) -> None:
    """A module of a rebuild is refused alike, its preview says so, and nothing is dropped."""
    world.set(lifecycle=EPHEMERAL).write(m01_x="CREATE TABLE a ();\n", m02_x="CREATE TABLE b ();\n")
    world.up()
    world.write(m01_x="CREATE TABLE a ();\nDO $$ BEGIN GRANT ALL ON SCHEMA public TO PUBLIC; END $$;\n")
    assert "changes privileges of PUBLIC on schema public" in str(world.plan().refusals)
    with pytest.raises(InfraError, match="changes privileges of PUBLIC on schema public"):
        world.up()
    assert sorted(contents(world)) == ["a", "b"]


def access(world: World) -> list[Any]:
    """Return the database's and schema public's privileges, the default ones, and the database's limit."""
    return world.sql(
        "SELECT d.datacl, d.datconnlimit, n.nspacl, ARRAY(SELECT a.defaclacl FROM pg_default_acl a)"
        " FROM pg_database d, pg_namespace n WHERE d.datname = current_database() AND n.nspname = 'public'"
    )


def test_a_rebuild_commits_where_postgresql_demands_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before PostgreSQL 17 the modules after one that adds a value to an enum wait for its commit."""
    monkeypatch.setattr(commits, "ENUM_VERSION", 10**6)
    world.set(lifecycle=EPHEMERAL).write(m01_x=ENUM, m02_x=ADD_VALUE, m03_x=USE_VALUE, m04_x="SELECT 1;\n")
    world.up()
    world.write(m01_x=f"CREATE TABLE a ();\n{ENUM}")
    plan = world.plan()
    assert plan.commit == Commit("03-x", "02-x adds a value to an enum, usable after a commit only")
    assert f"  {plan.commit}\n" in plan_as_text([PlannedDatabase("x", EPHEMERAL, plan)], {}) + "\n"
    world.write(m04_x="SELECT 1 / 0;\n")
    with pytest.raises(ModuleError, match=r"^sql/04-x\.sql:1:1: division by zero"):
        world.up()
    assert sorted(contents(world)) == ["a", "person"]
    assert sorted(world.ledger()) == ["01-x", "02-x", "03-x"]
    world.write(m04_x="SELECT 1;\n")
    assert world.up() == [*[Step.UNCHANGED] * 3, Step.REBUILD]
    assert world.equals_scratch()


def test_a_value_that_is_added_unseen_makes_a_rebuild_begin_again(world: World) -> None:
    """A value that no statement shows, or of an enum that no module made, is used after a commit all the same."""
    world.sql("CREATE TYPE mood AS ENUM ('sad')")
    world.set(lifecycle=EPHEMERAL, allowed=("enum public.mood",))
    world.write(m01_x="SELECT 1;\n", m02_x="PREPARE p AS SELECT 1;\n", m03_x="CREATE TABLE person (m mood);\n")
    world.up()
    hidden = "DO $$ BEGIN EXECUTE 'ALTER TYPE mood ADD VALUE IF NOT EXISTS ''ok'''; END $$;\n"
    world.write(m01_x=hidden, m03_x=USE_VALUE)
    assert world.up() == [Step.REBUILD] * 3
    assert contents(world) == {"person": ["('ok',)"]}
    assert world.messages[-1].startswith(f"{world.place}: the run commits before 03-x, because a module before it adds")


def test_a_value_that_its_own_module_uses_changes_nothing(world: World) -> None:
    """A module that never can be applied does not make a rebuild commit what it ran before."""
    world.sql("CREATE TYPE mood AS ENUM ('sad')")
    world.set(lifecycle=EPHEMERAL, allowed=("enum public.mood",)).write(
        m01_x="CREATE TABLE a ();\n", m02_x="SELECT 1;\n"
    )
    world.up()
    world.sql("ALTER TABLE a ADD note text")
    world.write(m01_x="CREATE TABLE b ();\n", m02_x=ADD_VALUE + USE_VALUE)
    with pytest.raises(ModuleError, match="55P04"):
        world.up()
    assert sorted(contents(world)) == ["a"]
