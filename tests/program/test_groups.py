"""A group of databases from nothing to destroyed: one that fails, one that is paused, one more and one less."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.program.project import finished
from tests.program.test_killed import wait_until

if TYPE_CHECKING:
    from tests.program.project import Project

pytestmark = pytest.mark.full

TABLE = "CREATE TABLE customers (id integer PRIMARY KEY, name text);\n"
ORDERS = "CREATE TABLE orders (id integer PRIMARY KEY);\n"
LAST = "CREATE INDEX orders_id_idx ON orders (id);\n"


@pytest.fixture
def small(bare: Project) -> Project:
    """Return a project with a single database and a group of four, and two small modules beside the first."""
    for file in (bare.folder / "sql").glob("0[2-9]*.sql"):
        file.unlink()
    bare.add("sql/02-customers.sql", TABLE)
    return configured(bare, count=4)


def configured(project: Project, **settings: Any) -> Project:  # noqa: ANN401 (any setting)
    """Write the settings of the group, and return the project."""
    project.configure(databases=["app_db", {"group": "tenants", **settings}])
    return project


def steps(project: Project) -> dict[str, str]:
    """Return what was done in the group by the last run that did something, by module."""
    return project.outputs()["groups"]["tenants"]["modules"]


def touched(text: str) -> list[str]:
    """Return the names of the resources that a run changed."""
    return re.findall(r" ([\w-]+) (?:created|updated|deleted) \(", text)


def check_cancelled_run(small: Project) -> None:
    """Assert that a run that is cancelled finishes the database that it works on, and leaves the rest to the next."""
    small.configure(group_connections=2)
    small.add("sql/06-slow.sql", "SELECT pg_sleep(2);\nCREATE TABLE slow (id integer);\n")
    with small.connect("tenants_001") as connection:  # nobody can read the state while a run writes it
        connection.autocommit = True
        process = small.start(*small.line("up"))
        done = "SELECT module FROM sqlmodule.ledger WHERE module LIKE '06%'"
        wait_until(lambda: bool(connection.execute(done).fetchone()), "the first database is not done")
        os.killpg(process.pid, signal.SIGINT)
    text = finished(process).text
    assert "Traceback" not in text
    numbers = [len(small.ledger(f"tenants_00{number}")) for number in range(1, 5)]
    assert numbers[0] == 6
    assert numbers[-1] == 5, text
    text = small.up()
    assert [len(small.ledger(f"tenants_00{number}")) for number in range(1, 5)] == [6] * 4, text


TAKEN_BACK = {
    "GRANT CREATE ON SCHEMA public TO tenants_002_app": "tenants_002_app has CREATE, USAGE on schema public",
    "GRANT CONNECT ON DATABASE tenants_002 TO tenants_002_readonly WITH GRANT OPTION": (
        "tenants_002_readonly has CONNECT with grant option on database, and is to have CONNECT"
    ),
    "ALTER DEFAULT PRIVILEGES FOR ROLE tenants_002_owner GRANT SELECT ON TABLES TO PUBLIC": (
        "PUBLIC has SELECT on future tables, and is to have none"
    ),
    "GRANT tenants_002_app TO tenants_002_readonly": (
        "tenants_002_readonly has MEMBER on role tenants_002_app, and is to have none"
    ),
    "ALTER DATABASE tenants_002 SET search_path = trap": "database tenants_002 has a setting of search_path",
    "ALTER DATABASE tenants_002 CONNECTION LIMIT 7": "database tenants_002 has CONNECTION LIMIT 7",
}
SESSIONS = "SELECT coalesce(sum(sessions), 0)::int FROM pg_stat_database WHERE datname LIKE 'tenants%'"


def check_what_is_taken_back(small: Project) -> None:
    """Assert that what somebody changed of roles and privileges in one database is shown with it, and taken back.

    A run without changes connects to each database once.
    """
    before = small.admin(SESSIONS)[0][0]
    assert small.verb("preview", "--expect-no-changes").status == 0
    assert small.admin(SESSIONS)[0][0] - before == len(small.outputs()["dsn"]) - 1  # one is a single database
    for statement, sentence in TAKEN_BACK.items():
        small.admin(statement, database="tenants_002")
        if statement.startswith("GRANT CREATE"):  # by itself it is found, without what is kept outside of the database
            assert sentence in small.preview()
    text = small.preview()
    assert text.count("somebody changed what its roles or the database may do or are, and `up` takes that back") == 1
    assert "\n  tenants_002: \n" in text
    assert not [sentence for sentence in TAKEN_BACK.values() if sentence not in text], text
    assert small.verb("preview", "--expect-no-changes").status != 0
    assert touched(small.up()) == ["tenants"]
    assert small.verb("preview", "--expect-no-changes").status == 0
    assert touched(small.up()) == []
    assert small.verb("refresh", "--expect-no-changes").status == 0
    check_a_closed_database(small)


def check_a_closed_database(small: Project) -> None:
    """Assert that one that lets nobody in is shown and opened again, and what a DROP DATABASE left fails by itself."""
    small.admin("ALTER DATABASE tenants_003 ALLOW_CONNECTIONS false", database="postgres")
    assert "database tenants_003 has ALLOW_CONNECTIONS false, and is not to have it" in small.preview()
    assert small.verb("preview", "--expect-no-changes").status != 0
    assert small.verb("refresh", "--expect-no-changes").status != 0
    assert touched(small.up()) == ["tenants"]
    assert small.sql("SELECT 1", role="app", database="tenants_003") == [(1,)]
    assert small.verb("refresh", "--expect-no-changes").status == 0
    limit = "UPDATE pg_database SET datconnlimit = {} WHERE datname = 'tenants_003'"
    small.admin(limit.format(-2), database="postgres")
    for verb in ("preview", "up"):
        assert 'have its owner run DROP DATABASE "tenants_003" in another database' in small.verb(verb).text
    assert small.verb("up").status != 0
    small.admin(limit.format(-1), database="postgres")
    small.up()
    assert small.verb("preview", "--expect-no-changes").status == 0


def test_the_life_of_a_group(small: Project) -> None:  # noqa: PLR0915 (one server for all of it)
    """One failing database of four: three are done, the run fails, the next one does the one; then pause and change."""
    small.up()
    assert steps(small)["02-customers"] == "unchanged: 4"  # all are clones
    assert small.sql("SELECT count(*) FROM customers", role="app", database="tenants_003") == [(0,)]
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(small.outputs()["dsn"]["tenants_001"]["app"].removesuffix("_001") + "_002")
    assert "TENANTS" not in (small.folder / ".env.test").read_text()
    assert touched(small.up()) == []
    assert small.verb("refresh", "--expect-no-changes").status == 0
    check_what_is_taken_back(small)

    small.admin("CREATE TABLE orders (id text)", database="tenants_002")
    small.add("sql/03-orders.sql", ORDERS)
    small.add("sql/04-last.sql", LAST)
    text = small.refused("preview")
    assert "`up` will refuse, and change nothing in tenants_002" in text
    assert text.count("apply 03-orders, 04-last: not yet applied to this database") == 1
    text = small.refused("up")
    assert "group tenants: 1 of 4 databases are not complete, all others are; correct this and run again" in text
    assert "sql/03-orders.sql in database tenants_002: objects of its names are there and differ" in text
    assert "tenants_002: waits for 03-orders" in text
    assert "exit code" not in text
    numbers = [len(small.ledger(name)) for name in ("app_db", "tenants_001", "tenants_002", "tenants_003")]
    assert numbers == [4, 4, 2, 4]
    assert list(small.outputs()["groups"]["tenants"]["failed"]) == ["tenants_002"]
    assert steps(small)["03-orders"] == "apply: 3, failed: 1 (tenants_002)"

    small.admin("DROP TABLE orders", database="tenants_002")
    text = small.up()
    assert touched(text) == ["tenants-03-orders", "tenants-04-last", "tenants-ready"]
    assert steps(small)["03-orders"] == steps(small)["04-last"] == "apply: 1, unchanged: 3"
    assert small.outputs()["groups"]["tenants"]["failed"] == {}

    configured(small, count=4, paused=["tenants_001"]).up()
    small.admin("CREATE TABLE by_hand AS SELECT 1", database="tenants_004")
    small.add("sql/05-more.sql", "CREATE TABLE more (id integer);\n")
    configured(small, count=3, paused=["tenants_001"])
    losses = small.folder / "losses"
    small.env["PLATFORM_POSTGRES_LOSSES"] = str(losses)  # as `make up` does
    assert "database tenants_004: would lose rows that no module inserted: public.by_hand 1" in small.refused("up")
    assert losses.read_text() == "database tenants_004: public.by_hand 1\n"
    del small.env["PLATFORM_POSTGRES_LOSSES"]
    plan = str(small.folder / "plan.json")
    text = small.preview("--save-plan", plan)
    assert "`up` will lose 1 row in tenants_004" in text
    assert "drop the database: it is gone from the settings" in text
    assert "- loses 1 row (by_hand 1)" in text
    small.up("--plan", plan)
    assert small.ledger("tenants_001") == ["01", "02", "03", "04"]
    assert small.ledger("tenants_003") == ["01", "02", "03", "04", "05"]
    assert small.admin("SELECT count(*) FROM pg_database WHERE datname = 'tenants_004'") == [(0,)]
    assert small.admin("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'tenants_004%'") == [(0,)]
    assert small.verb("refresh", "--expect-no-changes").status == 0

    text = configured(small, count=4).up()
    assert steps(small) == {
        **dict.fromkeys(("01-init-extensions", "02-customers", "03-orders", "04-last"), "apply: 1, unchanged: 3"),
        "05-more": "apply: 2, unchanged: 2",
    }
    assert small.verb("refresh", "--expect-no-changes").status == 0
    assert small.verb("preview", "--expect-no-changes").status == 0
    check_cancelled_run(small)
    small.destroy()
    assert small.home.traces(small) == []


def test_each_database_of_a_group_begins_with_the_rows_of_its_seed(small: Project) -> None:
    """Clones too; other rows build all of them anew, and a database that fails does not stop the others."""

    def rows(number: int) -> list[str]:
        return [
            name for (name,) in small.admin("SELECT name FROM customers ORDER BY id", database=f"tenants_00{number}")
        ]

    small.add("seed.sql", "INSERT INTO customers VALUES (1, 'Ada'), (2, 'Bob');\n")
    configured(small, count=6, seed="seed.sql").up()
    assert [rows(number) for number in range(1, 7)] == [["Ada", "Bob"]] * 6
    taken = "SELECT DISTINCT step FROM sqlmodule.event WHERE step IN ('clone', 'apply') AND stack LIKE '%/test'"
    assert ("clone",) in small.admin(taken, database="tenants_006")
    assert touched(small.up()) == []
    assert small.verb("preview", "--expect-no-changes").status == 0
    assert small.sql("SELECT count(*) FROM customers") == [(0,)]  # of the single database, which has no seed

    text = configured(small, count=7, seed="seed.sql").up()
    assert rows(7) == ["Ada", "Bob"], text
    small.add("seed.sql", "INSERT INTO customers VALUES (1, 'Cy');\n")
    text = small.preview()
    assert "the seed has changed, so that the database is built anew" in text
    small.up()
    assert [rows(number) for number in range(1, 8)] == [["Cy"]] * 7
    assert touched(small.up()) == []

    small.add(
        "seed.sql",
        "INSERT INTO customers SELECT 1, current_database() WHERE 1 / (current_database() !~ '2')::int > 0;\n",
    )
    text = small.refused("up")
    assert "tenants_002: seed: seed.sql:1:1: division by zero [22012]" in text
    assert list(small.outputs()["groups"]["tenants"]["failed"]) == ["tenants_002"]
    assert (rows(2), rows(3)) == ([], ["tenants_003"])
    small.add("seed.sql", "INSERT INTO customers VALUES (1, 'Di');\n")
    small.up()
    assert [rows(number) for number in range(1, 8)] == [["Di"]] * 7
    refreshed = small.verb("refresh", "--expect-no-changes")
    assert refreshed.status == 0, refreshed.text
    for _ in range(2):  # the plan is the same both times
        forget = "DELETE FROM sqlmodule.ledger WHERE module LIKE 'seed %'; DELETE FROM customers"
        small.admin(forget, database="tenants_003")
        small.up()
        assert [rows(number) for number in (3, 4)] == [["Di"]] * 2
    configured(small, count=7).up()
    assert rows(1) == ["Di"]
    small.destroy()
    assert small.home.traces(small) == []
