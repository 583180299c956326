"""The catalog of a group's database after a module: it follows from the ledger where nobody else changed anything."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

import pytest

from infra.postgres.access_drift import access_drift
from infra.postgres.apply import planning
from infra.postgres.apply.plan_cache import PlanInProgress, cache
from infra.postgres.connection.connect import connect
from infra.postgres.groups.modules import module_order, read_completeness, visits
from infra.postgres.introspection.reader import read_catalog_version
from infra.postgres.privileges import grant_access
from tests.database.postgres.groups.test_groups import tenants  # noqa: F401 # pyright: ignore[reportUnusedImport]

if TYPE_CHECKING:
    from infra.postgres.connection.session import Session
    from tests.database.postgres.groups.test_groups import Tenants
pytest_plugins = ["tests.database.scratch_server"]

SLEEPS = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = 'acme'"

FIRST = """
CREATE SCHEMA s;
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TABLE a (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE b (id integer PRIMARY KEY, a integer REFERENCES a);
CREATE FUNCTION f(i integer) RETURNS integer LANGUAGE sql IMMUTABLE RETURN i;
"""
SETS = """
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''8MB''', current_database()); END $$;
"""

LATER = {
    "creates a table": "CREATE TABLE c (id integer PRIMARY KEY, mood mood);",
    "creates what hangs on tables": "CREATE INDEX ON a (name); ALTER TABLE a ADD CHECK (f(id) > 0);"
    "CREATE VIEW v AS SELECT name FROM a; CREATE RULE r AS ON DELETE TO b DO INSTEAD NOTHING;",
    "creates what is part of a table": "CREATE POLICY p ON a USING (true);",
    "comments on a column": "COMMENT ON COLUMN a.name IS 'the name';",
    "comments on a function": "COMMENT ON FUNCTION f(integer) IS 'the same number';",
    "adds a value": "ALTER TYPE mood ADD VALUE 'so' BEFORE 'happy';",
    "changes a table": "ALTER TABLE a ADD COLUMN more text DEFAULT ''; ALTER TABLE a ALTER COLUMN name DROP NOT NULL;",
    "renames": "ALTER TABLE a RENAME COLUMN more TO less; ALTER TYPE mood RENAME TO moods; ALTER VIEW v RENAME TO w;",
    "drops": "DROP RULE r ON b; DROP VIEW w; DROP TABLE c;",
    "comments on what the stack made": "COMMENT ON SCHEMA s IS 'own'; COMMENT ON SCHEMA public IS 'common';",
    "changes privileges": "REVOKE ALL ON TABLE b FROM {app}; GRANT SELECT (id) ON b TO {app};"
    "ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT EXECUTE ON FUNCTIONS TO {app};",
    "runs in a subtransaction": "DO $$ BEGIN CREATE TABLE d (); RAISE division_by_zero;"
    " EXCEPTION WHEN division_by_zero THEN CREATE TABLE e (id serial); END $$;",
    "changes rows only": "INSERT INTO e DEFAULT VALUES; CREATE TEMPORARY TABLE t AS SELECT 1;",
    "sets a parameter": SETS,
    "resets a parameter": SETS.replace("SET work_mem = ''8MB''", "RESET work_mem"),
    "creates a function and an operator": "CREATE FUNCTION g(text) RETURNS text LANGUAGE plpgsql AS"
    " $$ BEGIN RETURN $1; END $$; CREATE OPERATOR s.!! (RIGHTARG = text, FUNCTION = g);",
}
READ = ["comments on what the stack made"]
"""What changes an object of PostgreSQL's own: the catalog is read then."""


@pytest.fixture
def session(tenants: Tenants) -> Session:  # noqa: F811
    """Return the session of a database with a module, which no look has seen."""
    tenants.create(["acme"])
    (tenants.directory / "01-first.sql").write_text(FIRST, encoding="utf-8")
    assert tenants.apply("01", ["acme"])["acme"].error is None
    return tenants.spec.session("acme", print)


def looked_at(session: Session) -> PlanInProgress:
    """Return the plan of a look at a database, as a new process makes it."""
    cache.clear()
    visits.forget(session)
    planned = planning.look(session, recorded=True, explain=False)
    assert isinstance(planned, PlanInProgress)
    return planned


def test_the_catalog_after_a_module_is_the_one_that_a_reader_finds(tenants: Tenants, session: Session) -> None:  # noqa: F811
    """Whatever the module does; and the version that is known is that of the catalog."""
    for number, (what, text) in enumerate(LATER.items(), 2):
        path = tenants.directory / f"{number:02}-later.sql"
        path.write_text(text.replace("{app}", tenants.spec.role("acme", "app")), encoding="utf-8")
        planned = looked_at(session)
        assert not planned.is_read, what
        assert tenants.apply(f"{number:02}", ["acme"])["acme"].error is None, what
        with connect(session.target, autocommit=True) as connection:
            assert planned.catalog_version == ("" if what in READ else read_catalog_version(connection)), what
        assert visits.completeness(session) == read_completeness(session), what
        assert looked_at(session).plan.is_unchanged, what
        drift = access_drift(session.admin, tenants.spec.access("acme"))
        assert not [line for line in drift or () if "work_mem" in line], what


def test_what_somebody_else_does_while_a_module_runs_is_found(tenants: Tenants, session: Session) -> None:  # noqa: F811
    """Then the catalog is read, as it is where no look came before."""
    (tenants.directory / "02-slow.sql").write_text("CREATE TABLE slow (); SELECT pg_sleep(1);", encoding="utf-8")
    planned = looked_at(session)
    run = Thread(target=tenants.apply, args=("02", ["acme"]))
    run.start()
    while run.is_alive() and not tenants.sql("acme", SLEEPS):
        pass
    tenants.sql("acme", "CREATE TABLE public.by_hand (id integer)")
    run.join()
    assert not planned.catalog_version
    assert "table public.by_hand" in visits.completeness(session).unmanaged


def test_what_somebody_else_did_after_the_look_is_found(tenants: Tenants, session: Session) -> None:  # noqa: F811
    """Also where the module itself changes nothing in the catalog."""
    (tenants.directory / "02-rows.sql").write_text("INSERT INTO a VALUES (1, '');", encoding="utf-8")
    planned = looked_at(session)
    tenants.sql("acme", "ALTER TABLE a ADD COLUMN by_hand text")
    tenants.apply("02", ["acme"])
    assert not planned.catalog_version
    found = looked_at(session)
    assert found.is_read
    assert not found.plan.is_unchanged


def test_a_parameter_that_somebody_reset_is_found_until_it_is_set_again(tenants: Tenants, session: Session) -> None:  # noqa: F811
    """Another session that is in no database of the group knows of nothing that is missing there."""
    (tenants.directory / "02-sets.sql").write_text(SETS, encoding="utf-8")
    tenants.apply("02", ["acme"])
    read_completeness(session, module_order(str(tenants.directory)))
    assert not looked_at(session).is_read
    tenants.sql("acme", "ALTER DATABASE acme RESET work_mem")
    for _ in range(2):  # a run that failed to set it again is no reason to forget it
        found = looked_at(session)
        assert found.is_read
        assert found.plan.is_unchanged
    grant_access(session.admin, tenants.spec.access("acme"), revoke_others=True)
    assert access_drift(session.admin, tenants.spec.access("acme")) == []
    assert looked_at(session).is_read
    assert not looked_at(session).is_read
