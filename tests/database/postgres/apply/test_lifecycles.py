"""A module whose statements changed: rebuilt in an ephemeral stack, verified or refused in a persistent one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.errors import ModuleError
from infra.modules.decision import Step
from infra.plan.refusal import LEGEND, refusal_of
from tests.database.postgres.databases import EPHEMERAL

if TYPE_CHECKING:
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

FIRST = "CREATE TABLE base (id integer PRIMARY KEY);\n"
TABLE = "CREATE TABLE a (id integer PRIMARY KEY, base_id integer REFERENCES base, name text);\n"
WIDER = TABLE.replace("name text", "name text, size bigint NOT NULL")
INDEX = "CREATE INDEX a_name_idx ON a (name);\nCREATE VIEW names AS SELECT name FROM a;\n"


@pytest.fixture
def applied(world: World) -> World:
    """Return a world with three modules applied, and a row in each table."""
    world.write(m01_base=FIRST, m02_table=TABLE, m03_index=INDEX)
    world.up()
    world.sql("INSERT INTO base VALUES (7); INSERT INTO a VALUES (1, 7, 'x')")
    return world


def test_a_changed_module_is_rebuilt_in_an_ephemeral_stack(applied: World) -> None:
    """This and the later modules are dropped in reverse and run again; earlier ones, and their rows, stay."""
    world = applied.set(lifecycle=EPHEMERAL)
    world.write(m02_table=WIDER)
    assert [(step.step, step.why) for step in world.plan().steps] == [
        (Step.UNCHANGED, "applied as it is"),
        (Step.REBUILD, "its statements changed"),
        (Step.REBUILD, "later than 02-table, whose objects are dropped and made anew"),
    ]
    assert world.plan().tables_dropped() == ["public.a"]
    assert world.up() == [Step.UNCHANGED, Step.REBUILD, Step.REBUILD]
    assert world.sql("SELECT id FROM base") == [(7,)]
    assert world.sql("SELECT count(*) FROM a") == [(0,)]
    assert world.drift() == {}
    assert world.up() == [Step.UNCHANGED] * 3
    assert world.equals_scratch()


def test_a_rebuild_says_what_it_follows_from(applied: World) -> None:
    """A module that a later one changed, and one after that, name the reason and the module that was edited."""
    world = applied.set(lifecycle=EPHEMERAL)
    world.write(m03_index="ALTER TABLE base ALTER id SET DEFAULT 1;\n", m04_view="CREATE VIEW w AS SELECT 1 AS n;\n")
    world.up()
    world.write(m03_index="ALTER TABLE base ALTER id SET DEFAULT 2;\n")
    assert [step.why for step in world.plan().steps] == [
        "a later module changed what it made, and is built anew or removed",
        "later than 01-base, whose objects are dropped and made anew",
        "its statements changed",
        "later than 03-index, whose objects are dropped and made anew",
    ]
    world.write(m03_index=None, m04_view=None)
    assert [step.why for step in world.plan().steps] == [
        "a later module changed what it made, and is built anew or removed",
        "later than 01-base, whose objects are dropped and made anew",
    ]


def test_a_rebuild_that_fails_changes_nothing(applied: World) -> None:
    """An error in a later module undoes the whole rebuild, and is placed in that module's file."""
    world = applied.set(lifecycle=EPHEMERAL)
    before = world.fingerprint()
    world.write(m02_table=TABLE.replace("name text", "names text"))
    with pytest.raises(ModuleError) as caught:
        world.up()
    assert str(caught.value).startswith('sql/03-index.sql:1:1: column "name" does not exist [42703]')
    assert world.sql("SELECT name FROM a") == [("x",)]
    assert world.fingerprint() == before
    assert world.drift() == {}


def test_a_rebuild_includes_earlier_modules_that_the_rebuilt_ones_changed(world: World) -> None:
    """The change that a module made to an earlier one's object is only undone by rebuilding both."""
    world.set(lifecycle=EPHEMERAL)
    world.write(
        m01_a="CREATE TABLE a (x integer);", m02_b="CREATE TABLE b ();", m03_c="ALTER TABLE a ALTER x SET NOT NULL;"
    )
    world.up()
    world.write(m03_c="ALTER TABLE a ALTER x SET DEFAULT 1;")
    assert world.plan().tables_dropped() == ["public.a", "public.b"]
    assert world.up() == [Step.REBUILD] * 3
    assert world.drift() == {}
    assert world.equals_scratch()


def test_a_column_added_by_a_later_module_is_rebuilt_alone(world: World) -> None:
    """A column in an earlier module's table is dropped and added again, and the table keeps its rows."""
    world.set(lifecycle=EPHEMERAL)
    world.write(m01_a="CREATE TABLE a (x integer);", m02_b="ALTER TABLE a ADD y integer;")
    world.up()
    world.sql("INSERT INTO a VALUES (1, 2)")
    world.write(m02_b="ALTER TABLE a ADD y bigint;")
    assert world.up() == [Step.UNCHANGED, Step.REBUILD]
    assert world.sql("SELECT * FROM a") == [(1, None)]
    assert world.drift() == {}


def test_a_rebuild_is_refused_where_an_unmanaged_object_depends_on_it(applied: World) -> None:
    """An object that no module created and that depends on a rebuilt one is named in the refusal; nothing changes."""
    world = applied.set(lifecycle=EPHEMERAL)
    world.sql("CREATE VIEW report AS SELECT name FROM a")
    world.write(m02_table=WIDER)
    (line,) = world.refused()
    assert line == (
        f"sql/02-table.sql in {world.place}: cannot be dropped, because other objects depend on "
        "what it created: view public.report depends on table public.a; drop those objects first, if they are not "
        "needed"
    )
    assert world.sql("SELECT name FROM a") == [("x",)]


def test_a_migrated_database_is_verified_and_recorded(applied: World) -> None:
    """When a migration has brought the database to what modules make, the new digests are recorded and nothing runs."""
    world = applied
    world.sql("ALTER TABLE a ADD size bigint; UPDATE a SET size = 5; ALTER TABLE a ALTER size SET NOT NULL")
    world.write(m02_table=WIDER)
    assert world.step("02-table").why == "its statements changed, and so did the database"
    assert world.up() == [Step.UNCHANGED, Step.VERIFY, Step.UNCHANGED]
    assert world.sql("SELECT * FROM a") == [(1, 7, "x", 5)]
    assert world.ledger()["02-table"] == "verified"
    assert world.up() == [Step.UNCHANGED] * 3
    assert world.drift() == {}


def test_a_database_that_was_not_migrated_is_refused(applied: World) -> None:
    """Every missing, extra and different object is named with both definitions; nothing is run or recorded."""
    world = applied
    world.write(m02_table="CREATE TABLE a (id bigint PRIMARY KEY, name text, size bigint NOT NULL);\n")
    first, *rest = world.refused()
    assert str(refusal_of(world.plan(), world.place)).splitlines() == [first, *rest]
    assert first == (
        f"sql/02-table.sql in {world.place}: its statements changed, but the database does not match; write the "
        'difference as a revision (`make revision M="…"`), or take the change back; these differ:'
    )
    assert rest == [
        LEGEND,
        "column public.a.base_id is extra",
        "  + type integer",
        "column public.a.id is different",
        "  - type bigint",
        "  + type integer",
        "    not null",
        "column public.a.size is missing",
        "  - type bigint",
        "  - not null",
        "constraint public.a.a_base_id_fkey is extra",
        "  + FOREIGN KEY (base_id) REFERENCES public.base(id)",
        "as SQL for the database (a draft, to be checked):",
        "  ALTER TABLE public.a DROP CONSTRAINT a_base_id_fkey;",
        "  ALTER TABLE public.a DROP COLUMN base_id;",
        "  ALTER TABLE public.a ALTER COLUMN id TYPE bigint;",
        "  ALTER TABLE public.a ADD COLUMN size bigint NOT NULL;",
    ]
    assert world.sql("SELECT name FROM a") == [("x",)]
    assert world.ledger()["02-table"] == "applied"


def test_a_preview_of_an_unchanged_module_is_empty(applied: World) -> None:
    """A module that is applied as it is has no change, no drift and no refusal."""
    assert applied.plan().is_unchanged


def test_vanished_objects_are_rebuilt_in_an_ephemeral_stack(applied: World) -> None:
    """In an ephemeral stack a module whose objects are all gone is rebuilt with the later ones."""
    world = applied.set(lifecycle=EPHEMERAL)
    world.sql("DROP TABLE a CASCADE")
    assert world.up() == [Step.UNCHANGED, Step.REBUILD, Step.REBUILD]
    assert world.drift() == {}


def test_a_renamed_module_is_verified_although_nothing_was_looked_at_before(applied: World) -> None:
    """Pulumi creates a renamed module, which does not compare its objects first: the proof reads them itself."""
    applied.sql("ALTER TABLE a ADD size bigint NOT NULL DEFAULT 0; ALTER TABLE a ALTER size DROP DEFAULT")
    applied.write(m02_table=None, m02_renamed=WIDER)
    assert applied.up() == [Step.UNCHANGED, Step.VERIFY, Step.UNCHANGED]
    assert applied.ledger()["02-renamed"] == "verified"
