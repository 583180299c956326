"""The queries of a branch that look for rows which break a rule are run by nobody with rights on the live server."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.errors import InfraError
from infra.migrations.history import file_digests, write_lock
from infra.plan.refusal import refusal_of
from infra.postgres.connection.connect import connect
from tests.database.postgres.databases import PERSISTENT
from tests.security.attacks import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

SCHEMA = "CREATE TABLE people (id int PRIMARY KEY, email text NOT NULL, code varchar(9));\n"
BASELINE = SCHEMA.replace("email text NOT NULL", "email text NOT NULL UNIQUE")
RULE = """
-- people with the same address
SELECT email, count(*) AS rows FROM people GROUP BY email HAVING count(*) > 1 ORDER BY email;
"""
RULES = {
    "two statements": "SET default_transaction_read_only = off; CREATE ROLE risen; -- people",
    "a block": "DO $$ BEGIN SET default_transaction_read_only = off; END $$; DO $$ BEGIN CREATE ROLE risen; END $$;",
    "a program": "COPY (SELECT 1 FROM people) TO PROGRAM 'touch {file}';",
    "a file": "COPY people TO '{file}';",
    "the server's files": "SELECT pg_read_file('PG_VERSION') FROM people;",
    "the server's verifiers": "SELECT rolpassword FROM pg_authid WHERE rolpassword IS NOT NULL;",
    "the end of the query": "SELECT 1 FROM people) AS found; CREATE ROLE risen; SELECT count(*) FROM (SELECT 1;",
    "a function of the kind": "SELECT evil(email) FROM people;",
}
TRAPS = {
    "an index": "CREATE INDEX ON people (email) WHERE evil('x') = 'x';",
    "an index of a column": "CREATE INDEX ON people (evil(email));",
    "an operator": "CREATE FUNCTION eq(varchar, varchar) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN"
    " PERFORM public.evil(''); RETURN true; END $$;"
    "CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = eq);",
    "a policy": "CREATE POLICY p ON people USING (evil(email) = email); ALTER TABLE people ENABLE ROW LEVEL SECURITY;"
    "ALTER TABLE people FORCE ROW LEVEL SECURITY;",
    "statistics": "CREATE STATISTICS s ON (evil('x') || email), email FROM people;",
    "a check": "ALTER TABLE people ADD CHECK (evil('x') = 'x') NOT VALID;",
}


@pytest.fixture
def file() -> Iterator[Path]:
    """Yield the path of a file that every user of this machine could write, and that does not exist."""
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        Path(directory).chmod(0o777)
        yield Path(directory) / "owned"


@pytest.fixture
def existing(world: World) -> World:
    """Return a world whose database was made by another role, and whose branch knows its kind."""
    world.set(lifecycle=PERSISTENT, migrations="migrations", adopt=True).write(m01_a=BASELINE)
    for name, text in {
        "baseline/01-a.sql": BASELINE,
        "versions/0001_a.py": "revision = '0001'\ndown_revision = None\n\n\ndef upgrade():\n    pass\n",
        "adoption/old/schema.sql": FUNCTIONS + SCHEMA,
        "adoption/old/rows.sql": RULE,
    }.items():
        path = Path("migrations", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    write_lock("migrations", file_digests("migrations", ["versions/0001_a.py"]))
    world.sql("GRANT CREATE ON SCHEMA public TO world_readonly", owner=False)
    world.sql(f"SET ROLE world_readonly; {FUNCTIONS} {SCHEMA}", owner=False)
    return world


def refused(world: World) -> str:
    """Return what a preview says against a world, '' for nothing."""
    try:
        plan = world.plan(recorded=True)
    except InfraError as error:
        return str(error)
    return str(refusal_of(plan, "x")) if plan.refusals else ""


def rose(world: World) -> bool:
    """Return whether the attack has made its role or its file, which are removed again."""
    with connect(world.session.admin.on("postgres"), autocommit=True) as connection:
        found = connection.execute("SELECT FROM pg_roles WHERE rolname = 'risen'").fetchall()
        connection.execute("DROP ROLE IF EXISTS risen")
    written = Path(f"/tmp/{world.session.admin.database}.risen")
    has_written = written.exists()
    written.unlink(missing_ok=True)
    return bool(found) or has_written


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_one_query_of_tables(existing: World, file: Path, rule: str) -> None:
    """What it is besides has no right, and the refusal names the place."""
    existing.sql("INSERT INTO people VALUES (1, 'a', 'b')", owner=False)
    query = RULES[rule].format(file=file) if "{file}" in RULES[rule] else RULES[rule]
    Path("migrations/adoption/old/rows.sql").write_text(f"-- {rule}\n{query}\n")
    found = refused(existing)
    assert not rose(existing)
    assert not file.exists()
    assert "migrations/adoption/old/rows.sql:2" in found
    assert "SCRAM" not in found


@pytest.mark.parametrize("trap", TRAPS)
def test_nothing_of_the_tables_owner_is_run(existing: World, trap: str) -> None:
    """Neither functions in indexes nor operators that fit better than PostgreSQL's; the rows are found all the same."""
    existing.sql("INSERT INTO people VALUES (1, 'same', 'b'), (2, 'same', 'c')", owner=False)
    existing.sql(f"SET ROLE world_readonly; SET search_path = public; {TRAPS[trap]}", owner=False)
    rose(existing)  # to make the trap, by a superuser here, is not the attack
    found = refused(existing)
    assert not rose(existing)
    assert "email same, rows 2" in found


def test_rows_of_partitions_and_heirs_and_what_a_kinds_rules_would_refuse_are_found(existing: World) -> None:
    """A database has the kind's tables and columns, and may lack its rules; each value is read as it is."""
    existing.sql("ALTER TABLE people DROP CONSTRAINT people_pkey, ALTER email DROP NOT NULL", owner=False)
    existing.sql("CREATE TABLE heir () INHERITS (people); INSERT INTO heir VALUES (1, 'tab\t\\N', NULL)", owner=False)
    existing.sql("INSERT INTO people VALUES (1, 'tab\t\\N', ''), (1, NULL, ''), (1, NULL, '')", owner=False)
    found = refused(existing)
    assert "email tab\t\\N, rows 2" in found
    assert "email None, rows 2" in found
