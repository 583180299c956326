"""Modules in one database: applied once, then recorded in the ledger, compared with it, renamed or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.errors import ModuleError
from infra.modules.decision import Step
from infra.plan.refusal import LEGEND

if TYPE_CHECKING:
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

TABLE = "CREATE TABLE a (id integer PRIMARY KEY, name text);\n"
INDEX = "CREATE INDEX a_name_idx ON a (name);\n"


def with_two_modules(world: World) -> World:
    """Return the world with two modules: a table, and an index on it."""
    world.write(m01_table=TABLE, m02_index=INDEX)
    return world


def test_modules_are_applied_once(world: World) -> None:
    """The first run applies every module and writes its row; the second does nothing."""
    with_two_modules(world)
    assert world.up() == [Step.APPLY, Step.APPLY]
    assert world.ledger() == {"01-table": "applied", "02-index": "applied"}
    assert {"table public.a", "index public.a_name_idx"} <= set(map(str, world.catalog().objects))
    world.sql("INSERT INTO a VALUES (1, 'x')")
    assert world.up() == [Step.UNCHANGED, Step.UNCHANGED]
    assert world.up() == [Step.UNCHANGED, Step.UNCHANGED]
    assert world.sql("SELECT * FROM a") == [(1, "x")]
    assert world.drift() == {}


def test_objects_belong_to_the_owner_role(world: World) -> None:
    """A module runs as the owner role, so that every object is the owner's, the ledger included."""
    with_two_modules(world).up()
    owners = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('public', 'sqlmodule')"
    assert world.sql(owners) == [("world_owner",)]


def test_a_reformatted_module_is_only_recorded(world: World) -> None:
    """After a change of comments, white space or letter case nothing runs; the new digests are recorded."""
    with_two_modules(world).up()
    world.write(m01_table="-- the table\n" + TABLE.replace("integer", "INTEGER\n"))
    assert world.up() == [Step.REFORMATTED, Step.UNCHANGED]
    assert world.up() == [Step.UNCHANGED, Step.UNCHANGED]
    assert world.ledger()["01-table"] == "applied"


def test_a_failing_module_leaves_nothing(world: World) -> None:
    """What ran before the error is rolled back, the failure is an event, and a corrected file applies."""
    world.write(m01_table=TABLE, m02_more="CREATE TABLE b ();\nCREATE TABLE a ();\n")
    with pytest.raises(ModuleError) as caught:
        world.up()
    assert str(caught.value) == ('sql/02-more.sql:2:1: relation "a" already exists [42P07]\n  CREATE TABLE a ();\n  ^')
    assert "table public.b" not in map(str, world.catalog().objects)
    assert world.sql("SELECT module, step, failure FROM sqlmodule.event ORDER BY id") == [
        ("01-table", "apply", None),
        ("02-more", "apply", "42P07"),
    ]
    world.write(m02_more="CREATE TABLE b ();\n")
    assert world.up() == [Step.UNCHANGED, Step.APPLY]


def test_the_first_module_failing_leaves_no_ledger(world: World) -> None:
    """Where the first module fails there is no ledger either, since that is created in its transaction."""
    world.write(m01_bad="SELECT 1/0;")
    with pytest.raises(ModuleError, match="division by zero"):
        world.up()
    assert world.ledger() == {}
    assert world.sql("SELECT to_regnamespace('sqlmodule')") == [(None,)]


def test_vanished_objects_are_refused_in_a_persistent_stack(world: World) -> None:
    """In a persistent stack a module whose objects are all gone is refused, and not silently created again, empty."""
    with_two_modules(world).up()
    world.sql("DROP TABLE a")
    first, *rest = world.refused()
    assert first == (
        f"sql/01-table.sql in {world.place}: what it made is gone from the database; restore "
        "the database; to make the objects anew, empty, delete the module's row from sqlmodule.ledger"
    )
    assert "table public.a is missing, with 2 columns, 1 constraint" in rest
    world.sql("DELETE FROM sqlmodule.ledger")
    assert world.up() == [Step.APPLY, Step.APPLY]


def test_drift_is_refused(world: World) -> None:
    """Changed objects of all modules are shown with their definitions at once, and nothing is repaired."""
    with_two_modules(world).up()
    world.sql("ALTER TABLE a ALTER name SET NOT NULL; DROP INDEX a_name_idx")
    first, *rest = world.refused()
    assert first == (
        f"sql/01-table.sql in {world.place}: somebody changed what it made; take those changes back in the database, "
        "or bring them into the modules"
    )
    assert rest == [
        LEGEND,
        "column public.a.name is different",
        "    type text",
        "  + not null",
        "as SQL for the database (a draft, to be checked):",
        "  ALTER TABLE public.a ALTER COLUMN name DROP NOT NULL;",
        (
            f"sql/02-index.sql in {world.place}: what it made is gone from the database; restore the database; to make "
            "the objects anew, empty, delete the module's row from sqlmodule.ledger"
        ),
        LEGEND,
        "index public.a_name_idx is missing",
        "  - CREATE INDEX a_name_idx ON public.a USING btree (name)",
        (
            "as SQL for the database (a draft, to be checked), each statement in a transaction of its own, so that "
            "nobody waits for its lock for long:"
        ),
        "  CREATE INDEX CONCURRENTLY a_name_idx ON public.a USING btree (name);",
    ]
    assert world.ledger() == {"01-table": "applied", "02-index": "applied"}


def test_a_renamed_file_keeps_its_row(world: World) -> None:
    """A file under another name with the same statements is the same module: nothing runs."""
    with_two_modules(world).up()
    world.write(m02_index=None, m02_indexes="-- renamed\n" + INDEX)
    assert world.up() == [Step.UNCHANGED, Step.REFORMATTED]
    assert world.ledger() == {"01-table": "applied", "02-indexes": "applied"}
    assert world.retire("02-index") == ""
    assert world.drift() == {}


def test_modules_are_ordered_by_number(world: World) -> None:
    """Numbers of different widths are compared as numbers, in the ledger too: 99 before 100."""
    for number in range(1, 99):
        (world.files / f"{number:02}-x.sql").write_text(f"SELECT {number};", encoding="utf-8")
    world.write(m99_x="CREATE TABLE a (x integer);", m100_x="ALTER TABLE a ADD y integer;")
    world.set(lifecycle="ephemeral")
    assert set(world.up()) == {Step.APPLY}
    assert world.drift() == {}
    assert list(world.ledger())[-2:] == ["99-x", "100-x"]
