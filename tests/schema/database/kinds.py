"""Databases of the kinds that exist elsewhere: brought over as `up` does, and every value found again."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from infra.catalog.difference import differences
from infra.postgres.apply import runner
from infra.postgres.apply.revisions import stamp_head
from infra.postgres.connection.connect import connect
from tests.database.postgres.databases import OWNER, World
from tests.schema.database.awkward_rows import Values

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from infra.catalog.difference import Difference
    from infra.modules.decision import Step

    Make = Callable[[str], World]

SEEDS = 5
KINDS = ("schema_sql", "old_chain", "modular_scripts", "modules")
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
    "modules": {},
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


def schema_of(kind: str) -> str:
    """Return the SQL that makes a database of a kind; `modules` are this project's own, run by something else."""
    if kind == "modules":
        return "\n".join(path.read_text() for path in sorted(Path("sql").glob("*.sql")))
    return Path(f"migrations/adoption/{kind}/schema.sql").read_text()


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


def differing(fresh: World, world: World) -> set[str]:
    """Return what a world lacks of a fresh one, has otherwise, or grants besides; columns may have another order."""
    others = {"schema public", *(str(identity) for identity in world.unmanaged())}  # the stack declares those on public

    def counts(difference: Difference) -> bool:
        kind, name = difference.identity
        if difference.verdict == "extra":
            return kind == "privileges" and name.rpartition(" to ")[0] not in others
        return kind != "column order"

    return {str(difference) for difference in differences(fresh.catalog(), world.catalog()) if counts(difference)}


@contextmanager
def values_before(world: World) -> Generator[Values]:
    """Yield the values of a world as they are now, from a copy of its database."""
    name = f"before_{uuid4().hex[:12]}"
    with connect(world.session.admin.on("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {world.session.target.database}".encode())
        try:
            yield Values(world.session.admin.on(name))
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def find_again(kind: str, before: Values, world: World) -> int:
    """Find every value of every row again, where it is now, in another type only where the kind says so.

    Returns how many values there were.
    """
    after, aside = Values(world.session.admin), Values(world.session.admin, NO_PLACE)
    number = 0
    for table, columns in before.tables.items():
        for column in columns:
            values = before.of(table, column)
            number += len(values)
            _find_again(kind, f"{table}.{column}", values, after, aside)
    return number


def _find_again(kind: str, key: str, values: dict[str, str | None], after: Values, aside: Values) -> None:
    table, column = key.split(".")
    if key in KEPT_ASIDE and kind == "old_chain":
        now = aside.of(table, column)
        assert all(value is None for row, value in values.items() if row not in now), key
        kept = {row: with_zone(value, now[row]) for row, value in values.items() if row in now}
        assert kept == {row: now[row] for row in kept}, key
        return
    new_table, new_column = RENAMED[kind].get(key, RENAMED[kind].get(f"{table}.*", f"{table}.*")).split(".")
    now = after.of(new_table, column if new_column == "*" else new_column)
    seeds = SEEDS if table == "demo_scenarios" and kind != "modules" else 0
    assert len(now) == len(values) + seeds, key
    now = {row: now[row] for row in values}
    if key == "userbase.trial_period" and kind == "old_chain":
        numbers = {"0": "false", "1": "true", None: None}
        assert {row: numbers.get(value, "true") for row, value in values.items()} == now
        others = {row: value for row, value in values.items() if value not in numbers}
        assert aside.of("userbase", "trial_period") == others
        return
    expected = {row: with_zone(value, now[row]) for row, value in values.items()}
    if key == "supply_update_logs.updated_by" and kind == "old_chain":
        expected = {row: "system" if value is None else value for row, value in expected.items()}
    assert now == expected, key


def with_zone(value: str | None, now: str | None) -> str | None:
    """Return a time without a zone as UTC, where it has one now."""
    return f"{value}+00" if value and now == f"{value}+00" else value
