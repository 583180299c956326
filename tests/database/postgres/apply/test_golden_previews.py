"""Previews as a person reads them, as text and as Markdown, each in a file of `previews/`.

`GOLDEN=write` in the environment writes the files anew; read them afterwards as someone who has never seen the program.
"""

from __future__ import annotations

import os
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from infra.modules.directive import DIRECTIVE
from infra.plan.migration_statements import safe_draft
from infra.plan.rendering import PlannedDatabase, plan_as_markdown, plan_as_text
from infra.postgres.apply.losses import rows_at_risk, values_at_risk
from infra.postgres.apply.plan_cache import PlanInProgress
from infra.postgres.apply.planning import look
from tests.database.postgres.databases import EPHEMERAL, PERSISTENT

if TYPE_CHECKING:
    from infra.modules.decision import Lifecycle
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

PREVIEWS = Path(__file__).with_name("previews")

CUSTOMERS = """
CREATE TABLE customers (
    id integer PRIMARY KEY,
    email varchar NOT NULL,
    picture varchar
);
CREATE TABLE secrets (
    customer_id integer NOT NULL REFERENCES customers,
    token varchar NOT NULL
);
"""
ORDERS = """
CREATE TABLE orders (
    id integer PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers,
    placed_at timestamptz NOT NULL
);
INSERT INTO customers VALUES (0, 'nobody@example.org');
"""
INDEXES = "CREATE INDEX orders_by_customer ON orders (customer_id);\n"
ROWS = """
INSERT INTO customers SELECT n, n || '@example.org' FROM generate_series(1, 1200) n;
INSERT INTO secrets SELECT n, 'x' FROM generate_series(1, 300) n
"""
FILES = {"m01_customers": CUSTOMERS, "m02_orders": ORDERS, "m03_indexes": INDEXES}


class Change(NamedTuple):
    """A change of the modules, None for one that goes, or of the database."""

    files: dict[str, str | None]
    sql: str = ""


COLUMN = Change({"m01_customers": CUSTOMERS.replace("picture varchar", "picture varchar,\n    locale varchar")})
INDEX = Change({"m03_indexes": INDEXES + "CREATE INDEX orders_by_time ON orders (placed_at);\n"})
RENAME = Change({"m01_customers": CUSTOMERS.replace("TABLE secrets", "TABLE customer_secrets")})
DROP = Change({"m01_customers": CUSTOMERS.replace(",\n    picture varchar", "")})
REFUSAL = Change({"m02_orders": ORDERS.replace("placed_at timestamptz NOT NULL", "id timestamptz NOT NULL")})
DRIFT = Change({}, "ALTER TABLE orders ALTER placed_at DROP NOT NULL; CREATE TABLE by_hand (id integer)")
COMMITS = Change(
    {
        "m01_customers": CUSTOMERS.replace("picture varchar", "picture text"),
        "m03_indexes": f"{DIRECTIVE}\n{INDEXES.replace('INDEX', 'INDEX CONCURRENTLY')}ANALYZE orders;\n",
    }
)
REMOVAL = Change({"m03_indexes": None})

CASES: dict[str, tuple[Change, Lifecycle]] = {
    "column-ephemeral": (COLUMN, EPHEMERAL),
    "column-persistent": (COLUMN, PERSISTENT),
    "index-ephemeral": (INDEX, EPHEMERAL),
    "index-persistent": (INDEX, PERSISTENT),
    "rename-ephemeral": (RENAME, EPHEMERAL),
    "rename-persistent": (RENAME, PERSISTENT),
    "drop-ephemeral": (DROP, EPHEMERAL),
    "drop-persistent": (DROP, PERSISTENT),
    "refusal": (REFUSAL, EPHEMERAL),
    "drift": (DRIFT, PERSISTENT),
    "removal": (REMOVAL, EPHEMERAL),
    "commits": (COMMITS, EPHEMERAL),
    "forty-databases": (INDEX, EPHEMERAL),
}


def changed_lines(files: dict[str, str | None]) -> dict[str, list[str]]:
    """Return the changed lines of the modules, as SchemaPlan passes them."""
    return {
        name[1:].replace("_", "-"): list(
            unified_diff(FILES[name].splitlines(), (text or "").splitlines(), lineterm="", n=1)
        )[2:]
        for name, text in files.items()
        if text is not None
    }


@pytest.mark.parametrize("case", CASES)
def test_a_preview_reads_as_it_is_written(world: World, case: str) -> None:
    """Verdict, steps, rows at risk, changed lines: the same from run to run, and without a digest."""
    change, lifecycle = CASES[case]
    world.write(**FILES)
    world.set(lifecycle=lifecycle).up()
    world.sql(ROWS)
    if change.sql:
        world.sql(change.sql)
    world.write(**change.files)
    world.new_process()
    looked = look(world.session, recorded=True, explain=True)
    assert isinstance(looked, PlanInProgress)
    unmanaged = looked.status.in_sentences(looked.status.unmanaged())
    rows, values = rows_at_risk(world.session, looked), values_at_risk(world.session, looked)
    names = [f"tenant_{number:02}" for number in range(1, 41)] if case == "forty-databases" else ["shop_dev"]
    databases = [PlannedDatabase(name, lifecycle, looked.plan, rows, values, unmanaged) for name in names]
    lines = changed_lines(change.files)
    for ending, text in (("txt", plan_as_text(databases, lines) + "\n"), ("md", plan_as_markdown(databases, lines))):
        file = PREVIEWS / f"{case}.{ending}"
        if os.environ.get("GOLDEN") == "write":
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert text == file.read_text("utf-8")
        assert "sha256:" not in text
        assert looked.plan.digest not in text


@pytest.mark.parametrize("case", ["column", "index", "rename", "drop", "drift"])
def test_the_draft_of_a_refusal_settles_it(world: World, case: str) -> None:
    """The SQL that a persistent stack's refusal proposes makes the database such that nothing is refused any more."""
    change = DRIFT if case == "drift" else CASES[f"{case}-persistent"][0]
    world.write(**FILES)
    world.set(lifecycle=PERSISTENT).up()
    if change.sql:
        world.sql(change.sql)
    world.write(**change.files)
    (refusal,) = world.plan(recorded=True).refusals
    for statement in safe_draft(refusal.differences).lines:
        world.sql(statement)
    assert not world.plan(recorded=True).refusals
