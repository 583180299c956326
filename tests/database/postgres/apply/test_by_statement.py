"""Modules that run statement by statement: resumed where they stopped, with invalid indexes built again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.errors import InfraError, ModuleError, RefusedError
from infra.modules.decision import Step
from infra.modules.directive import DIRECTIVE
from infra.modules.statements import statements_digest
from tests.database.postgres.databases import EPHEMERAL

if TYPE_CHECKING:
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

TABLE = "CREATE TABLE a (id integer, name text);\nINSERT INTO a VALUES (1, 'x'), (1, 'y');\n"
NOTE = "COMMENT ON TABLE a IS 'indexed';\n"
FIRST = "CREATE INDEX CONCURRENTLY first ON a (id);\n"
UNIQUE = "CREATE UNIQUE INDEX CONCURRENTLY once ON a (id);\n"
OBJECTS = """
SELECT o ->> 0, o ->> 1 FROM sqlmodule.{}, jsonb_array_elements(objects) o WHERE module = '02-i' ORDER BY 1, 2
"""


@pytest.fixture
def applied(world: World) -> World:
    """Return a world with a table of two rows with the same id."""
    world.write(m01_a=TABLE)
    world.up()
    return world


def module(*statements: str) -> str:
    return f"{DIRECTIVE}\n{''.join(statements)}"


def valid(world: World) -> dict[str, bool]:
    """Return the indexes by name, with whether each is valid."""
    return dict(world.sql("SELECT indexrelid::regclass::text, indisvalid FROM pg_index WHERE indrelid = 'a'::regclass"))


def owned(world: World, table: str = "ledger") -> list[tuple[str, str]]:
    return world.sql(OBJECTS.format(table))


def test_it_runs_outside_a_transaction(applied: World) -> None:
    """Each statement is kept when it is done; then the module has its row with all of them, and no resume point."""
    world = applied
    world.write(
        m02_i=module(FIRST, NOTE, "DROP INDEX CONCURRENTLY first;\n", "CREATE INDEX CONCURRENTLY s ON a (name);\n")
    )
    assert world.up() == [Step.UNCHANGED, Step.APPLY]
    assert valid(world) == {"s": True}
    assert owned(world) == [("index", "public.first"), ("index", "public.s"), ("table", "public.a")]
    assert world.sql("SELECT * FROM sqlmodule.resume") == []
    assert world.drift() == {}
    assert world.up() == [Step.UNCHANGED, Step.UNCHANGED]


def test_it_resumes_where_it_stopped(applied: World) -> None:
    """The next run does not repeat statements that are done, and the module owns what they created."""
    world = applied
    world.write(m02_i=module(FIRST, NOTE, UNIQUE, "CREATE TABLE b ();\n"))
    assert world.step("02-i").commits == (2, 3, 4, 5)
    with pytest.raises(ModuleError) as caught:
        world.up()
    assert str(caught.value).startswith('sql/02-i.sql:4:1: could not create unique index "once" [23505]')
    assert valid(world) == {"first": True, "once": False}
    assert owned(world, "resume") == [("index", "public.first"), ("table", "public.a")]
    assert world.step("02-i").why == "an earlier run stopped in it"
    world.sql("DELETE FROM a WHERE name = 'y'")
    assert world.up() == [Step.UNCHANGED, Step.APPLY]
    assert world.messages == ["index public.once was left invalid by an earlier run and is built again"]
    assert valid(world) == {"first": True, "once": True}
    assert owned(world)[-4:] == [
        ("index", "public.once"),
        ("owner", "table public.b"),
        ("table", "public.a"),
        ("table", "public.b"),
    ]
    assert world.drift() == {}


END = "SELECT pg_terminate_backend(pg_backend_pid());\n"


@pytest.mark.parametrize("broken", [module(END, FIRST, NOTE), module(FIRST, END, NOTE), module(FIRST, NOTE, END)])
def test_it_is_killed_between_statements(applied: World, broken: str) -> None:
    """After a session that ended between two statements the next run repeats no statement and leaves none out."""
    world = applied
    world.write(m02_i=broken)
    with pytest.raises(InfraError):
        world.set(wait=0.01).up()
    world.set(wait=10).write(m02_i=module(FIRST, NOTE))
    assert world.up() == [Step.UNCHANGED, Step.APPLY]
    assert owned(world) == [("index", "public.first"), ("table", "public.a")]
    assert world.drift() == {}


@pytest.mark.parametrize(
    ("statement", "done", "object_"),
    [
        (FIRST, "CREATE INDEX first ON a (id)", "public.first"),
        ("DROP INDEX CONCURRENTLY old;\n", "DROP INDEX old", "public.old"),
    ],
)
def test_a_statement_whose_answer_was_lost_is_done(applied: World, statement: str, done: str, object_: str) -> None:
    """A statement that was begun and is found to be done is no error, and the module owns what it did."""
    world = applied
    world.sql("CREATE INDEX old ON a (name)")
    world.set(allowed=("index public.old",)).write(m02_i=module(statement, NOTE))
    world.sql(
        "INSERT INTO sqlmodule.resume (module, statements_digest, done, begun, objects) "
        f"VALUES ('02-i', '{statements_digest('')}', 0, true, '[]')"
    )
    world.sql(done)
    assert world.up() == [Step.UNCHANGED, Step.APPLY]
    assert owned(world) == [("index", object_), ("table", "public.a")]


def test_an_unmanaged_index_is_not_taken_for_its_own(applied: World) -> None:
    """An index of the same name that this module did not begin to build leads to PostgreSQL's error, and stays."""
    world = applied
    world.sql("CREATE INDEX first ON a (name)")
    world.set(allowed=("index public.first",)).write(m02_i=module(FIRST))
    with pytest.raises(InfraError, match="first"):
        world.up()
    assert valid(world) == {"first": True}


def test_statements_that_are_not_done_may_change(applied: World) -> None:
    """A mistake in a statement that is not done can be corrected in the file; the ones before it do not run again."""
    world = applied
    world.write(m02_i=module(FIRST, UNIQUE))
    with pytest.raises(ModuleError):
        world.up()
    world.write(m02_i=module("-- corrected\n", FIRST, UNIQUE.replace("UNIQUE ", "")))
    assert world.up() == [Step.UNCHANGED, Step.APPLY]
    assert valid(world) == {"first": True, "once": True}
    assert world.drift() == {}


def test_statements_that_are_done_may_not_change_in_a_persistent_stack(applied: World) -> None:
    """Changes to statements that are done are refused in a persistent stack; an ephemeral one starts again."""
    world = applied
    world.write(m02_i=module(FIRST, UNIQUE))
    with pytest.raises(ModuleError):
        world.up()
    world.write(m02_i=module(FIRST.replace("(id)", "(name)"), "CREATE INDEX CONCURRENTLY s ON a (id);\n"))
    (line,) = world.refused()
    assert line == (
        f"sql/02-i.sql in {world.place}: an earlier run completed the first 1 of its statements, and the file has "
        "different ones there now; revert that change, or drop what they created and delete the module's row from "
        "sqlmodule.resume"
    )
    assert world.set(lifecycle=EPHEMERAL).apply(world.module("02-i")) is Step.APPLY
    assert owned(world) == [("index", "public.first"), ("index", "public.s")]


def test_it_is_rebuilt_after_the_modules_before_it(applied: World) -> None:
    """A rebuild drops its indexes with the tables and creates them again, also when it is killed in between."""
    world = applied.set(lifecycle=EPHEMERAL)
    world.write(m02_i=module(FIRST, NOTE), m03_c="CREATE TABLE c ();\n")
    world.up()
    world.write(m01_a="CREATE TABLE a (id bigint, name text);\n")
    assert world.up() == [Step.REBUILD, Step.REBUILD, Step.REBUILD]
    assert world.drift() == {}
    world.write(m01_a=TABLE, m02_i=module(UNIQUE, NOTE))
    with pytest.raises(ModuleError):
        world.up()
    world.sql("DELETE FROM a WHERE name = 'y'")
    assert world.apply(world.module("01-a")) is Step.UNCHANGED
    assert world.ledger() == {"01-a": "applied", "02-i": "applied", "03-c": "applied"}
    assert valid(world) == {"once": True}
    assert world.drift() == {}


def test_a_file_that_is_removed_before_it_was_finished(applied: World) -> None:
    """In an ephemeral stack the objects of a module that was never finished are dropped with it."""
    world = applied.set(lifecycle=EPHEMERAL)
    world.write(m02_i=module(FIRST, UNIQUE))
    with pytest.raises(ModuleError):
        world.up()
    world.sql("DROP INDEX once")
    assert world.retire("02-i") == f"its objects are dropped from {world.place}"
    assert valid(world) == {}
    assert world.sql("SELECT * FROM sqlmodule.resume") == []


def test_it_is_compared_like_any_other(applied: World) -> None:
    """Its statements run on a scratch database too, so that it can be adopted and verified."""
    world = applied
    world.sql("CREATE INDEX first ON a (id)")
    world.write(m02_i=module(FIRST))
    assert world.up() == [Step.UNCHANGED, Step.ADOPT]
    world.write(m02_i=module(FIRST.replace("(id)", "(name)")))
    with pytest.raises(RefusedError, match=r"index public\.first is different"):
        world.up()
