"""A ledger belongs to the database's owner, who may put anything in its place: no administrator runs what that is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from infra.errors import LedgerError
from infra.postgres.access import Access
from infra.postgres.access_drift import access_drift
from infra.postgres.apply.losses import rows_of_database
from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect
from infra.postgres.privileges import grant_access
from infra.postgres.rename_roles import rename_roles
from tests.database.postgres.databases import EPHEMERAL, MIGRATOR, OWNER, by_hand
from tests.security.attacks import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.postgres.connection.target import Target
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

ACCESS = Access(OWNER, "ledger_app", "ledger_readonly", MIGRATOR)
SET_BY_MODULE = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''8MB''', current_database()); END $$;"

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
    "a trigger": "CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " PERFORM public.evil(''); RETURN NEW; END $$;"
    "CREATE TRIGGER t BEFORE INSERT OR UPDATE ON sqlmodule.ledger FOR EACH ROW EXECUTE FUNCTION trap();"
    "CREATE TRIGGER t BEFORE INSERT OR UPDATE ON sqlmodule.event FOR EACH ROW EXECUTE FUNCTION trap();",
    "a rule": "CREATE RULE r AS ON INSERT TO sqlmodule.event DO ALSO SELECT evil('x');",
    "a default": "ALTER TABLE sqlmodule.event ALTER at SET DEFAULT evil('2000-01-01')::timestamptz;",
    "a query in a check": "ALTER TABLE sqlmodule.event ADD CHECK"
    " (query_to_xml('SELECT public.rise()', false, false, '') IS NOT NULL) NOT VALID;",
    "a type": "CREATE DOMAIN bad AS text CHECK (evil(VALUE) = VALUE); ALTER TABLE sqlmodule.event ALTER step TYPE bad;",
    "an heir": "CREATE TABLE heir () INHERITS (sqlmodule.ledger); CREATE INDEX ON heir (module) WHERE evil('x') = 'x';",
    "statistics": "CREATE STATISTICS s ON (evil('x') || module), module FROM sqlmodule.ledger;"
    "CREATE STATISTICS t ON (evil('x') || stack), stack FROM sqlmodule.identity;"
    "CREATE STATISTICS u ON (evil('x') || module), module FROM sqlmodule.event;",
    "statistics of a table": "CREATE TABLE people (a text, b text);"
    "CREATE STATISTICS s ON (evil('x') || a), b FROM people;",
    "a generated column": "ALTER TABLE sqlmodule.ledger ADD g text GENERATED ALWAYS AS (evil(module)) STORED;",
    "a reference": "CREATE TABLE mine (m text REFERENCES sqlmodule.ledger ON UPDATE CASCADE CHECK (evil(m) = m));"
    "INSERT INTO mine SELECT module FROM sqlmodule.ledger;",
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
        for role in (ACCESS.app, ACCESS.readonly, "ledger_renamed"):
            if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).rowcount:
                connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())
        connection.execute(b"DROP ROLE IF EXISTS risen")


def set_trap(world: World, trap: str) -> None:
    """Do as the owner may who prepares for an administrator's session."""
    with connect(by_hand(world.session.target), autocommit=True) as connection:
        connection.execute(f"SET ROLE {OWNER}; SET search_path = public; CREATE SCHEMA other".encode())
        connection.execute(FUNCTIONS.encode())
        connection.execute(TRAPS[trap].encode())


def risen(admin: Target) -> list[str]:
    """Return what functions of the owner have done with the rights of an administrator."""
    with connect(admin.on("postgres"), autocommit=True) as connection:
        found = [str(row[0]) for row in connection.execute("SELECT rolname FROM pg_roles WHERE rolname = 'risen'")]
        settings = connection.execute(
            "SELECT unnest(setconfig) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase"
            " WHERE datname = %s",
            (admin.database,),
        ).fetchall()
    file = Path(f"/tmp/{admin.database}.risen")
    found += [str(file)] if file.exists() else []
    file.unlink(missing_ok=True)
    return found + [str(setting) for (setting,) in settings if "librar" in setting]


@pytest.mark.parametrize("trap", TRAPS)
def test_an_owner_gets_no_right_of_the_administrator(world: World, admin: Target, trap: str) -> None:
    """Neither where a preview compares and counts nor where a run takes back what it found."""
    set_trap(world, trap)
    with connect(world.session.target, autocommit=True) as connection:
        connection.execute("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET work_mem', current_database()); END $$")
    found = access_drift(admin, ACCESS) or []
    try:
        grant_access(admin, ACCESS, revoke_others=True)
    except Exception as error:  # noqa: BLE001 (a refusal is as good)
        found.append(str(error))
    rows_of_database(admin)
    assert risen(admin) == [], found


@pytest.mark.parametrize("trap", TRAPS)
def test_no_administrator_writes_into_a_ledger_with_a_trap(world: World, admin: Target, trap: str) -> None:
    """It is written where roles are renamed and where schemas become private; what runs something is refused."""
    set_trap(world, trap)
    refused: list[str] = []
    with connect(admin, autocommit=True) as connection:
        connection.execute("CREATE ROLE ledger_renamed LOGIN")
    for run in (
        lambda: grant_access(admin, replace(ACCESS, private_schemas=("other",)), ACCESS),
        lambda: rename_roles(admin, {ACCESS.app: "ledger_renamed"}, owner=OWNER, verifiers={}),
    ):
        try:
            run()
        except (LedgerError, psycopg.Error) as error:
            refused.append(str(error))
    assert risen(admin) == [], refused
    may_be_wrong = {"a search path", "a library", "a role", "the ledger's seeds"}
    is_of_the_ledger = "sqlmodule" in TRAPS[trap] and trap not in may_be_wrong
    assert all("which this program did not make" in text for text in refused)
    assert len(refused) == (2 if is_of_the_ledger else 0), refused
