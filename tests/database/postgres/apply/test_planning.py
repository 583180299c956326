"""What a refresh and a preview report of a live database: drift by module, unmanaged objects, or no answer."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from infra.errors import InfraError
from infra.modules.decision import Step
from infra.plan.refusal import LEGEND
from infra.postgres.apply import live_status
from infra.postgres.apply.live_status import detect_drift, read_status
from infra.postgres.apply.plan_cache import Unreadable
from infra.postgres.apply.planning import look
from infra.postgres.connection.connect import connect
from tests.database.postgres.databases import MIGRATOR

if TYPE_CHECKING:
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

TABLE = "CREATE TABLE a (id integer PRIMARY KEY, name text);\n"


@pytest.fixture
def applied(world: World) -> World:
    """Return a world with two modules applied."""
    world.write(m01_a=TABLE, m02_b="CREATE VIEW v AS SELECT id FROM a;\nGRANT SELECT ON v TO world_readonly;\n")
    world.up()
    return world


def detected(world: World, module: str) -> str | None:
    """Return a module's drift as a refresh in a process of its own would."""
    world.new_process()
    return detect_drift(world.session, module)


def unmanaged(world: World, *allowed: str) -> list[str]:
    with connect(world.session.target, autocommit=True) as connection:
        return [str(identity) for identity in read_status(connection, world.session.program).unmanaged(allowed)]


def test_no_drift_is_empty(applied: World) -> None:
    """A module whose objects are as it left them has no drift; rows are not compared."""
    applied.sql("INSERT INTO a VALUES (1, 'x')")
    assert detected(applied, "01-a") == detected(applied, "02-b") == ""


def test_drift_is_a_line_diff_on_its_module(applied: World) -> None:
    """Changed and missing objects are shown line by line, on the module that made them and on no other."""
    applied.sql(
        "ALTER TABLE a ALTER name SET DEFAULT 'x'; ALTER TABLE a ADD extra text; REVOKE SELECT ON v FROM world_readonly"
    )
    assert detected(applied, "01-a") == (
        "column public.a.name is different\n    type text\n  + default 'x'::text\n"
        "column order public.a is different\n  - id, name\n  + id, name, extra"
    )
    assert detected(applied, "02-b") == "privileges view public.v to world_readonly is missing\n  - SELECT"
    assert "\n".join(map(str, applied.step("01-a").drift)) == detected(applied, "01-a")
    assert unmanaged(applied) == ["column public.a.extra"]


def test_a_module_that_the_ledger_does_not_hold_is_gone(applied: World) -> None:
    """A module without a row, or in a database that does not exist, is reported as gone, not as an error."""
    assert detected(applied, "03-c") is None
    nowhere = applied.session.target.on("nowhere")
    applied.new_process()
    assert detect_drift(replace(applied.session, target=nowhere), "01-a") is None


def test_an_unreachable_server_fails_a_refresh(applied: World) -> None:
    """A refresh that cannot connect is an error: neither 'no drift' nor 'gone' would be true."""
    applied.new_process()
    unreachable = replace(applied.session, target=replace(applied.session.target, host="127.0.0.1", port=1))
    with pytest.raises(InfraError) as caught:
        detect_drift(unreachable, "01-a")
    assert str(caught.value).startswith(f"{applied.place}: cannot be reached")


def test_an_unreachable_server_is_a_reason_not_an_error(applied: World) -> None:
    """A look at a server that does not answer returns why; a database that does not exist is told apart."""
    target = applied.session.target
    applied.new_process()
    unreachable = look(
        replace(applied.session, target=replace(target, host="127.0.0.1", port=1)), recorded=True, explain=True
    )
    assert isinstance(unreachable, Unreadable)
    assert (bool(unreachable.reason), unreachable.is_missing) == (True, False)
    missing = look(replace(applied.session, target=target.on("nowhere")), recorded=True, explain=True)
    assert isinstance(missing, Unreadable)
    assert missing.is_missing


def test_unmanaged_objects_are_named_once(applied: World) -> None:
    """An unmanaged table is named without its columns, indexes and sequences; extensions are never named."""
    applied.sql(
        "CREATE TABLE legacy (id serial PRIMARY KEY WITH (fillfactor = 50), x text); CREATE INDEX ON legacy (x);"
        "CREATE TYPE mood AS ENUM ()"
    )
    assert unmanaged(applied) == ["enum public.mood", "table public.legacy"]
    assert unmanaged(applied, "table public.leg*") == ["enum public.mood"]
    assert unmanaged(applied, "* public.*") == []


GRANTS = {
    "GRANT SELECT, UPDATE ON a TO PUBLIC": "SELECT, UPDATE on table public.a to PUBLIC",
    "GRANT SELECT (name) ON a TO world_readonly": "SELECT on column public.a.name to world_readonly",
    "GRANT SELECT ON v TO world_migrator WITH GRANT OPTION": (
        "SELECT with grant option on view public.v to world_migrator"
    ),
    "GRANT USAGE ON SEQUENCE a_id_seq TO world_readonly": "USAGE on sequence public.a_id_seq to world_readonly",
    "GRANT USAGE ON SCHEMA s TO world_readonly": "USAGE on schema s to world_readonly",
    "GRANT EXECUTE ON PROCEDURE p() TO world_readonly": "EXECUTE on function public.p() to world_readonly",
    "GRANT EXECUTE ON FUNCTION f() TO PUBLIC": "EXECUTE on function public.f() to PUBLIC",
    "GRANT USAGE ON TYPE mood TO world_readonly": "USAGE on type public.mood to world_readonly",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC": (
        "SELECT on future tables of world_owner in schema public to PUBLIC"
    ),
    "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO world_readonly": (
        "EXECUTE on future functions of world_owner to world_readonly"
    ),
}
GRANTED = """
CREATE TABLE a (id serial PRIMARY KEY, name text);
CREATE VIEW v AS SELECT id FROM a;
CREATE SCHEMA s;
CREATE TYPE mood AS ENUM ('good');
CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
REVOKE ALL ON FUNCTION f() FROM PUBLIC;
"""


@pytest.mark.parametrize("adopted", [False, True], ids=["applied", "adopted"])
def test_what_no_module_granted_is_found(world: World, *, adopted: bool) -> None:
    """A grant by hand on a module's object is named with role and object; a module's own and the stack's are not."""
    world.write(m01_a=GRANTED, m02_b="GRANT SELECT ON a TO world_readonly;\n")
    world.sql("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO world_readonly")
    if adopted:
        world.sql(GRANTED)
    world.up()
    assert unmanaged(world) == []
    world.sql("CREATE TABLE by_hand (); GRANT SELECT ON by_hand TO PUBLIC; " + "; ".join(GRANTS))
    with connect(world.session.target, autocommit=True) as connection:
        status = read_status(connection, world.session.program)
    assert status.in_sentences(status.unmanaged()) == (
        "no module made table public.by_hand",
        *(f"no module granted {what}" for what in sorted(GRANTS.values(), key=lambda what: what.partition(" on ")[2])),
    )
    assert unmanaged(world, "privileges * to world_readonly", "privileges * to PUBLIC", "table *") == [
        "privileges view public.v to world_migrator"
    ]


def test_what_a_changed_module_grants_has_to_be_granted(applied: World) -> None:
    """A persistent database is equal to its modules when its roles may do what they grant; more is no reason."""
    applied.write(m02_b="CREATE VIEW v AS SELECT id FROM a;\nGRANT SELECT, UPDATE ON v TO world_readonly;\n")
    different = "privileges view public.v to world_readonly is different"
    assert applied.refused()[1:] == [LEGEND, different, "  - SELECT, UPDATE", "  + SELECT"]
    applied.sql("GRANT SELECT, UPDATE, DELETE ON v TO world_readonly")
    assert applied.up() == [Step.UNCHANGED, Step.VERIFY]


def test_a_preview_writes_nothing(applied: World) -> None:
    """A preview leaves no row, event, session setting or connection behind."""
    before = applied.sql("SELECT (SELECT count(*) FROM sqlmodule.event), (SELECT array_agg(l) FROM sqlmodule.ledger l)")
    applied.write(m01_a=TABLE.replace("text", "varchar"))
    assert applied.step("01-a").step is Step.REFUSE
    assert before == applied.sql(
        "SELECT (SELECT count(*) FROM sqlmodule.event), (SELECT array_agg(l) FROM sqlmodule.ledger l)"
    )
    assert applied.sql(f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{MIGRATOR}' AND state <> 'idle'") == [
        (0,)
    ]


def test_a_preview_reads_the_server_that_accepts_writes(applied: World) -> None:
    """With `target_session_attrs` a preview compares the database, and writes nothing: its session is read-only."""
    applied.set(target=replace(applied.session.target, options={"target_session_attrs": "read-write"}))
    applied.sql("ALTER TABLE a DROP name CASCADE")
    assert "column public.a.name" in [str(difference.identity) for difference in applied.step("01-a").drift]


def is_read(world: World, *, explain: bool = False) -> bool:
    """Return whether a look in a process of its own reads the catalog."""
    world.new_process()
    looked = look(world.session, recorded=True, explain=explain)
    assert not isinstance(looked, Unreadable)
    assert looked.plan.is_unchanged
    return bool(looked.status.catalog.objects)


def test_a_database_in_which_nothing_was_changed_is_not_read(applied: World) -> None:
    """A run writes down that there is nothing to do: it is believed until catalog, ledger, files or settings differ."""
    assert [is_read(applied, explain=True), is_read(applied, explain=True)] == [True, True]  # a preview writes nothing
    assert [is_read(applied), is_read(applied), is_read(applied, explain=True)] == [True, False, False]
    applied.sql("INSERT INTO a VALUES (1, 'x'); ANALYZE a")
    assert not is_read(applied)

    applied.sql("CREATE TABLE t (i integer); DROP TABLE t")
    assert not is_read(applied)
    applied.sql("REINDEX TABLE a")
    assert [is_read(applied), is_read(applied)] == [True, False]
    applied.sql(
        "INSERT INTO sqlmodule.event (module, step, statements_digest, stack, duration) VALUES ('', '', '', '', '0')"
    )
    assert [is_read(applied), is_read(applied)] == [True, False]
    applied.session = replace(applied.session, allowed=("table public.tmp_*",))
    assert [is_read(applied), is_read(applied)] == [True, False]
    applied.sql("CREATE TABLE tmp_x (i integer)")
    assert [is_read(applied), is_read(applied)] == [True, False]
    applied.sql("CREATE TABLE by_hand (i integer)")
    assert [is_read(applied), is_read(applied)] == [True, True]  # it is reported each time


def test_a_plan_has_another_digest_where_files_ledger_or_catalog_differ(applied: World) -> None:
    """It pins all that the plan was made of, each by itself; what is not read of it, such as rows, does not count."""
    applied.write(m03_c="CREATE TABLE c (id integer);\n")
    digests = [applied.plan(recorded=True).digest]
    applied.sql("INSERT INTO a VALUES (1, 'x')")
    assert applied.plan(recorded=True).digest == digests[0]
    for change in (
        lambda: applied.write(m03_c="CREATE TABLE c (id bigint);\n"),
        lambda: applied.sql("UPDATE sqlmodule.ledger SET text_digest = 'x' WHERE module = '01-a'"),
        lambda: applied.sql("COMMENT ON TABLE a IS 'by hand'"),
        lambda: applied.sql("CREATE TABLE by_hand (id integer)"),
    ):
        change()
        digests.append(applied.plan(recorded=True).digest)
    assert all(digests)
    assert len(set(digests)) == 5


def test_what_nobody_changed_follows_from_the_ledger(applied: World) -> None:
    """For new files a catalog that nobody changed need not be read either: it is what the ledger says, and the rest."""
    applied.session = replace(applied.session, allowed=("table public.tmp_*",))
    applied.sql("CREATE TABLE tmp_x (i integer)")
    assert [is_read(applied), is_read(applied)] == [True, False]
    applied.write(m03_c="CREATE TABLE c (id integer);\n")
    applied.new_process()
    looked = look(applied.session, recorded=True, explain=False)
    assert not isinstance(looked, Unreadable)
    with connect(applied.session.target, autocommit=True) as connection:
        assert looked.status == read_status(connection, applied.session.program)
    assert looked.plan.step_of("03-c") == applied.step("03-c")
    assert applied.up() == [Step.UNCHANGED, Step.UNCHANGED, Step.APPLY]


def test_a_table_that_somebody_has_exclusively_is_not_waited_for_without_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL shows an index only to who may open its table: a look and a run give up, and name the session."""
    monkeypatch.setattr(live_status, "_LOCK_SECONDS", 0.3)
    world.write(m01_a=f"{TABLE}CREATE INDEX a_name ON a (name);\n")
    world.up()
    world.write(m02_c="CREATE TABLE c (id integer);\n")
    world.set(wait=1)
    admin = world.session.admin
    with psycopg.connect(
        host=admin.host, port=admin.port, dbname=admin.database, user="postgres", application_name="nightly report"
    ) as other:
        other.execute("LOCK TABLE a IN ACCESS EXCLUSIVE MODE")
        holder = f"a table is locked by pid {other.info.backend_pid} (nightly report, role postgres)"
        world.new_process()
        looked = look(world.session, recorded=True, explain=True)
        assert isinstance(looked, Unreadable)
        assert holder in looked.reason
        with pytest.raises(InfraError, match=re.escape(holder)) as caught:
            world.up()
        assert "is locked by another session" in str(caught.value)
        assert "run again when that session has ended" in str(caught.value)
        with pytest.raises(InfraError, match=re.escape(holder)):
            detected(world, "01-a")
    assert world.up() == [Step.UNCHANGED, Step.APPLY]


def test_a_ledger_without_a_place_for_it_is_read_each_time(applied: World) -> None:
    """Ledgers that an earlier version of this program made stay as they are."""
    applied.sql("DROP TABLE sqlmodule.compared")
    assert [is_read(applied), is_read(applied)] == [True, True]
