"""Objects that exist before their module is applied: adopted when they are exactly what it makes, else refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.errors import RefusedError
from infra.modules.decision import Step
from infra.plan.refusal import LEGEND

if TYPE_CHECKING:
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

TABLE = "CREATE TABLE a (id integer PRIMARY KEY, name text);\n"
LATER = "CREATE INDEX a_name_idx ON a (name);\nALTER TABLE a ALTER name SET NOT NULL;\n"
EXISTING = TABLE + LATER + "INSERT INTO a VALUES (1, 'x')"


def test_an_equal_database_is_adopted(world: World) -> None:
    """All objects are there, exactly: rows are written, nothing runs, and no data is touched."""
    world.write(m01_a=TABLE, m02_b=LATER)
    world.sql(EXISTING)
    assert world.step("01-a").why == "all that it makes is there, exactly"
    assert world.up() == [Step.ADOPT, Step.ADOPT]
    assert world.ledger() == {"01-a": "adopted", "02-b": "adopted"}
    assert world.sql("SELECT * FROM a") == [(1, "x")]
    assert world.drift() == {}
    assert world.up() == [Step.UNCHANGED, Step.UNCHANGED]


def test_what_is_adopted_is_owned(world: World) -> None:
    """The owners and privileges of the adopted objects are recorded as the module's; a change of them is drift."""
    world.write(m01_a=TABLE)
    world.sql(TABLE + "GRANT SELECT ON a TO world_readonly")
    assert world.up() == [Step.ADOPT]
    assert world.drift() == {}
    world.sql("REVOKE SELECT ON a FROM world_readonly")
    assert world.drift() == {"01-a": ["privileges table public.a to world_readonly is missing"]}


@pytest.mark.parametrize(
    ("change", "verdicts"),
    [
        ("ALTER TABLE a ALTER id TYPE bigint", ["column public.a.id is different"]),
        ("ALTER TABLE a DROP name", ["column public.a.name is missing"]),
        ("ALTER TABLE a DROP CONSTRAINT a_pkey", ["constraint public.a.a_pkey is missing"]),
        ("COMMENT ON TABLE a IS 'x'", ["table public.a is different"]),
    ],
)
def test_a_database_that_differs_is_refused(world: World, change: str, verdicts: list[str]) -> None:
    """Each object that differs from what the module makes is named with both definitions, and nothing is run."""
    world.write(m01_a=TABLE, m02_b=LATER)
    world.sql(EXISTING)
    world.sql(change)
    before = world.fingerprint()
    lines = world.refused()
    assert lines[0] == (
        f"sql/01-a.sql in {world.place}: objects of its names are there and differ from what it makes; write the "
        'difference as a revision (`make revision M="…"`), or take the change back'
    )
    assert [line for line in lines[1:] if not line.startswith((" ", LEGEND))][: len(verdicts)] == verdicts
    assert world.fingerprint() == before


def test_a_privilege_that_nobody_granted_is_named(world: World) -> None:
    """The objects are as the module makes them, but a role may not do what it grants: one sentence with the remedy."""
    world.write(m01_a=TABLE + "GRANT SELECT ON a TO world_readonly;\n")
    world.sql(TABLE)
    assert world.refused() == [
        (
            f"sql/01-a.sql in {world.place}: objects of its names are there and differ from what it makes; write the "
            'difference as a revision (`make revision M="…"`), or take the change back'
        ),
        LEGEND,
        "privileges table public.a to world_readonly is missing",
        "  - SELECT",
    ]


def test_a_module_whose_objects_do_not_exist_is_applied_beside_unmanaged_ones(world: World) -> None:
    """Objects that no module created do not keep a module with objects of other names from being applied."""
    world.sql("CREATE TABLE legacy ()")
    world.write(m01_a=TABLE, m02_b=LATER)
    assert world.up() == [Step.APPLY, Step.APPLY]
    assert world.drift() == {}


def test_a_module_of_which_some_objects_exist_is_refused(world: World) -> None:
    """When some of the objects that a module creates or changes exist and others do not, nothing at all is done."""
    world.write(m01_a=TABLE, m02_b=LATER + "CREATE INDEX other ON a (id);")
    world.sql("CREATE TABLE legacy ()")
    world.sql(EXISTING)
    for name in ("01-a", "02-b"):
        with pytest.raises(RefusedError, match=r"02-b\.sql .*\n.*\nindex public\.other is missing"):
            world.apply(world.module(name))
    assert world.ledger() == {}


def test_no_scratch_database_survives(world: World) -> None:
    """The scratch database of a comparison is dropped afterwards."""
    world.write(m01_a=TABLE)
    world.sql(TABLE)
    world.up()
    assert world.sql("SELECT datname FROM pg_database WHERE datname LIKE 'platform_postgres_scratch_%'") == []
