"""Databases that were made elsewhere are recognised, and brought over to the models' schema without losing a row."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Mapper, Session, make_transient
from sqlalchemy.orm.attributes import flag_modified
from sqlalchemy.pool import NullPool

from infra.catalog.difference import differences
from infra.errors import ModuleError, RefusedError, ServerError
from infra.modules.decision import Step
from infra.plan.refusal import refusal_of
from infra.postgres.apply import runner
from infra.postgres.apply.revisions import stamp_head
from infra.postgres.connection.connect import connect
from infra.postgres.connection.target import conninfo_of
from infra.server.scratch.private_server import private_server
from models.base import Base
from tests.database.postgres.databases import MIGRATOR, OWNER, PERSISTENT, READER, World, create_template, worlds
from tests.schema.database.awkward_rows import Values, fill, values_of
from tests.schema.project import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.postgres.connection.target import Target

    Make = Callable[[str], World]

pytestmark = pytest.mark.database
ROWS = 200
SEEDS = 5
KINDS = ("schema_sql", "old_chain", "modular_scripts")
NO_PLACE = "before_adoption"

RENAMED = {
    "schema_sql": {"users.*": "userbase.*"},
    "old_chain": {
        "tool_usage_logs.input_data": "tool_usage_logs.arguments",
        "tool_usage_logs.duration_ms": "tool_usage_logs.execution_time_ms",
        "ai_supply_items.updated_at": "ai_supply_items.last_updated",
        "research_sessions.topic": "research_sessions.query",
        "research_sessions.user_id": "research_sessions.initiated_by",
        "research_sessions.findings": "research_sessions.processed_data",
        "supply_update_logs.update_type": "supply_update_logs.field_updated",
        "supply_update_logs.created_at": "supply_update_logs.updated_at",
    },
    "modular_scripts": {},
}
"""Where values of a kind are afterwards that are elsewhere than before."""
BECOMES_UNIQUE = {
    "userbase": ("email",),
    "corpora": ("name",),
    "supply_options": ("name",),
    "apex_optimizer_agent_run_reports": ("run_id",),
    "agent_state_snapshots": ("run_id",),
    "demo_scenarios": ("scenario_name",),
}
KEPT_ASIDE = {
    "tool_usage_logs.output_data",
    "ai_supply_items.name",
    "ai_supply_items.cost_per_token",
    "ai_supply_items.metadata_",
    "research_sessions.updated_at",
}


@pytest.fixture(scope="module")
def admin() -> Iterator[Target]:
    """Yield the administrator of a server that has this project's extensions."""
    with private_server() as server:
        create_template(server.admin)
        with connect(server.admin) as connection:
            password = sql.Literal(server.admin.password)
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(MIGRATOR), password))
            connection.execute("CREATE ROLE old_admin; CREATE ROLE old_application")
        yield server.admin


@pytest.fixture
def make(admin: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Yield a function that makes a database of a kind, '' for an empty one, with the project's modules and revisions.

    The tables of a kind are another administrator's, with privileges for a role that the stack does not have.
    """
    monkeypatch.chdir(tmp_path)
    for folder in ("sql", "migrations"):
        shutil.copytree(ROOT / folder, folder)
    with worlds(admin) as new_world:

        def of_kind(kind: str) -> World:
            world = new_world(Path("sql")).set(
                lifecycle=PERSISTENT, migrations="migrations", adopt=True, statement_timeout=60
            )
            world.sql(f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT SELECT ON TABLES TO {READER}", owner=False)
            if kind:
                world.sql("GRANT ALL ON SCHEMA public TO old_admin", owner=False)
                schema = Path(f"migrations/adoption/{kind}/schema.sql").read_text()
                before, _, tables = schema.partition("CREATE TABLE")
                world.sql(f"{before} SET ROLE old_admin; CREATE TABLE{tables}", owner=False)
                world.sql("GRANT ALL ON ALL TABLES IN SCHEMA public TO old_application, PUBLIC", owner=False)
            return world

        yield of_kind


def up(world: World) -> tuple[list[str], set[Step]]:
    """Run what the database is due and its modules, as `pulumi up` would, and stamp it.

    Returns the revisions, and the steps of all modules but the first, which makes nothing where its extensions exist.
    """
    world.new_process()
    done = runner.migrate(world.session)
    _, *steps = [world.apply(module) for module in world.modules()]
    with connect(world.session.target, autocommit=True) as connection:
        stamp_head(connection, OWNER, "0001")
    return done, set(steps)


def found_again(kind: str, before: Values, after: Values, aside: Values) -> None:
    """Find every value of every row again, where it is now, in another type only where the kind says so."""
    for table, columns in before.items():
        for column, values in columns.items():
            key = f"{table}.{column}"
            if key in KEPT_ASIDE and kind == "old_chain":
                now, kept = (
                    aside[table][column],
                    {row: value for row, value in values.items() if row in aside[table][column]},
                )
                assert all(value is None for row, value in values.items() if row not in now), key
                assert [with_zone(value, now[row]) for row, value in kept.items()] == [now[row] for row in kept], key
                continue
            new_table, new_column = RENAMED[kind].get(key, RENAMED[kind].get(f"{table}.*", f"{table}.*")).split(".")
            now = after[new_table][column if new_column == "*" else new_column]
            seeds = SEEDS if table == "demo_scenarios" else 0
            assert len(now) == len(values) + seeds, key
            now = {row: now[row] for row in values}
            if key == "userbase.trial_period" and kind == "old_chain":
                numbers = {"0": "false", "1": "true", None: None}
                assert {row: numbers.get(value, "true") for row, value in values.items()} == now
                others = {row: value for row, value in values.items() if value not in numbers}
                assert aside["userbase"]["trial_period"] == others
                continue
            expected = {row: with_zone(value, now[row]) for row, value in values.items()}
            if key == "supply_update_logs.updated_by" and kind == "old_chain":
                expected = {row: "system" if value is None else value for row, value in expected.items()}
            assert now == expected, key


def with_zone(value: str | None, now: str | None) -> str | None:
    """Return a time without a zone as UTC, where it has one now."""
    return f"{value}+00" if value and now == f"{value}+00" else value


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
    fill(world, ROWS)
    before = values_of(world)
    world.sql("REVOKE ALL ON SCHEMA public FROM old_admin", owner=False)
    up(fresh)
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
    found = [
        difference
        for difference in differences(fresh.catalog(), world.catalog())
        if difference.identity.kind != "column order"
    ]
    assert {str(difference.identity) for difference in found if difference.verdict != "extra"} == set()
    assert all(
        "by_hand" in str(difference) or "people" in str(difference) or NO_PLACE in str(difference)
        for difference in found
    )
    found_again(kind, before, values_of(world), values_of(world, NO_PLACE))
    assert world.plan(recorded=True).is_unchanged
    assert up(world) == ([], {Step.UNCHANGED})
    read_and_write_all_tables(world)


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
            own = next(attribute for attribute in mapper.column_attrs if not attribute.columns[0].primary_key)
            for thing in things:
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
def test_a_run_that_fails_at_any_statement_is_resumed_and_ends_alike(make: Make) -> None:
    """Whatever statement fails, steps before it stay, its own leaves nothing, and the next run goes on with it."""
    world, fresh = make("modular_scripts"), make("")
    up(fresh)
    fill(world, 20)
    before = values_of(world)
    failing = """
        CREATE SEQUENCE public.statements;
        GRANT ALL ON public.statements TO PUBLIC;
        CREATE FUNCTION public.fail() RETURNS event_trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('public.statements') IN (1, 3, 6, 11, 40, 200, 420, 650, 900, 1200) THEN
                RAISE EXCEPTION 'interrupted';
            END IF;
        END $$;
        CREATE EVENT TRIGGER fail ON ddl_command_start EXECUTE FUNCTION public.fail();
    """
    world.sql(failing, owner=False)
    failures: list[str] = []
    for _ in range(20):
        world.new_process()
        try:
            runner.migrate(world.session)
        except (ModuleError, ServerError) as error:
            failures.append(error.place)
        else:
            break
    world.sql("DROP EVENT TRIGGER fail; DROP FUNCTION fail(); DROP SEQUENCE statements", owner=False)
    assert len(set(failures)) > 4, failures
    assert up(world) == ([], {Step.ADOPT})
    assert fresh.fingerprint() == world.fingerprint()
    found_again("modular_scripts", before, values_of(world), {})


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
