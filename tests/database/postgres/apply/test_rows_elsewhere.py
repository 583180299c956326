"""Modules that write rows into tables of others: after every edit the rows are those of a new database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.modules.decision import Step
from infra.modules.directive import DIRECTIVE
from infra.plan.rendering import PlannedDatabase, plan_as_text
from infra.postgres.apply import runner
from infra.postgres.apply.losses import rows_at_risk
from infra.postgres.apply.plan_cache import PlanInProgress
from infra.postgres.apply.planning import look
from tests.database.postgres.databases import EPHEMERAL, PERSISTENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

A = "CREATE TABLE a (id integer PRIMARY KEY, note text);\nINSERT INTO a VALUES (1, 'of 02');\n"
B = "CREATE TABLE b (id integer);\nINSERT INTO b VALUES (7);\n"
LOG = "CREATE TABLE log (id integer, note text);\n"
FILL = "CREATE FUNCTION fill() RETURNS void LANGUAGE sql BEGIN ATOMIC INSERT INTO a VALUES (2, 'x'); END;\n"
TRIGGER = """
CREATE FUNCTION write_log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (new.id, 'x');
RETURN NULL; END $$;
CREATE TRIGGER writes AFTER INSERT ON c FOR EACH ROW EXECUTE FUNCTION write_log();
INSERT INTO c VALUES (1);
"""
WRITES = {
    "insert": "INSERT INTO a VALUES (2, 'x');",
    "insert that may be there": "INSERT INTO a VALUES (2, 'x') ON CONFLICT DO NOTHING;",
    "with": "WITH t AS (INSERT INTO a VALUES (2, 'x') RETURNING id) INSERT INTO c SELECT id FROM t;",
    "do": "DO $$ BEGIN INSERT INTO a VALUES (2, 'x'); END $$;",
    "execute": "DO $$ BEGIN EXECUTE 'INSERT INTO a VALUES (2, ''x'')'; END $$;",
    "function": f"{FILL}SELECT fill();",
    "update": "UPDATE a SET note = note || ' x';",
    "delete": "DELETE FROM a WHERE id = 1;",
    "merge": "MERGE INTO a USING (VALUES (1)) n (id) ON a.id = n.id WHEN MATCHED THEN UPDATE SET note = note || 'x';",
    "insert and delete": "INSERT INTO a VALUES (2, 'x'); DELETE FROM a WHERE id = 1;",
    "trigger": TRIGGER,
    "by statement": "INSERT INTO a VALUES (2, 'x');",
}


def third(write: str, *, by_statement: bool = False) -> str:
    """Return the module that writes into tables of the first two."""
    return (f"{DIRECTIVE}\n" if by_statement else "") + f"CREATE TABLE c (id integer);\n{write}\n"


def rows(world: World) -> list[object]:
    """Return all rows of all tables, whatever order they are in."""
    return [world.sql(f"SELECT t::text FROM {table} AS t ORDER BY 1") for table in ("a", "log", "b", "c")]


def carried_out(world: World) -> list[Step]:
    """Do what a run does: look, run the modules, retire those without a file; return the steps of the others."""
    before, modules = world.ledger(), world.modules()
    world.new_process()
    look(world.session, recorded=True, explain=False)
    steps = [world.apply(module, recorded=True) for module in modules]
    for name in sorted(before.keys() - {module.name for module in modules}, reverse=True):
        runner.retire(world.session, name)
    return steps


@pytest.fixture
def filled(world: World) -> World:
    """Return an ephemeral world whose fourth module inserted a row into the table of the second."""
    world.write(m01_log=LOG, m02_a=A, m03_b=B, m04_c=third(WRITES["insert"]))
    world.set(lifecycle=EPHEMERAL).up()
    return world


@pytest.mark.parametrize("kind", WRITES)
def test_rows_are_as_in_a_new_database_after_every_edit(new_world: Callable[[], World], kind: str) -> None:
    """After an edit of a module before the writing one, of what that writes, and of all that it writes."""
    write, by_statement = WRITES[kind], kind == "by statement"
    world = new_world().set(lifecycle=EPHEMERAL)
    world.write(m01_log=LOG, m02_a=A, m03_b=B, m04_c=third(write, by_statement=by_statement))
    world.up()
    for edit in (
        {"m03_b": B.replace("integer", "bigint")},
        {"m04_c": third(write.replace("x", "y"), by_statement=by_statement)},
        {"m04_c": third("")},
    ):
        world.write(**edit)
        plan = world.plan(recorded=True)
        assert carried_out(world) == [step.step for step in plan.steps]
        fresh = new_world()
        fresh.up()
        assert rows(world) == rows(fresh), edit
        assert world.plan(recorded=True).is_unchanged


def test_the_tables_of_a_removed_module_s_rows_are_built_anew(filled: World) -> None:
    """The rows go with the module's file."""
    world = filled
    world.write(m04_c=None)
    assert carried_out(world) == [Step.UNCHANGED, Step.REBUILD, Step.REBUILD]
    assert world.sql("SELECT id FROM a") == [(1,)]
    assert set(world.ledger()) == {"01-log", "02-a", "03-b"}


def test_of_two_modules_that_write_into_one_table_both_run_again(filled: World) -> None:
    """One of them is edited: the table is built anew, and has the rows of both."""
    world = filled
    world.write(m05_more="INSERT INTO a VALUES (3, 'x');\n")
    assert world.up() == [Step.UNCHANGED] * 4 + [Step.APPLY]
    world.write(m05_more="INSERT INTO a VALUES (4, 'x');\n")
    assert world.up() == [Step.UNCHANGED] + [Step.REBUILD] * 4
    assert world.sql("SELECT id FROM a ORDER BY 1") == [(1,), (2,), (4,)]


def test_the_plan_says_why_and_what_is_lost(filled: World) -> None:
    """The table's module is rebuilt for another reason than those after it, and rows of nobody's module are at risk."""
    world = filled
    world.sql("INSERT INTO a VALUES (9, 'of a person')")
    world.write(m03_b=B.replace("integer", "bigint"))
    world.new_process()
    looked = look(world.session, recorded=True, explain=False)
    assert isinstance(looked, PlanInProgress)
    assert rows_at_risk(world.session, looked) == {"public.a": "1"}
    text = plan_as_text([PlannedDatabase("shop", EPHEMERAL, looked.plan, {"public.a": "1"})], {})
    assert "  rebuild 02-a: a later module wrote rows into its tables, and is built anew or removed\n" in text
    assert "  rebuild 04-c: later than 03-b, whose objects are dropped and made anew\n" in text


def test_a_persistent_database_is_compared_as_ever(filled: World) -> None:
    """Nothing is rebuilt for rows."""
    world = filled.set(lifecycle=PERSISTENT)
    world.write(m04_c=third("INSERT INTO a VALUES (5, 'x');"))
    assert world.up() == [Step.UNCHANGED] * 3 + [Step.VERIFY]
    assert world.sql("SELECT id FROM a ORDER BY 1") == [(1,), (2,)]
