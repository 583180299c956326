"""Which rows a plan loses: those of the tables that it drops, without the ones that the modules inserted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.errors import RefusedError
from infra.modules.decision import Step
from infra.postgres.apply.losses import rows_at_risk
from infra.postgres.apply.plan_cache import PlanInProgress
from infra.postgres.apply.planning import look
from tests.database.postgres.databases import EPHEMERAL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

A = """
CREATE TABLE "A b" (id integer PRIMARY KEY);
INSERT INTO "A b" VALUES (1), (2);
DELETE FROM "A b" WHERE id = 2;
"""
B = """
CREATE TABLE b (id integer) PARTITION BY RANGE (id);
CREATE TABLE b1 PARTITION OF b DEFAULT;
INSERT INTO b VALUES (1), (2);
INSERT INTO "A b" VALUES (3);
"""


@pytest.fixture
def seeded(world: World) -> World:
    """Return an ephemeral world whose two modules inserted rows."""
    world.write(m01_a=A, m02_b=B)
    world.set(lifecycle=EPHEMERAL).up()
    return world


def lost(world: World) -> dict[str, str]:
    """Return what a preview in a new process says would be lost."""
    world.new_process()
    looked = look(world.session, recorded=True, explain=False)
    assert isinstance(looked, PlanInProgress)
    return rows_at_risk(world.session, looked)


def test_rows_that_modules_inserted_are_not_at_risk(seeded: World) -> None:
    """Each module's rows are counted by table, also when a rebuild runs both in one transaction."""
    world = seeded
    for size in ("bigint", "integer"):
        world.write(m01_a=A.replace("integer", size))
        assert lost(world) == {}
        assert world.up() == [Step.REBUILD, Step.REBUILD]
        assert world.sql("SELECT module, seeds FROM sqlmodule.ledger ORDER BY 1") == [
            ("01-a", {'public."A b"': 1, 'changes of public."A b"': 1}),
            ("02-b", {'public."A b"': 1, "public.b1": 2}),
        ]


def test_other_rows_are(seeded: World) -> None:
    """A table with more rows than the modules inserted is named with the others; a partition's are counted once."""
    world = seeded
    world.sql('INSERT INTO "A b" VALUES (4); INSERT INTO b VALUES (5)')
    world.write(m01_a=A.replace("integer", "bigint"))
    assert lost(world) == {'public."A b"': "1", "public.b1": "1"}
    world.sql('DELETE FROM "A b"')  # of modules' rows, too
    assert lost(world) == {"public.b1": "1"}


def test_a_partition_that_somebody_else_owns_is_estimated(seeded: World) -> None:
    """The owner role may not read it, and it is dropped all the same: the preview names it with an estimate."""
    partition = "CREATE TABLE b2 PARTITION OF b FOR VALUES FROM (9) TO (10)"
    seeded.sql(f"{partition}; INSERT INTO b VALUES (9); ANALYZE b2", owner=False)
    seeded.write(m02_b=B.replace("(id integer) PARTITION", "(id bigint) PARTITION"))
    assert lost(seeded) == {"public.b2": "about 1"}


def test_a_run_that_may_not_lose_rows_loses_none(seeded: World, tmp_path: Path) -> None:
    """It says which in a file and in its error, and does what it can do without a loss."""
    world = seeded
    losses = tmp_path / "losses"
    world.sql("INSERT INTO b VALUES (5)")
    world.write(m01_a=A.replace("integer", "bigint"))
    world.set(losses=str(losses))
    with pytest.raises(RefusedError) as caught:
        world.up()
    assert str(caught.value) == (
        f"{world.place}: would lose rows that no module inserted: public.b1 1; `make up ARGS=--allow-loss` drops them"
    )
    assert losses.read_text() == f"{world.place}: public.b1 1\n"
    assert world.sql("SELECT count(*) FROM b") == [(3,)]
    world.write(m01_a=A)
    assert world.up() == [Step.UNCHANGED, Step.UNCHANGED]
    world.sql("DELETE FROM b WHERE id = 5")
    world.write(m01_a=A.replace("integer", "bigint"))
    assert world.up() == [Step.REBUILD, Step.REBUILD]
