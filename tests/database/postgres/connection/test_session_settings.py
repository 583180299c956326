"""A session of this program is its own: nothing that server, database, role or environment set makes a difference."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from infra.errors import ServerError
from infra.postgres.connection import libpq_environment, pool
from infra.postgres.connection.connect import connect
from infra.postgres.connection.libpq_environment import KEPT
from infra.postgres.connection.session_settings import LATER_SETTINGS, SESSION_SETTINGS, SUPERUSER_SETTINGS
from infra.server.external import reach_server
from tests.database.postgres.databases import EPHEMERAL, MIGRATOR, OWNER

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from infra.postgres.connection.target import Target
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

HOSTILE = {
    "search_path": "trap, pg_catalog",
    "role": MIGRATOR,
    "row_security": "off",
    "DateStyle": "SQL, DMY",
    "IntervalStyle": "sql_standard",
    "TimeZone": "America/New_York",
    "timezone_abbreviations": "India",
    "lc_monetary": "C.UTF-8",
    "lc_numeric": "C.UTF-8",
    "lc_time": "C.UTF-8",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "quote_all_identifiers": "on",
    "xmlbinary": "hex",
    "xmloption": "document",
    "default_text_search_config": "pg_catalog.german",
    "array_nulls": "off",
    "backslash_quote": "on",
    "standard_conforming_strings": "off",
    "transform_null_equals": "on",
    "check_function_bodies": "off",
    "plpgsql.check_asserts": "off",
    "plpgsql.extra_errors": "all",
    "default_table_access_method": "other",
    "default_tablespace": "nowhere",
    "default_toast_compression": "lz4",
    "password_encryption": "md5",
    "temp_tablespaces": "nowhere",
    "default_transaction_deferrable": "on",
    "default_transaction_isolation": "serializable",
    "gin_fuzzy_search_limit": "1",
    "synchronize_seqscans": "on",
    "client_min_messages": "error",
    "exit_on_error": "on",
    "idle_in_transaction_session_timeout": "1ms",
    "idle_session_timeout": "1ms",
    "local_preload_libraries": "missing",
    "lock_timeout": "1ms",
    "statement_timeout": "1ms",
    "createrole_self_grant": "set, inherit",
    "icu_validation_level": "error",
    "restrict_nonsystem_relation_kind": "view, foreign-table",
    "scram_iterations": "1",
    "transaction_timeout": "300ms",
    "client_encoding": "LATIN1",
}
"""A value of each parameter that is another one than this program's."""
HOSTILE_TO_SUPERUSERS = {"event_triggers": "on", "lc_messages": "", "session_replication_role": "replica"}

UNSETTABLE = {
    "default_table_access_method": "PostgreSQL refuses one that does not exist",
    "default_tablespace": "PostgreSQL refuses one that does not exist",
    "temp_tablespaces": "PostgreSQL refuses one that does not exist",
}
ELSEWHERE = {
    "role": "no server has one",
    "local_preload_libraries": "postgres does not start with a missing one",
}

VARIABLES = {
    "PGHOST": "203.0.113.1",
    "PGHOSTADDR": "203.0.113.1",
    "PGPORT": "1",
    "PGDATABASE": "nowhere",
    "PGUSER": "nobody",
    "PGPASSWORD": "wrong",
    "PGPASSFILE": "/nowhere",
    "PGREQUIREAUTH": "gss",
    "PGCHANNELBINDING": "require",
    "PGSERVICE": "nowhere",
    "PGSERVICEFILE": "/nowhere",
    "PGOPTIONS": "-c search_path=trap -c TimeZone=America/New_York",
    "PGAPPNAME": "somebody",
    "PGSSLMODE": "verify-full",
    "PGREQUIRESSL": "1",
    "PGSSLNEGOTIATION": "direct",
    "PGSSLCERT": "/nowhere",
    "PGSSLKEY": "/nowhere",
    "PGSSLCERTMODE": "require",
    "PGSSLROOTCERT": "/nowhere",
    "PGSSLCRL": "/nowhere",
    "PGSSLCRLDIR": "/nowhere",
    "PGSSLSNI": "0",
    "PGREQUIREPEER": "nobody",
    "PGSSLMINPROTOCOLVERSION": "TLSv1.3",
    "PGSSLMAXPROTOCOLVERSION": "TLSv1.2",
    "PGGSSENCMODE": "require",
    "PGKRBSRVNAME": "nobody",
    "PGGSSLIB": "nothing",
    "PGGSSDELEGATION": "1",
    "PGCONNECT_TIMEOUT": "nothing",
    "PGCLIENTENCODING": "LATIN1",
    "PGTARGETSESSIONATTRS": "standby",
    "PGLOADBALANCEHOSTS": "random",
    "PGMINPROTOCOLVERSION": "3.2",
    "PGMAXPROTOCOLVERSION": "3.0",
    "PGDATESTYLE": "SQL, DMY",
    "PGTZ": "America/New_York",
    "PGGEQO": "off",
    "PGSYSCONFDIR": "/nowhere",
    "PGLOCALEDIR": "/nowhere",
}
"""The variables that libpq reads (PostgreSQL manual, 32.15), each with a value that would end or change a session."""

SENSITIVE = r"""
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TABLE event (
    id bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT '2024-07-01 12:00',
    since date DEFAULT '03/04/2024',
    lasts interval DEFAULT '1 2:03:04' CHECK (lasts > '-1 day +02:00'),
    "select" text DEFAULT 'Zoë',
    key bytea DEFAULT '\x00ff',
    share float8 DEFAULT 0.1::float8 + 0.2::float8,
    price money DEFAULT 12.5,
    words tsvector DEFAULT to_tsvector('the cats are running'),
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE event_2024 PARTITION OF event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01 00:30');
COMMENT ON TABLE event IS 'Größe: 10 µm';
INSERT INTO event DEFAULT VALUES;
INSERT INTO event (at, "select", key, lasts) VALUES ('01/02/2024 03:04', 'a\b ''x'' é', E'\\001', 'P1DT2H');
INSERT INTO event ("select") SELECT coalesce((ARRAY['NULL', 'x'])[1], 'nothing') || (NULL = NULL IS NULL)::text;
INSERT INTO event ("select") VALUES ('{NULL}'::text[] IS DISTINCT FROM '{"NULL"}'::text[]);
INSERT INTO event ("select") VALUES (now() AT TIME ZONE 'IST' - now() AT TIME ZONE 'UTC'), (current_setting('lc_time'));
INSERT INTO event ("select") SELECT xmlelement(NAME x, '\x00ff'::bytea)::text;
CREATE FUNCTION shadowed(a integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE a integer := 1; BEGIN ASSERT a = 1; RETURN a; END $$;
CREATE VIEW latest AS SELECT id, "select", at AT TIME ZONE 'UTC' AS utc FROM event WHERE at > '2024-03-01';
INSERT INTO event ("select") SELECT string_agg("select", '|' ORDER BY id) FROM latest;
ALTER TABLE event ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_rows ON event USING (at < '2030-01-01');
INSERT INTO event ("select") VALUES (current_setting('transaction_isolation') || current_setting('search_path'));
SELECT pg_sleep(0.4);
"""
"""A module whose catalog and rows depend on nearly everything that a session can set."""
LATER = "CREATE INDEX latest_at ON event (at) WHERE at > '2024-06-01 00:00';\n"

ROWS = "SELECT event::text, convert_to(\"select\", 'UTF8'), at = '2024-07-01 12:00+00' FROM event ORDER BY id"
LEDGER = """
SELECT module, text_digest, statements_digest, outcome, objects::text FROM sqlmodule.ledger ORDER BY module
"""


def plain(target: Target, database: str = "") -> psycopg.Connection[tuple[Any, ...]]:
    """Return a superuser's connection that looks from outside, with settings that a hostile one does not change."""
    settings = (
        "role=none search_path=public TimeZone=UTC DateStyle=ISO IntervalStyle=postgres bytea_output=hex lc_monetary=C"
        " extra_float_digits=1 exit_on_error=off local_preload_libraries= statement_timeout=0 idle_session_timeout=0"
        " idle_in_transaction_session_timeout=0"
    )
    options = " ".join(f"-c {setting}" for setting in settings.split())
    return psycopg.connect(
        host=target.host,
        port=target.port,
        user="postgres",
        dbname=database or target.database,
        options=options,
        client_encoding="UTF8",
        autocommit=True,
    )


def everything(world: World) -> list[Any]:
    """Run the modules, change one, run again; return the steps, plans, rows, ledger, catalog and messages."""
    pool.close_all()
    world.set(lifecycle=EPHEMERAL)
    world.write(m01_a=SENSITIVE, m02_b=LATER)
    steps = [*world.up(), *world.up()]
    plans = [world.plan().steps]
    world.write(m02_b=LATER.replace("00:00", "01:00"))
    plans.append(world.plan().steps)
    steps += world.up()
    with plain(world.session.admin) as connection:
        rows, ledger = connection.execute(ROWS).fetchall(), connection.execute(LEDGER).fetchall()
    drift, catalog = world.drift(), world.catalog()
    pool.close_all()
    return [steps, plans, rows, ledger, drift, catalog, world.fingerprint(), world.messages]


@pytest.fixture(scope="module")
def expected(lasting_worlds: Callable[[Path], World], tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Return what happens where nobody has set anything."""
    folder = tmp_path_factory.mktemp("expected")
    (folder / "sql").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return everything(lasting_worlds(folder / "sql"))


def known(connection: psycopg.Connection[tuple[Any, ...]], settings: dict[str, str]) -> dict[str, str]:
    """Return those of settings that the server's version has."""
    names = {row[0].lower() for row in connection.execute("SELECT name FROM pg_settings")}
    return {name: value for name, value in settings.items() if "." in name or name.lower() in names}


@contextmanager
def hostile(world: World, level: str) -> Generator[None]:
    """Set everything to its hostile value, at a level, while the block runs."""
    with plain(world.session.admin, "postgres") as connection:
        values = known(connection, {name: value for name, value in HOSTILE.items() if name not in UNSETTABLE})
        if level == "system":
            values = {name: value for name, value in values.items() if name not in ELSEWHERE and "." not in name}
            commands = [sql.SQL("ALTER SYSTEM")]
        else:
            database, migrator = sql.Identifier(world.session.target.database), sql.Identifier(MIGRATOR)
            commands = {
                "database": [sql.SQL("ALTER DATABASE {}").format(database)],
                "role": [sql.SQL("ALTER ROLE {}").format(migrator), sql.SQL("ALTER ROLE postgres")],
                "role in database": [
                    sql.SQL("ALTER ROLE {} IN DATABASE {}").format(role, database)
                    for role in (migrator, sql.Identifier("postgres"))
                ],
            }[level]
        try:
            for command in commands:
                for name, value in values.items():
                    statement = sql.SQL("{} SET {} = {}")
                    parts = sql.SQL(", ").join(map(sql.Literal, value.split(", ")))
                    connection.execute(statement.format(command, sql.Identifier(*name.split(".")), parts))
            connection.execute("SELECT pg_reload_conf()")
            yield
        finally:
            for command in commands:
                connection.execute(sql.SQL("{} RESET ALL").format(command))
            connection.execute("SELECT pg_reload_conf()")


@pytest.mark.parametrize("level", ["database", "role", "role in database", "system"])
def test_no_setting_makes_a_difference(world: World, expected: list[Any], level: str) -> None:
    """What is stored, read, recorded and decided is the same whatever is set where, for modules and for reading."""
    with hostile(world, level):
        for found, wanted in zip(everything(world), expected, strict=True):
            assert found == wanted


@pytest.mark.parametrize("level", ["database", "role", "role in database", "system"])
def test_every_setting_is_this_programs_own(world: World, level: str) -> None:
    """A migrator's and an administrator's session have this program's value of every setting, also after RESET ALL."""
    with hostile(world, level):
        for target in (world.session.target, world.session.admin):
            with connect(target, autocommit=True) as connection:
                for name in known(connection, HOSTILE):
                    value = SESSION_SETTINGS.get(name, LATER_SETTINGS.get(name, ("", ()))[0]).strip("'")
                    value = "UTF8" if name == "client_encoding" else value
                    found = connection.execute(
                        sql.SQL("SHOW {}").format(sql.Identifier(*name.split(".")))
                    ).fetchone() or ("",)
                    assert found[0].replace(" ", "") == value.replace(" ", ""), name


def test_the_hostile_values_are_hostile(world: World) -> None:
    """Each of them differs from this program's, is one that PostgreSQL has, and none is left out."""
    assert set(HOSTILE) - {"client_encoding"} == {*SESSION_SETTINGS, *LATER_SETTINGS}
    assert set(HOSTILE_TO_SUPERUSERS) == set(SUPERUSER_SETTINGS)
    with hostile(world, "database"), plain(world.session.admin) as connection:
        database = world.session.target.database
        row = connection.execute(
            "SELECT setconfig FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE datname = %s",
            (database,),
        ).fetchone()
        settings = known(connection, HOSTILE)
    assert row
    assert {setting.split("=")[0].lower() for setting in row[0]} == {
        name.lower() for name in settings if name not in UNSETTABLE
    }


def test_a_superuser_has_settings_of_its_own_too(world: World) -> None:
    """What only superusers may set is set in an administrator's session, and event triggers do not run in it."""
    world.sql(
        "CREATE FUNCTION public.raised() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'ran'; END$$",
        owner=True,
    )
    world.sql("CREATE EVENT TRIGGER trap ON ddl_command_start EXECUTE FUNCTION public.raised()", owner=False)
    with connect(world.session.admin, autocommit=True) as connection:
        settings = known(connection, HOSTILE_TO_SUPERUSERS)
        found = [
            connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(*name.split(".")))).fetchone()
            for name in settings
        ]
        assert found == [(SUPERUSER_SETTINGS[name][0].strip("'"),) for name in settings]
        if "event_triggers" in settings:
            connection.execute("CREATE TABLE public.a ()")


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Yield a function that sets variables as the caller's shell would; pooled connections begin anew."""

    def set_variables(**values: str) -> None:
        pool.close_all()
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    yield set_variables
    pool.close_all()
    libpq_environment._removed.clear()  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize("name", VARIABLES)
def test_no_variable_makes_a_difference_to_a_session(
    world: World, variables: Callable[..., None], name: str, expected: list[Any]
) -> None:
    """Every session reaches the same server and has the same settings, whatever libpq's variables say."""
    del expected
    query = "SELECT current_user, current_database(), current_setting('TimeZone'), current_setting('geqo')"
    with connect(world.session.target) as connection:
        wanted = connection.execute(query + ", current_setting('application_name')").fetchone()
    variables(**{name: VARIABLES[name]})
    with connect(world.session.target) as connection:
        assert connection.execute(query + ", current_setting('application_name')").fetchone() == wanted


def test_no_variable_makes_a_difference(world: World, variables: Callable[..., None], expected: list[Any]) -> None:
    """What is stored, read, recorded and decided is the same with all of libpq's variables set."""
    variables(**VARIABLES)
    for found, wanted in zip(everything(world), expected, strict=True):
        assert found == wanted


def test_an_existing_server_is_reached_as_its_connection_string_says(
    world: World, variables: Callable[..., None]
) -> None:
    """Of the environment only the places of files count, for the connection string that names a service."""
    admin = world.session.admin
    variables(**VARIABLES)
    reached = reach_server(f"host={admin.host} user=postgres")
    assert (reached.user, reached.database) == ("postgres", "postgres")
    assert VARIABLES.keys() >= KEPT


def test_a_service_is_found_where_the_environment_says(
    world: World, variables: Callable[..., None], tmp_path: Path
) -> None:
    """A connection string may name a service; what that says is used, and what the string says comes first."""
    admin = world.session.admin
    (tmp_path / "services").write_text(f"[mine]\nhost={admin.host}\nuser=postgres\ndbname={admin.database}\n")
    variables(**{**VARIABLES, "PGSERVICEFILE": str(tmp_path / "services")})
    assert reach_server("service=mine").database == admin.database
    assert reach_server("service=mine dbname=template1").database == "template1"
    with pytest.raises(ServerError, match="cannot be reached"):
        reach_server("service=other")


def test_a_module_that_sets_something_has_it_for_itself(world: World) -> None:
    """SET works within a module; the module after it has this program's settings again."""
    shown = "CREATE TABLE {} AS SELECT current_setting('TimeZone') AS zone, current_setting('search_path') AS path;\n"
    world.write(m01_a=f"SET TimeZone = 'Asia/Tokyo'; SET search_path = public, pg_temp; {shown.format('a')}")
    world.write(m02_b=shown.format("b"))
    world.up()
    assert world.sql("TABLE a") == [("Asia/Tokyo", "public, pg_temp")]
    assert world.sql("TABLE b") == [("UTC", "public")]


def test_settings_of_a_connection_string_come_before_this_programs(world: World) -> None:
    """`options` of the administrator's connection string are sent, and do not outrank this program's settings."""
    target = replace(world.session.admin, options={"options": "-c TimeZone=Asia/Tokyo -c work_mem=7MB"})
    with connect(target) as connection:
        row = connection.execute("SELECT current_setting('TimeZone'), current_setting('work_mem')").fetchone()
    assert row == ("UTC", "7MB")


def test_the_owner_is_the_role_of_a_module_whatever_the_login_has(world: World) -> None:
    """A role that is set for the migrator's login is not the role that creates what a module creates."""
    world.sql(
        f"CREATE ROLE somebody; GRANT somebody TO {MIGRATOR}; ALTER ROLE {MIGRATOR} SET role = somebody", owner=False
    )
    try:
        world.write(m01_a="CREATE TABLE a ();\n")
        world.up()
        assert world.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'a'") == [(OWNER,)]
    finally:
        world.sql(f"ALTER ROLE {MIGRATOR} RESET role; DROP ROLE somebody", owner=False)
