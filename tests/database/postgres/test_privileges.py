"""What the roles of a database may do: granted in one transaction, and compared by grantee."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from infra.errors import RefusedError
from infra.modules.directive import DIRECTIVE
from infra.postgres.access import Access
from infra.postgres.access_drift import access_drift
from infra.postgres.connection.connect import connect
from infra.postgres.database_roles import DatabaseRoles
from infra.postgres.privileges import grant_access, open_database
from infra.postgres.shared_objects import find_existing
from tests.database.postgres.databases import EPHEMERAL, by_hand

if TYPE_CHECKING:
    from collections.abc import Generator

    from infra.postgres.connection.target import Target
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

SCHEMA_USES = """
SELECT n.nspname::text, x.grantee::regrole::text FROM pg_namespace n, aclexplode(n.nspacl) x
WHERE n.nspname IN ('audit', 'vault', 'billing') AND x.grantee::regrole::text LIKE 'access%' ORDER BY 1, 2
"""

ACCESS = Access("world_owner", "access_app", "access_readonly", "world_migrator")


@pytest.fixture
def target(world: World) -> Generator[Target]:
    """Yield the administrator's target of a database with three roles and nothing granted."""
    target = world.session.admin
    with connect(target, autocommit=True) as connection:
        for role in (ACCESS.app, ACCESS.readonly, "access_other"):
            connection.execute(f"CREATE ROLE {role} LOGIN".encode())
        connection.execute(b"REVOKE ALL ON SCHEMA public FROM world_readonly")
    yield target
    with connect(target, autocommit=True) as connection:
        for role in (ACCESS.app, ACCESS.readonly, "access_other"):
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


def run(target: Target, statement: str, role: str = "") -> list[tuple[object, ...]]:
    """Run a statement as a role, and return its rows."""
    with connect(by_hand(target), autocommit=True) as connection:
        if role:
            connection.execute(f"SET ROLE {role}".encode())
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def test_what_was_granted_is_no_drift(target: Target) -> None:
    """Granting twice changes nothing, and afterwards every role has what it is to have."""
    grant_access(target, ACCESS)
    grant_access(target, ACCESS, ACCESS)
    assert access_drift(target, ACCESS) == []


@pytest.mark.parametrize("schema", ["public", "billing"])
def test_the_roles_use_what_the_owner_creates_in_any_schema(target: Target, schema: str) -> None:
    """The application reads and writes, the readers read, in schemas beside public too."""
    grant_access(target, ACCESS)
    if schema != "public":
        run(target, f"CREATE SCHEMA {schema}", ACCESS.owner)
    run(target, f"CREATE TABLE {schema}.a (id serial PRIMARY KEY)", ACCESS.owner)
    run(target, f"INSERT INTO {schema}.a DEFAULT VALUES", ACCESS.app)
    assert run(target, f"SELECT id FROM {schema}.a", ACCESS.readonly) == [(1,)]


@pytest.mark.parametrize(
    ("statement", "drift"),
    [
        ("GRANT CONNECT ON DATABASE {database} TO PUBLIC", "PUBLIC has CONNECT on database, and is to have none"),
        (
            "GRANT USAGE ON SCHEMA public TO access_other",
            "access_other has USAGE on schema public, and is to have none",
        ),
        (
            "GRANT CONNECT ON DATABASE {database} TO access_readonly WITH GRANT OPTION",
            "access_readonly has CONNECT with grant option on database, and is to have CONNECT",
        ),
        (
            "ALTER DEFAULT PRIVILEGES FOR ROLE world_owner REVOKE SELECT ON TABLES FROM access_readonly",
            "access_readonly has no privilege on future tables, and is to have SELECT",
        ),
        (
            "REVOKE USAGE ON SCHEMA public FROM access_app",
            "access_app has no privilege on schema public, and is to have USAGE",
        ),
        (
            "ALTER DEFAULT PRIVILEGES FOR ROLE world_owner GRANT SELECT ON TABLES TO access_other WITH GRANT OPTION",
            "access_other has SELECT with grant option on future tables, and is to have none",
        ),
        (
            "ALTER DEFAULT PRIVILEGES FOR ROLE world_owner GRANT USAGE ON SCHEMAS TO access_app WITH GRANT OPTION",
            "access_app has USAGE with grant option on future schemas, and is to have USAGE",
        ),
        (
            "GRANT world_owner TO access_other WITH ADMIN OPTION",
            "access_other has MEMBER with admin option on role world_owner, and is to have none",
        ),
        ("GRANT access_app TO access_other", "access_other has MEMBER on role access_app, and is to have none"),
        (
            "REVOKE world_owner FROM world_migrator",
            "world_migrator has no privilege on role world_owner, and is to have MEMBER",
        ),
    ],
)
def test_another_privilege_is_drift_by_grantee(target: Target, statement: str, drift: str) -> None:
    """A new grantee, a grant option, a privilege that is missing: each is named, and the next grant mends it."""
    grant_access(target, ACCESS)
    run(target, statement.format(database=target.database))
    assert access_drift(target, ACCESS) == [drift]
    grant_access(target, ACCESS, revoke_others=True)
    assert access_drift(target, ACCESS) == []


ATTRIBUTES = {
    "ALTER ROLE access_app CREATEDB": "access_app has CREATEDB",
    "ALTER ROLE access_app CREATEROLE": "access_app has CREATEROLE",
    "ALTER ROLE access_app SUPERUSER": "access_app has SUPERUSER",
    "ALTER ROLE access_readonly REPLICATION": "access_readonly has REPLICATION",
    "ALTER ROLE access_readonly BYPASSRLS": "access_readonly has BYPASSRLS",
    "ALTER ROLE access_readonly NOINHERIT": "access_readonly has NOINHERIT",
    "ALTER ROLE access_readonly NOLOGIN": "access_readonly has NOLOGIN",
    "ALTER ROLE world_owner LOGIN": "world_owner has LOGIN",
    "ALTER ROLE access_app CONNECTION LIMIT 3": "access_app has CONNECTION LIMIT 3",
    "ALTER ROLE access_app VALID UNTIL '2020-01-01'": "access_app has VALID UNTIL '2020-01-01 00:00:00+00'",
    "ALTER ROLE access_app SET work_mem = '1MB'": "access_app has a setting of work_mem",
    "ALTER ROLE access_app SET app.key = 'secret'": "access_app has a setting of app.key",
    "ALTER ROLE access_app IN DATABASE {database} SET search_path = x": (
        "access_app has a setting of search_path in database {database}"
    ),
    "ALTER ROLE access_other IN DATABASE {database} SET work_mem = '1MB'": (
        "access_other has a setting of work_mem in database {database}"
    ),
    "ALTER DATABASE {database} SET work_mem = '1MB'": "database {database} has a setting of work_mem",
    "ALTER DATABASE {database} SET search_path = trap, public": "database {database} has a setting of search_path",
    "ALTER DATABASE {database} SET role = access_app": "database {database} has a setting of role",
    "ALTER DATABASE {database} SET statement_timeout = 1": "database {database} has a setting of statement_timeout",
    "ALTER DATABASE {database} SET app.key = 'secret'": "database {database} has a setting of app.key",
    "ALTER DATABASE {database} CONNECTION LIMIT 7": "database {database} has CONNECTION LIMIT 7",
    "ALTER DATABASE {database} IS_TEMPLATE true": "database {database} has IS_TEMPLATE true",
}


@pytest.mark.parametrize(("statement", "drift"), ATTRIBUTES.items(), ids=ATTRIBUTES.keys())
def test_what_roles_and_the_database_are_and_are_set_to_is_declared_too(
    target: Target, statement: str, drift: str
) -> None:
    """An attribute or a setting that somebody gave one of them is named, without its value, and taken back.

    The same setting is no drift where `modules.unmanaged` expects it.
    """
    grant_access(target, ACCESS)
    run(target, statement.format(database=target.database))
    assert access_drift(target, ACCESS) == [f"{drift.format(database=target.database)}, and is not to have it"]
    assert access_drift(target, replace(ACCESS, allowed=("* of role *", "* of database *"))) == []
    grant_access(target, ACCESS, revoke_others=True)
    assert access_drift(target, ACCESS) == []


def test_a_database_that_an_operator_made_read_only_stays_so(target: Target) -> None:
    """That keeps changes out, also those of this program, until the operator takes it back."""
    grant_access(target, ACCESS)
    run(target, f"ALTER DATABASE {target.database} SET default_transaction_read_only = on")
    assert access_drift(target, ACCESS) == []
    run(target.on("postgres"), f"ALTER DATABASE {target.database} RESET ALL")


CLOSED = {
    "ALLOW_CONNECTIONS false": "database {database} has ALLOW_CONNECTIONS false, and is not to have it",
    "CONNECTION LIMIT 0": "database {database} has CONNECTION LIMIT 0, and is not to have it",
}


@pytest.mark.parametrize(("attribute", "drift"), CLOSED.items(), ids=CLOSED)
def test_a_database_that_lets_nobody_in_is_found_and_opened_from_outside(
    target: Target, attribute: str, drift: str
) -> None:
    """Also where the administrator is no superuser, whom a limit of 0 keeps out too."""
    grant_access(target, ACCESS)
    outside, name = target.on("postgres"), target.database
    run(
        outside,
        f"CREATE ROLE boss LOGIN CREATEROLE; GRANT {ACCESS.owner} TO boss; GRANT ALL ON DATABASE {name} TO boss",
    )
    run(outside, f"ALTER DATABASE {name} {attribute}")
    boss = replace(target, user="boss")
    try:
        assert access_drift(boss, ACCESS) == [drift.format(database=name)]
        kind = attribute.rpartition(" ")[0]
        allowed = replace(ACCESS, allowed=(f"{kind} of database {name}",))
        with pytest.raises(psycopg.OperationalError):
            access_drift(boss, allowed)
        open_database(boss, allowed, boss.on("postgres"))
        assert access_drift(boss, ACCESS) == [drift.format(database=name)]
        open_database(boss, ACCESS, boss.on("postgres"))
        assert not [line for line in access_drift(target, ACCESS) or () if "database" in line and "boss" not in line]
    finally:
        run(
            outside,
            f"ALTER DATABASE {name} ALLOW_CONNECTIONS true CONNECTION LIMIT -1; REVOKE ALL ON DATABASE {name}"
            " FROM boss; DROP ROLE boss",
        )


def test_what_an_interrupted_drop_left_is_refused_with_what_to_run(target: Target) -> None:
    """PostgreSQL lets nobody enter or alter it: it can only be dropped."""
    outside, name = target.on("postgres"), target.database
    run(outside, f"UPDATE pg_database SET datconnlimit = -2 WHERE datname = '{name}'")
    try:
        names = DatabaseRoles(name, ACCESS.owner, ACCESS.migrator, ACCESS.app, ACCESS.readonly)
        for act in (
            lambda: access_drift(target, ACCESS),
            lambda: open_database(target, ACCESS, outside),
            lambda: find_existing(outside, [names]),
        ):
            with pytest.raises(RefusedError) as caught:
                act()
            assert str(caught.value) == (
                f"database {name}: is what an interrupted DROP DATABASE left, which nobody can enter again; have its "
                f'owner run DROP DATABASE "{name}" in another database, then run `pulumi up`'
            )
    finally:
        run(outside, f"UPDATE pg_database SET datconnlimit = -1 WHERE datname = '{name}'")


def test_an_administrator_who_needs_no_membership_has_none(target: Target) -> None:
    """The plugin, which joins the owner of a database that it creates, was killed before it had left it again."""
    members = "SELECT member::regrole::text FROM pg_auth_members WHERE roleid = 'world_owner'::regrole"
    before = run(target, members)
    run(target, "GRANT world_owner TO CURRENT_USER")
    grant_access(target, ACCESS)
    assert run(target, members) == before


def test_a_database_of_another_owner_is_given_back(target: Target) -> None:
    """Who owns a database may drop it: the owner is declared, as are its privileges."""
    grant_access(target, ACCESS)
    run(target, f"ALTER DATABASE {target.database} OWNER TO access_other")
    assert access_drift(target, ACCESS) == [
        f"database {target.database} has OWNER access_other, and is to have OWNER world_owner",
    ]
    grant_access(target, ACCESS, revoke_others=True)
    assert access_drift(target, ACCESS) == []


SETS = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I {}', current_database()); END $$;\n"


def test_what_a_module_sets_for_its_database_is_its_own(world: World, target: Target) -> None:
    """Nobody takes that back; another value is set again to the module's, as is one that is gone."""
    world.set(lifecycle=EPHEMERAL)
    paths = SETS.format("SET search_path = shop, public")
    checks = SETS.format("SET plpgsql.extra_warnings = ''all''")
    world.write(m01_x=paths, m02_x=f"{DIRECTIVE}\n{checks}", m03_x="CREATE TABLE a ();\n")
    grant_access(target, ACCESS)
    world.up()
    assert access_drift(target, ACCESS) == []
    made = settings(target)
    name = f"database {target.database}"
    for statement, what in {"SET search_path = trap": "another setting", "RESET search_path": "no setting"}.items():
        run(target, f"ALTER {name} {statement}")
        drift = f"{name} has {what} of search_path, and is to have the one that module 01-x made"
        assert access_drift(target, ACCESS) == [drift]
        grant_access(target, ACCESS, revoke_others=True)
        assert (access_drift(target, ACCESS), settings(target)) == ([], made)
    world.write(m01_x="CREATE TABLE b ();\n", m02_x=checks)  # a rebuild
    world.up()
    assert (access_drift(target, ACCESS), settings(target)) == ([], [("plpgsql.extra_warnings=all",)])
    world.write(m02_x=None, m03_x=None)
    for module in ("03-x", "02-x"):
        world.retire(module)
    assert (access_drift(target, ACCESS), settings(target)) == ([], [])


def test_the_last_module_by_number_decides_what_its_database_sets(world: World, target: Target) -> None:
    """The hundredth module runs after the ninety-ninth, though its name sorts before it."""
    world.write(m01_x=SETS.format("SET work_mem = ''8MB''"), m02_x=SETS.format("SET work_mem = ''16MB''"))
    grant_access(target, ACCESS)
    world.up()
    run(target, "UPDATE sqlmodule.ledger SET module = CASE module WHEN '01-x' THEN '99-x' ELSE '100-x' END")
    assert access_drift(target, ACCESS) == []


def settings(target: Target) -> list[tuple[object, ...]]:
    """Return what a database sets for all sessions."""
    return run(
        target,
        "SELECT unnest(setconfig) FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase"
        " WHERE setrole = 0 AND datname = current_database() ORDER BY 1",
    )


def test_an_administrator_who_may_not_take_it_back_says_what_to_run(target: Target) -> None:
    """Only a superuser changes a superuser; nothing is granted or revoked then."""
    grant_access(target, ACCESS)
    run(target, "ALTER ROLE access_app SUPERUSER; CREATE ROLE boss LOGIN CREATEROLE")
    run(target, f"GRANT CONNECT ON DATABASE {target.database} TO boss")
    try:
        with pytest.raises(RefusedError, match=r'only a superuser .*have one run: ALTER ROLE "access_app" NOSUPERUSER'):
            grant_access(replace(target, user="boss"), ACCESS, revoke_others=True)
    finally:
        run(target, "ALTER ROLE access_app NOSUPERUSER; DROP OWNED BY boss; DROP ROLE boss")


@pytest.mark.parametrize(
    ("statement", "pattern"),
    [
        ("GRANT CONNECT ON DATABASE {database} TO access_other", "privileges database to access_other"),
        ("GRANT USAGE ON SCHEMA public TO access_other", "privileges * to access_*"),
        ("GRANT world_owner TO access_other", "privileges role world_owner to access_other"),
    ],
)
def test_a_grantee_that_is_expected_is_no_drift(target: Target, statement: str, pattern: str) -> None:
    """What `modules.unmanaged` names is left as it is; what the stack's own roles have is compared all the same."""
    grant_access(target, ACCESS)
    run(target, statement.format(database=target.database))
    assert len(access_drift(target, ACCESS) or []) == 1
    expected = replace(ACCESS, allowed=(pattern,))
    assert access_drift(target, expected) == []
    run(target, "GRANT CREATE ON SCHEMA public TO access_app")
    drift = ["access_app has CREATE, USAGE on schema public, and is to have USAGE"]
    assert access_drift(target, expected) == drift
    grant_access(target, expected, revoke_others=True)
    assert access_drift(target, expected) == []
    assert len(access_drift(target, ACCESS) or []) == 1


def test_a_role_of_another_name_gets_what_its_predecessor_had(target: Target) -> None:
    """Default privileges concern what is created later; the new role may read the tables that exist."""
    grant_access(target, ACCESS)
    run(target, "CREATE TABLE a (id integer)", ACCESS.owner)
    renamed = replace(ACCESS, readonly="access_other")
    grant_access(target, renamed, ACCESS)
    assert run(target, "SELECT id FROM a", "access_other") == []


def test_a_private_schema_is_not_for_the_roles_from_its_first_moment_on(world: World, target: Target) -> None:
    """Whoever the default privileges name may not use it, and the module recorded it so; another schema they may."""
    grant_access(target, ACCESS)
    world.set(private_schemas=("audit", "vault"))
    world.write(m01_a="CREATE SCHEMA audit; CREATE TABLE audit.a (id integer);\nCREATE SCHEMA billing;\n")
    world.write(m02_b="-- platform-postgres: statement by statement\nCREATE SCHEMA vault;\n")
    world.up()
    assert run(target, SCHEMA_USES) == [("billing", "access_app"), ("billing", "access_readonly")]
    assert world.drift() == {}
    private = replace(ACCESS, private_schemas=("audit",))
    assert access_drift(target, private) == []
    run(target, "GRANT USAGE ON SCHEMA audit TO access_app, access_other")
    assert access_drift(target, private) == ["access_app has USAGE on schema audit, and is to have none"]
    grant_access(target, private, private, revoke_others=True)
    assert access_drift(target, private) == []


def test_a_schema_that_exists_becomes_private_and_is_so_no_longer(world: World, target: Target) -> None:
    """What the setting says holds for it too, and the ledger follows: no module drifts."""
    grant_access(target, ACCESS)
    world.write(m01_a="CREATE SCHEMA audit;\n")
    world.up()
    before, private = run(target, SCHEMA_USES), replace(ACCESS, private_schemas=("audit",))
    grant_access(target, private, ACCESS)
    assert run(target, SCHEMA_USES) == []
    assert world.drift() == {}
    grant_access(target, ACCESS, private)
    assert run(target, SCHEMA_USES) == before
    assert world.drift() == {}


def test_a_schema_public_that_a_module_makes_anew_is_no_drift(world: World, target: Target) -> None:
    """A dump may drop and create it: its owner needs no grant, and the roles have theirs by default privileges."""
    grant_access(target, ACCESS)
    world.write(m01_x="DROP SCHEMA public;\nCREATE SCHEMA public;\nCREATE TABLE a (id integer);\n")
    world.up()
    assert access_drift(target, ACCESS) == []
    assert run(target, "SELECT id FROM a", ACCESS.readonly) == []


def test_nobody_but_the_owner_reaches_the_ledger(world: World, target: Target) -> None:
    """The default privileges are for what the modules create, and not for what the program remembers of them."""
    grant_access(target, ACCESS)
    world.write(m01_table="CREATE TABLE a (id integer);\n")
    world.up()
    assert run(target, "SELECT id FROM a", ACCESS.readonly) == []
    for role in (ACCESS.app, ACCESS.readonly):
        for table in ("ledger", "identity", "event", "resume"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                run(target, f"SELECT * FROM sqlmodule.{table}", role)
    held = "SELECT relname FROM pg_class, aclexplode(relacl) x WHERE relnamespace = 'sqlmodule'::regnamespace"
    assert run(target, f"{held} AND x.grantee <> relowner") == []


def test_a_database_that_is_gone_has_no_drift(target: Target) -> None:
    """Without the database there is nothing to compare: the resource is gone."""
    assert access_drift(target.on("not_there"), ACCESS) is None
