"""Seeds: the rows of a new database, inserted once, as people and pg_dump write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from infra.backup.programs import run_client
from infra.errors import ModuleError, RefusedError
from infra.modules.decision import Step
from infra.plan.rendering import PlannedDatabase, plan_as_text
from infra.postgres.apply import runner
from infra.postgres.apply.losses import rows_at_risk, rows_of_database
from infra.postgres.apply.plan_cache import PlanInProgress
from infra.postgres.apply.planning import look
from tests.database.postgres.databases import EPHEMERAL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

SHOPS = (
    "CREATE TABLE shops (id integer PRIMARY KEY, name text NOT NULL);\nINSERT INTO shops VALUES (1, 'of a module');\n"
)
SALES = (
    "CREATE TABLE sales (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n"
    "    shop integer NOT NULL REFERENCES shops,\n"
    "    note text, more jsonb, half integer GENERATED ALWAYS AS (id / 2) STORED);\n"
)
SEED = """-- two shops
INSERT INTO shops VALUES (2, 'Ä; ''b''');
INSERT INTO shops
VALUES (3, 'c');
COPY sales (id, shop, note, more) FROM stdin;
7\t2\ta\\tb\\\\c\\n\t{"a": 1}
8\t3\t\\N\t\\N
\\.
SELECT setval('sales_id_seq', 8);
"""


@pytest.fixture
def seeded(world: World, tmp_path: Path) -> World:
    """Return an ephemeral world with two modules and a seed, brought up."""
    world.write(m01_shops=SHOPS, m02_sales=SALES)
    (tmp_path / "seed.sql").write_text(SEED, encoding="utf-8")
    world.set(lifecycle=EPHEMERAL, seed="seed.sql").up()
    assert runner.insert_seed(world.session)
    return world


def rows(world: World) -> list[Any]:
    """Return the rows of both tables."""
    return world.sql("SELECT id, name FROM shops ORDER BY 1") + world.sql("SELECT id, note, half FROM sales ORDER BY 1")


ROWS = [(1, "of a module"), (2, "Ä; 'b'"), (3, "c"), (7, "a\tb\\c\n", 3), (8, None, 4)]


def up(world: World) -> tuple[list[Step], bool]:
    """Apply all modules and the seed, and return the steps, and whether the seed was inserted."""
    return world.up(), runner.insert_seed(world.session)


def previewed(world: World) -> str:
    """Return what a preview in a process of its own prints."""
    world.new_process()
    looked = look(world.session, recorded=True, explain=True)
    assert isinstance(looked, PlanInProgress), looked
    lost = rows_at_risk(world.session, looked)
    return plan_as_text([PlannedDatabase("shop", EPHEMERAL, looked.plan, lost)], {})


def test_a_seed_is_inserted_once(seeded: World) -> None:
    """INSERT and COPY, in one transaction with its record; a second run does nothing, and a preview says nothing."""
    assert rows(seeded) == ROWS
    seeded.sql("INSERT INTO sales (shop) VALUES (3)")
    assert seeded.sql("SELECT max(id) FROM sales") == [(9,)]
    seeded.sql("DELETE FROM sales")
    assert up(seeded) == ([Step.UNCHANGED, Step.UNCHANGED], False)
    assert previewed(seeded) == ""
    assert seeded.sql("SELECT count(*) FROM sales") == [(0,)]


def test_a_changed_seed_builds_the_database_anew(seeded: World, tmp_path: Path) -> None:
    """The preview says it; rows of the modules and of the old seed are not lost, a person's are."""
    (tmp_path / "seed.sql").write_text(SEED.replace("'c'", "'d'"), encoding="utf-8")
    assert previewed(seeded).splitlines() == [
        "`up` will change the schema of shop, and lose no row:",
        "shop:",
        "  rebuild 01-shops, 02-sales: the seed has changed, so that the database is built anew",
        "  insert the rows of seed.sql: the file has changed",
        "  - drops 2 tables, losing no row",
        "to undo: take the change back and run `make up` again",
    ]
    assert rows_of_database(seeded.session.admin) == {}
    seeded.sql("INSERT INTO shops VALUES (4, 'a person')")
    assert "  - drops 2 tables, losing 1 row (shops 1)" in previewed(seeded)
    losses = tmp_path / "losses"
    seeded.set(losses=str(losses))
    with pytest.raises(RefusedError, match=r"would lose rows that no module inserted: public\.shops 1"):
        up(seeded)
    assert seeded.sql("SELECT count(*) FROM shops") == [(4,)]
    seeded.set(losses="")
    assert up(seeded) == ([Step.REBUILD, Step.REBUILD], True)
    assert rows(seeded) == [*ROWS[:2], (3, "d"), *ROWS[3:]]
    assert up(seeded) == ([Step.UNCHANGED, Step.UNCHANGED], False)


def test_a_rebuilt_module_brings_the_whole_seed_back(seeded: World) -> None:
    """A seed only fits the tables as its modules leave them: those before the changed one are built anew too."""
    seeded.write(m02_sales=SALES.replace("note text", "note text, day date"))
    why = "the seed is inserted anew, and only fits tables without rows"
    assert f"  rebuild 01-shops: {why}\n  rebuild 02-sales" in previewed(seeded)
    assert up(seeded) == ([Step.REBUILD, Step.REBUILD], True)
    assert rows(seeded) == ROWS


def test_the_seed_alone_brings_it_about_where_modules_are_not_run(seeded: World, tmp_path: Path) -> None:
    """Without the look at the database (`modules.live_check`), Pulumi runs the changed seed's resource alone."""
    (tmp_path / "seed.sql").write_text(SEED.replace("'c'", "'d'"), encoding="utf-8")
    seeded.new_process()
    assert runner.insert_seed(seeded.session)
    assert seeded.sql("SELECT name FROM shops WHERE id = 3") == [("d",)]


def test_a_database_without_its_seed_gets_it_later(world: World, tmp_path: Path) -> None:
    """One that was there before the setting, and one whose seed failed: modules are not run for it."""
    world.write(m01_shops=SHOPS, m02_sales=SALES)
    world.set(lifecycle=EPHEMERAL).up()
    (tmp_path / "seed.sql").write_text(SEED.replace("VALUES (3", "VALUES (2"), encoding="utf-8")
    world.set(seed="seed.sql")
    assert previewed(world).splitlines() == [
        "`up` will insert the rows of a seed into shop:",
        "shop:",
        "  insert the rows of seed.sql: the database does not have them yet",
    ]
    with pytest.raises(ModuleError) as caught:
        up(world)
    assert str(caught.value).splitlines()[0].startswith("seed.sql:3:1: duplicate key value violates unique constraint")
    assert world.sql("SELECT count(*) FROM shops") == [(1,)]
    (tmp_path / "seed.sql").write_text(SEED, encoding="utf-8")
    assert up(world) == ([Step.UNCHANGED, Step.UNCHANGED], True)
    assert rows(world) == ROWS


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("'c'", "c", 'seed.sql:4:12: column "c" does not exist [42703]'),
        ("SELECT setval", "SELECT set_val", "seed.sql:9:8: function set_val("),
        ("8\t3", "x\t3", 'seed.sql:7: invalid input syntax for type integer: "x" [22P02]'),
        ("8\t3", "7\t3", 'seed.sql:7: duplicate key value violates unique constraint "sales_pkey" [23505]'),
        ("8\t3\t\\N\t\\N", "8\t3", 'seed.sql:7: missing data for column "note" [22P04]'),
        ("8\t3", "8\t9", 'seed.sql:5: insert or update on table "sales" violates foreign key constraint'),
        ("COPY sales (", "COPY sale (", 'seed.sql:5: relation "sale" does not exist [42P01]'),
        ("SELECT setval", "COMMIT; SELECT setval", "seed.sql:9:1: controls the transaction"),
        ("\\.\n", "", 'seed.sql:6:1: syntax error at or near "7" [42601]'),
        ("SELECT setval", "CREATE TABLE new (); SELECT setval", "seed.sql: changes "),
        ("SELECT setval", "SET ROLE world_readonly; SELECT setval", "seed.sql:9:1: changes the role"),
        ("FROM stdin;\n", "FROM stdin WITH (FORMAT text);\n", "seed.sql:6:1: syntax error"),
    ],
)
def test_a_seed_that_fails_says_file_and_line(world: World, tmp_path: Path, old: str, new: str, error: str) -> None:
    """Whatever is wrong is at its line, none of the rows is there, and the next run begins with the seed again."""
    world.write(m01_shops=SHOPS, m02_sales=SALES)
    (tmp_path / "seed.sql").write_text(SEED.replace(old, new, 1), encoding="utf-8")
    world.set(lifecycle=EPHEMERAL, seed="seed.sql").up()
    with pytest.raises(ModuleError) as caught:
        runner.insert_seed(world.session)
    assert str(caught.value).startswith(error)
    assert rows(world) == ROWS[:1]
    (tmp_path / "seed.sql").write_text(SEED, encoding="utf-8")
    assert up(world) == ([Step.UNCHANGED, Step.UNCHANGED], True)


@pytest.mark.parametrize("form", ["--column-inserts", "--inserts", ""])
def test_a_dump_of_rows_is_a_seed(
    seeded: World, new_world: Callable[[], World], tmp_path: Path, programs: Path, form: str
) -> None:
    """What pg_dump --data-only writes fills another database; the tables of the ledger in it are left out."""
    options = ["--data-only", *([form] if form else [])]
    dump = run_client(programs / "pg_dump", seeded.session.admin, options)
    assert "sqlmodule" in dump
    (tmp_path / "seed.sql").write_text(dump.replace("of a module", "of the dump"), encoding="utf-8")
    world = new_world().set(lifecycle=EPHEMERAL, seed="seed.sql")
    world.write(m01_shops=SHOPS.splitlines()[0])
    assert up(world) == ([Step.APPLY, Step.APPLY], True)
    assert rows(world) == [(1, "of the dump"), *ROWS[1:]]
    assert world.sql("SELECT module FROM sqlmodule.ledger ORDER BY 1") == [
        ("01-shops",),
        ("02-sales",),
        ("seed 0-rows",),
    ]
    assert any("statements about the ledger's tables are left out" in message for message in world.messages)
    world.sql("INSERT INTO sales (shop) VALUES (3)")
    assert world.sql("SELECT max(id) FROM sales") == [(9,)]
