"""Databases that were made elsewhere are recognised, and brought over to the models' schema without losing a row.

With ROWS=10000 in the environment each table has as many rows.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Mapper, Session, make_transient
from sqlalchemy.orm.attributes import flag_modified
from sqlalchemy.pool import NullPool

from infra.errors import RefusedError
from infra.modules.decision import Step
from infra.plan.refusal import refusal_of
from infra.postgres.apply import runner
from infra.postgres.connection.target import conninfo_of
from models.base import Base
from tests.database.postgres.databases import OWNER, World
from tests.schema.database.awkward_rows import fill
from tests.schema.database.kinds import BECOMES_UNIQUE, KINDS, NO_PLACE, differing, find_again, up, values_before

if TYPE_CHECKING:
    from tests.schema.database.kinds import Make

pytestmark = pytest.mark.database
ROWS = int(os.environ.get("ROWS", "500"))
WRITTEN = 50
"""How many rows of each table the ORM writes again."""
FIRST = 100
"""The id of the first row: the modules insert rows themselves, with lower ones."""


@pytest.mark.full
@pytest.mark.parametrize("kind", KINDS)
def test_a_database_of_each_kind_becomes_like_a_fresh_one_and_keeps_every_value(make: Make, kind: str) -> None:
    """Extras stay and are listed; all else equals a fresh database, owners and privileges too; `up` can be repeated."""
    world, fresh = make(kind), make("")
    users = "users" if kind == "schema_sql" else "userbase"
    world.sql(
        f"CREATE TABLE by_hand (id int); ALTER TABLE {users} ADD by_hand text; CREATE INDEX by_hand_i ON runs (model)",
        owner=False,
    )
    world.sql(f"CREATE VIEW people AS SELECT email FROM {users}", owner=False)
    fill(world, ROWS, first=FIRST)
    world.sql("REVOKE ALL ON SCHEMA public FROM old_admin", owner=False)
    up(fresh)
    with values_before(world) as before:
        bring_over(world, fresh, kind, users)
        assert find_again(kind, before, world) > ROWS * 100
    assert world.plan(recorded=True).is_unchanged
    assert up(world) == ([], {Step.UNCHANGED})
    read_and_write_all_tables(world)


def bring_over(world: World, fresh: World, kind: str, users: str) -> None:
    """Run what a preview says that a world is due, and compare it with a fresh one afterwards."""
    plan = world.plan(recorded=True)
    assert not plan.refusals, refusal_of(plan, "")
    first = plan.revisions[0]
    assert first.title == "as the administrator, change owners and privileges"
    assert f"ALTER TABLE public.{users} OWNER TO {OWNER};" in first.lines
    assert f"REVOKE ALL ON public.{users} FROM old_application;" in first.lines
    done, steps = up(world)
    assert done == [revision.revision for revision in plan.revisions[1:]]
    assert steps == {Step.ADOPT}
    extras = {"table public.by_hand", "index public.by_hand_i", "column public.userbase.by_hand", "view public.people"}
    if kind == "old_chain":
        extras |= {
            f"schema {NO_PLACE}",
            *(
                f"table {NO_PLACE}.{table}"
                for table in ("userbase", "tool_usage_logs", "ai_supply_items", "research_sessions")
            ),
        }
    assert extras == set(map(str, world.unmanaged()))
    assert differing(fresh, world) == set()


def table_of(mapper: Mapper[Base]) -> str:
    """Return the name of a model's table."""
    return str(mapper.class_.__tablename__)


def read_and_write_all_tables(world: World) -> None:
    """Read every row by the models, write each again, and insert another one into each table."""
    fill(world, 5, first=1_000_000)
    dsn = conninfo_of(world.session.target)
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), poolclass=NullPool)
    mappers = sorted(Base.registry.mappers, key=lambda mapper: table_of(mapper) != "userbase")
    assert len(mappers) == 29
    with engine.connect() as connection, Session(connection) as session:
        connection.exec_driver_sql(f"SET ROLE {OWNER}; SET search_path = public")
        for mapper in mappers:
            things = list(session.scalars(select(mapper.class_)))
            assert things
            own = next(attribute for attribute in mapper.column_attrs if not attribute.columns[0].primary_key)
            for thing in things[:: len(things) // WRITTEN + 1]:
                flag_modified(thing, own.key)
            session.flush()
            session.expunge(things[0])
            make_transient(things[0])
            (key,) = (mapper.get_property_by_column(column).key for column in mapper.primary_key)
            setattr(things[0], key, None if isinstance(getattr(things[0], key), int) else "another")
            for name in BECOMES_UNIQUE.get(table_of(mapper), ()):
                setattr(things[0], name, "another")
            session.add(things[0])
            session.flush()


@pytest.mark.full
def test_rows_that_break_a_rule_are_listed_with_their_keys_and_nothing_is_changed(make: Make) -> None:
    """Duplicates of what becomes unique are refused in the preview and by the run; without them it goes on."""
    world = make("schema_sql")
    world.sql("INSERT INTO users (id, email) VALUES ('a', 'x@y'), ('b\"', 'x@y'), ('c', ''), ('d', '')", owner=False)
    world.sql("INSERT INTO corpora (id, name) SELECT g, 'same' FROM generate_series(1, 3) AS g", owner=False)
    expected = [
        "accounts with the same e-mail address, which becomes unique (migrations/adoption/schema_sql/rows.sql:2):",
        "    email , rows 2, id 'c', 'd'",
        "    email x@y, rows 2, id 'a', 'b\"'",
        "  corpora with the same name, which becomes unique (migrations/adoption/schema_sql/rows.sql:6):",
        "    name same, rows 3, id '1', '2', '3'",
    ]
    text = str(refusal_of(world.plan(recorded=True), "database x"))
    assert "\n".join(expected) in text
    with pytest.raises(RefusedError, match="name same, rows 3"):
        runner.migrate(world.session)
    assert world.sql("SELECT to_regclass('users')::text, to_regclass('sqlmodule.ledger')") == [("users", None)]
    world.sql("UPDATE users SET email = id; UPDATE corpora SET name = id", owner=False)
    assert up(world)[1] == {Step.ADOPT}


@pytest.mark.full
def test_a_database_of_a_known_kind_is_refused_until_it_is_to_be_adopted(make: Make) -> None:
    """The refusal names the kind and the setting; of no known kind, it names the nearest and what that lacks."""
    world = make("old_chain").set(adopt=False)
    refused = str(refusal_of(world.plan(), "database x"))
    assert refused.startswith(
        "migrations/adoption/old_chain in database x: the database was made elsewhere, and is of the kind"
    )
    assert refused.endswith("to bring it over, set `adopt: true` for it in `databases`, and look at a preview")
    world.sql("DROP TABLE steps; ALTER TABLE runs ALTER status TYPE text", owner=False)
    refused = str(refusal_of(world.set(adopt=True).plan(), "database x"))
    assert "is of no known kind; the nearest is old_chain (" in refused
    assert "but for column public.runs.status, column public.steps.assistant_id," in refused
    world = make("schema_sql")
    world.sql("CREATE TABLE research_sessions (id int)", owner=False)
    with pytest.raises(RefusedError, match=r"is like schema_sql, but has .*table public.research_sessions.* already"):
        runner.migrate(world.session)
