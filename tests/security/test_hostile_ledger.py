"""A ledger belongs to the database's owner, who may put anything in its place: no administrator runs what that is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.postgres.apply.losses import rows_of_database
from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect
from infra.postgres.privileges import Access, access_drift, grant_access
from tests.database.postgres.databases import EPHEMERAL, MIGRATOR, OWNER, by_hand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.postgres.connection.target import Target
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

ACCESS = Access(OWNER, "ledger_app", "ledger_readonly", MIGRATOR)
SET_BY_MODULE = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''8MB''', current_database()); END $$;"

FUNCTIONS = """
CREATE FUNCTION rise() RETURNS text LANGUAGE plpgsql VOLATILE AS $$ BEGIN
    BEGIN RESET ROLE; EXCEPTION WHEN OTHERS THEN NULL; END;
    BEGIN CREATE ROLE risen; EXCEPTION WHEN OTHERS THEN NULL; END;
    BEGIN
        EXECUTE format('COPY (SELECT 1) TO PROGRAM ''touch /tmp/%s.risen''', current_database());
    EXCEPTION WHEN OTHERS THEN NULL; END;
    RETURN 'x';
END $$;
CREATE FUNCTION evil(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
    PERFORM public.rise(); RETURN $1;
END $$;
"""
"""The second one may be in an index, and PostgreSQL computes it as soon as it plans a query with constants."""

RECORDED = """
UPDATE sqlmodule.ledger SET objects = objects || jsonb_build_array(
    jsonb_build_array('database setting', '{parameter}', $trap${value}$trap$, false));
"""
HIJACKED = """
CREATE SCHEMA trap;
CREATE FUNCTION trap.differs(oid, oid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
    PERFORM public.evil(''); RETURN NOT $1 = $2; END $$;
CREATE OPERATOR trap.<> (LEFTARG = oid, RIGHTARG = oid, FUNCTION = trap.differs);
CREATE FUNCTION trap.joined(text, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN
    PERFORM public.evil(''); RETURN concat($1, $2); END $$;
CREATE OPERATOR trap.|| (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.joined);
"""
TRAPS = {
    "a view": "ALTER TABLE sqlmodule.ledger RENAME TO hidden; CREATE VIEW sqlmodule.ledger AS"
    " SELECT evil(module) AS module, objects FROM sqlmodule.hidden;",
    "an index": "CREATE INDEX ON sqlmodule.ledger (module) WHERE evil('x') = 'x';",
    "a check": "ALTER TABLE sqlmodule.ledger ADD CHECK (evil('x') = 'x') NOT VALID;",
    "a policy": "CREATE POLICY p ON sqlmodule.ledger USING (evil(module) = module);"
    "ALTER TABLE sqlmodule.ledger ENABLE ROW LEVEL SECURITY; ALTER TABLE sqlmodule.ledger FORCE ROW LEVEL SECURITY;",
    "a cast": "CREATE TYPE own AS (t text); CREATE FUNCTION cast_own(own) RETURNS jsonb LANGUAGE sql"
    " AS $$ SELECT to_jsonb(public.evil('x')) $$; CREATE CAST (own AS jsonb) WITH FUNCTION cast_own(own) AS IMPLICIT;"
    "ALTER TABLE sqlmodule.ledger RENAME TO hidden;"
    "CREATE TABLE sqlmodule.ledger AS SELECT module, ROW('x')::own AS objects FROM sqlmodule.hidden;",
    "a search path": HIJACKED + RECORDED.format(parameter="search_path", value="trap, pg_catalog"),
    "a library": RECORDED.format(parameter="session_preload_libraries", value="/tmp/library"),
    "an index of a table": "CREATE TABLE people (a text); CREATE INDEX ON people (a) WHERE evil('x') = 'x';",
    "a partition": "CREATE TABLE people (a text) PARTITION BY LIST (evil(a));"
    "CREATE TABLE x PARTITION OF people FOR VALUES IN ('x'); CREATE TABLE others PARTITION OF people DEFAULT;",
    "a policy of a table": "CREATE TABLE people (a text); INSERT INTO people VALUES ('x');"
    "CREATE POLICY p ON people USING (evil(a) = a); ALTER TABLE people ENABLE ROW LEVEL SECURITY;"
    "ALTER TABLE people FORCE ROW LEVEL SECURITY;",
    "the ledger's seeds": "UPDATE sqlmodule.ledger SET seeds = '[1]';",
    "a role": RECORDED.format(parameter="role", value="postgres"),
}


@pytest.fixture
def admin(world: World) -> Iterator[Target]:
    """Yield the administrator's target of a database with a module that sets a parameter."""
    world.set(lifecycle=EPHEMERAL).write(m01_a=SET_BY_MODULE)
    world.apply(*world.modules())
    target = world.session.admin
    with connect(target, autocommit=True) as connection:
        for role in (ACCESS.app, ACCESS.readonly):
            connection.execute(f"CREATE ROLE {role} LOGIN".encode())
        connection.execute(b"REVOKE ALL ON SCHEMA public FROM world_readonly")
    grant_access(target, ACCESS)
    assert access_drift(target, ACCESS) == []
    yield target
    pool.close_all()
    with connect(target.on("postgres"), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {target.database} RESET ALL".encode())
    with connect(target, autocommit=True) as connection:
        for role in (ACCESS.app, ACCESS.readonly):
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())
        connection.execute(b"DROP ROLE IF EXISTS risen")


@pytest.mark.parametrize("trap", TRAPS)
def test_an_owner_gets_no_right_of_the_administrator(world: World, admin: Target, trap: str) -> None:
    """Neither where a preview compares nor where a run takes back what it found."""
    with connect(by_hand(world.session.target), autocommit=True) as connection:
        connection.execute(f"SET ROLE {OWNER}; SET search_path = public".encode())
        connection.execute(FUNCTIONS.encode())
        connection.execute(TRAPS[trap].encode())
        connection.execute("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET work_mem', current_database()); END $$")
    found = access_drift(admin, ACCESS)
    try:
        grant_access(admin, ACCESS, revoke_others=True)
        refused = ""
    except Exception as error:  # noqa: BLE001 (a refusal is as good)
        refused = str(error)
    assert not {"sqlmodule.ledger"} & rows_of_database(admin).keys()
    with connect(admin.on("postgres"), autocommit=True) as connection:
        risen = connection.execute("SELECT rolname FROM pg_roles WHERE rolname = 'risen'").fetchall()
        settings = connection.execute(
            "SELECT unnest(setconfig) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase"
            " WHERE datname = %s",
            (admin.database,),
        ).fetchall()
    file = Path(f"/tmp/{admin.database}.risen")
    has_risen = file.exists()
    file.unlink(missing_ok=True)
    assert not has_risen, (found, refused)
    assert risen == [], (found, refused)
    assert not [setting for (setting,) in settings if "librar" in setting], (found, refused)
