"""What a revision would stop, rewrite or lose on this database is in its plan, and refused unless it is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.errors import RefusedError
from infra.hazards.sizes import TableSize
from infra.modules.decision import Step
from infra.plan.rendering import PlannedDatabase, plan_as_text
from infra.postgres.connection.connect import connect
from infra.postgres.introspection.table_sizes import read_sizes
from tests.database.postgres.apply.test_revisions import Lane
from tests.database.postgres.databases import PERSISTENT

if TYPE_CHECKING:
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

TABLE = "CREATE TABLE a (id int PRIMARY KEY, n {type}, note text);\n"
LARGE = {"public.a": TableSize(40_000_000, 11 << 30)}
NARROW, WIDE = TABLE.format(type="int"), TABLE.format(type="bigint")
CHANGE = 'op.execute("ALTER TABLE a ALTER n TYPE bigint")\nop.execute("COMMENT ON TABLE a IS NULL")'
LINE = "ACCESS EXCLUSIVE on a, held through 2 statements, rewrites 40 M rows, 11 GB"
COMMENT = "# hazard: allow rewrite until 2999-12-31: at night"


@pytest.fixture
def lane(world: World) -> Lane:
    """Return a lane whose database has a released table."""
    lane = Lane(world)
    lane.release(m01_a=NARROW)
    lane.up()
    return lane


def as_text(lane: Lane) -> str:
    """Return the plan as a preview prints it."""
    return plan_as_text([PlannedDatabase("shop", PERSISTENT, lane.world.plan(recorded=True))], {})


def test_a_rewrite_of_a_large_table_is_refused_until_it_is_allowed(lane: Lane) -> None:
    """The refusal has place, cost and safe form; with the comment it names, the plan says why it may run."""
    lane.world.set(sizes=LARGE).write(m01_a=WIDE)
    lane.revision("0002", CHANGE)
    with pytest.raises(RefusedError) as caught:
        lane.up()
    lines = str(caught.value).splitlines()
    assert lines[0].startswith(
        f"migrations/versions/0002_test.py:7 in {lane.world.place}: {LINE}; write it in its safe"
    )
    assert "    ALTER TABLE a ADD COLUMN n_new bigint;" in lines
    assert lane.stamped() == "0001"
    lane.files.pop()
    lane.revision("0002", f"{COMMENT}\n{CHANGE}")
    assert f"    allowed, line 8: {LINE}, because at night" in as_text(lane).splitlines()
    assert "    locks: ACCESS EXCLUSIVE on a, held through 2 statements" in as_text(lane).splitlines()
    assert lane.up() == (["0002"], [Step.VERIFY])


def test_a_small_table_is_changed_without_ado_but_no_row_is_lost(lane: Lane) -> None:
    """The sizes are those of the database; a column of an empty table may go, that of one with rows may not."""
    lane.world.write(m01_a="CREATE TABLE a (id int PRIMARY KEY, n bigint);\n")
    lane.revision("0002", f'{CHANGE}\nop.execute("ALTER TABLE a DROP note")')
    assert not lane.world.plan(recorded=True).refusals
    lane.world.sql("INSERT INTO a VALUES (1, 1, 'x')")
    with pytest.raises(RefusedError, match=r"0002_test.py:9 in .*: loses column public\.a\.note, 1 row, "):
        lane.up()
    with connect(lane.world.session.target) as connection:
        assert read_sizes(connection, ["public.a", "public.b"])["public.a"].rows == 1


def test_the_safe_form_is_no_hazard(lane: Lane) -> None:
    """A check that is validated by itself and an index built concurrently stop nobody on a table of any size."""
    rules = "ALTER TABLE a ADD CONSTRAINT r CHECK (n > 0);\nCREATE INDEX i ON a (n);\n"
    lane.world.set(sizes=LARGE).write(m01_a=NARROW + rules)
    statements = ("ALTER TABLE a ADD CONSTRAINT r CHECK (n > 0)", "CREATE INDEX i ON a (n)")
    lane.revision("0002", "\n".join(f"op.execute({statement!r})" for statement in statements))
    refused = [step.why for step in lane.world.plan(recorded=True).refusals]
    assert refused == [
        "ACCESS EXCLUSIVE on a, held through 2 statements, reads 40 M rows, 11 GB",
        "ACCESS EXCLUSIVE on a, held through 2 statements, reads 40 M rows, 11 GB",
    ]
    safe = [
        "ALTER TABLE a ADD CONSTRAINT r CHECK (n > 0) NOT VALID",
        "ALTER TABLE a VALIDATE CONSTRAINT r",
        "CREATE INDEX CONCURRENTLY i ON a (n)",
    ]
    lane.files.pop()
    block = "\n".join(f"    op.execute({statement!r})" for statement in safe)
    lane.revision("0002", f"with op.get_context().autocommit_block():\n{block}")
    assert not lane.world.plan(recorded=True).refusals
    assert list(lane.world.plan(recorded=True).revisions[0].hazards) == ["locks: ACCESS EXCLUSIVE on a"]
    assert lane.up() == (["0002"], [Step.VERIFY])
