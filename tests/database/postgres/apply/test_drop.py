"""What a module made is dropped, whatever it is and however it hangs together, and what is no part of it never."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from infra.catalog.catalog import ObjectId
from infra.catalog.changes import created_objects
from infra.errors import RefusedError
from infra.modules.decision import Step
from infra.postgres.apply.drop import drop_list
from infra.postgres.connection.connect import connect
from infra.postgres.ledger import ledger
from tests.database.postgres.databases import EPHEMERAL, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.catalog.drop_order import DropList

pytest_plugins = ["tests.database.scratch_server"]

FUNCTION = "CREATE FUNCTION {} LANGUAGE sql IMMUTABLE BEGIN ATOMIC {}; END;\n"
ROWS = FUNCTION.format("rows_of_t() RETURNS bigint", "SELECT count(*) FROM t")
TABLE = "CREATE TABLE t (id integer PRIMARY KEY, x integer);\n"

CIRCLES = {
    "a policy": TABLE + ROWS + "CREATE POLICY p ON t USING (rows_of_t() > 0);\n",
    "a check": TABLE + ROWS + "ALTER TABLE t ADD CHECK (rows_of_t() > 0);\n",
    "a default": TABLE + ROWS + "ALTER TABLE t ALTER x SET DEFAULT rows_of_t();\n",
    "a trigger's condition": TABLE
    + ROWS
    + "CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';\n"
    "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW WHEN (rows_of_t() > 0) EXECUTE FUNCTION g();\n",
    "a rule": TABLE + ROWS + "CREATE RULE r AS ON INSERT TO t WHERE rows_of_t() > 9 DO INSTEAD NOTHING;\n",
    "a generated column on the row type": "CREATE TABLE t (id integer);\n"
    + FUNCTION.format("of_row(r t) RETURNS integer", "SELECT (r).id + 1")
    + "ALTER TABLE t ADD y integer GENERATED ALWAYS AS (of_row(NULL)) STORED;\n",
    "an index on the row type": TABLE
    + FUNCTION.format("of_row(r t) RETURNS integer", "SELECT (r).id")
    + "CREATE INDEX i ON t (of_row(t));\n",
    "statistics": TABLE + ROWS + "CREATE STATISTICS s ON (rows_of_t() + x), id FROM t;\n",
    "a view": "CREATE VIEW v AS SELECT 1 AS a;\n"
    + FUNCTION.format("of_view(r v) RETURNS integer", "SELECT (r).a")
    + "CREATE OR REPLACE VIEW v AS SELECT of_view(NULL) AS a;\n",
    "a partition key": "CREATE TABLE t (id integer) PARTITION BY LIST (id);\n"
    + ROWS
    + "CREATE TABLE t1 PARTITION OF t (CHECK (rows_of_t() >= 0)) FOR VALUES IN (1);\n",
    "a domain": "CREATE DOMAIN d AS integer;\n"
    + FUNCTION.format("of_domain(v d) RETURNS boolean", "SELECT v > 0")
    + "ALTER DOMAIN d ADD CHECK (of_domain(VALUE));\nCREATE TABLE t (a d);\n",
    "two tables": TABLE
    + "CREATE TABLE u (id integer PRIMARY KEY REFERENCES t);\nALTER TABLE t ADD FOREIGN KEY (x) REFERENCES u;\n",
    "three tables and a view": TABLE
    + "CREATE TABLE u (id integer PRIMARY KEY REFERENCES t);\nCREATE TABLE w (id integer PRIMARY KEY REFERENCES u);\n"
    "ALTER TABLE t ADD FOREIGN KEY (x) REFERENCES w;\nCREATE VIEW v AS SELECT * FROM t JOIN w USING (id);\n",
    "functions on each other's types": "CREATE TYPE a AS (x integer);\nCREATE TYPE b AS (a a);\n"
    + FUNCTION.format("f(v b) RETURNS a", "SELECT (v).a")
    + FUNCTION.format("g(v a) RETURNS b", "SELECT ROW(v)::b")
    + "CREATE TABLE t (a a CHECK (f(g(a)) IS NOT NULL));\n",
}


def edited(text: str) -> str:
    """Return a module with one statement more."""
    return f"{text}CREATE TABLE edited ();\n"


@pytest.mark.parametrize("text", CIRCLES.values(), ids=CIRCLES.keys())
@pytest.mark.parametrize("later", [False, True], ids=["in one module", "in two modules"])
def test_objects_that_depend_on_each_other_are_rebuilt_and_removed(world: World, text: str, *, later: bool) -> None:
    """A circle of dependencies is cut at the parts of its objects, within a module and between modules."""
    world.set(lifecycle=EPHEMERAL)
    statements = re.split(r"(?<=;\n)(?!.*END;)", text)
    texts = {"m01_a": "".join(statements[:-1]), "m02_b": statements[-1] or "SELECT 1;"} if later else {"m01_a": text}
    empty = world.catalog()
    world.write(**texts)
    world.up()
    world.write(m01_a=edited(texts["m01_a"]))
    assert world.up()[0] == Step.REBUILD
    assert world.drift() == {}
    assert world.equals_scratch()
    for name in reversed(texts):
        world.retire(name[1:].replace("_", "-"))
    assert world.catalog().structure() == empty.structure()


KINDS = {
    "collation": (
        'CREATE COLLATION c FROM "C";\nCREATE TABLE t (a text COLLATE c);\n',
        "public.c",
        "DROP COLLATION c CASCADE",
    ),
    "conversion": (
        "CREATE CONVERSION c FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;\n",
        "public.c",
        "DROP CONVERSION c",
    ),
    "operator": (
        (
            "CREATE FUNCTION f(integer, integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';\n"
            "CREATE OPERATOR === (LEFTARG = integer, RIGHTARG = integer, FUNCTION = f, NEGATOR = !===);\n"
            "CREATE VIEW v AS SELECT 1 === 1 AS a;\n"
        ),
        "public.===(integer,integer)",
        "DROP VIEW v; DROP OPERATOR === (integer, integer)",
    ),
    "cast": (
        "CREATE TYPE y AS (a integer);\nCREATE CAST (integer AS y) WITH INOUT;\n",
        "(integer AS public.y)",
        "DROP CAST (integer AS y)",
    ),
    "text search configuration": (
        "CREATE TEXT SEARCH CONFIGURATION c (COPY = simple);\n",
        "public.c",
        "DROP TEXT SEARCH CONFIGURATION c",
    ),
    "text search dictionary": (
        (
            "CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = simple);\n"
            "CREATE TEXT SEARCH CONFIGURATION c (COPY = simple);\n"
            "ALTER TEXT SEARCH CONFIGURATION c ALTER MAPPING FOR word WITH d;\n"
        ),
        "public.d",
        "DROP TEXT SEARCH DICTIONARY d CASCADE",
    ),
    "publication": (TABLE + "CREATE PUBLICATION p FOR TABLE t;\n", "p", "DROP PUBLICATION p"),
    "large object": ("SELECT lo_from_bytea(0, 'x');\n", "", "SELECT 1"),
    "statistics": (TABLE + "CREATE STATISTICS s ON id, x FROM t;\n", "public.s", "ALTER STATISTICS s SET STATISTICS 9"),
    "domain": (
        "CREATE DOMAIN d AS integer CONSTRAINT positive CHECK (VALUE > 0);\nCREATE TABLE t (a d);\n",
        "public.d",
        "ALTER DOMAIN d DROP CONSTRAINT positive",
    ),
    "aggregate": (
        "CREATE AGGREGATE a (integer) (sfunc = int4pl, stype = integer);\n",
        "public.a(integer)",
        "CREATE OR REPLACE AGGREGATE a (integer) (sfunc = int4mul, stype = integer)",
    ),
    "rule": (TABLE + "CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING;\n", "public.t.r", "DROP RULE r ON t"),
}
"""What the owner of a database may create, by kind: a module, the object's name, and how somebody changes it."""


@pytest.mark.parametrize(
    ("kind", "text", "name", "by_hand"), [(kind, *case) for kind, case in KINDS.items()], ids=KINDS
)
def test_every_kind_of_object_is_owned(world: World, kind: str, text: str, name: str, by_hand: str) -> None:
    """An object of any kind is recorded, seen when it is changed, rebuilt, proved on a scratch database, dropped."""
    world.set(lifecycle=EPHEMERAL)
    large = "SELECT count(*) FROM pg_largeobject_metadata"
    world.sql("SELECT lo_create(4711)")
    empty = world.catalog()
    world.write(m01_a=text, m02_b="CREATE TABLE b ();\n")
    world.up()
    assert world.up() == [Step.UNCHANGED, Step.UNCHANGED]
    assert world.drift() == {}
    world.sql(by_hand)
    found = [line.rpartition(" is ")[0] for line in world.drift().get("01-a", [])]
    assert kind == "large object" or f"{kind} {name}" in found
    world.write(m01_a=edited(text))
    assert world.up() == [Step.REBUILD, Step.REBUILD]
    name = name or world.sql("SELECT max(oid)::text FROM pg_largeobject_metadata")[0][0]
    assert ObjectId(kind, name) in owned_by(world, "01-a")
    assert world.drift() == {}
    assert world.equals_scratch()
    assert world.sql(large) == [(2 if kind == "large object" else 1,)]
    world.retire("02-b")
    world.retire("01-a")
    assert world.catalog().structure() == empty.structure()
    assert world.sql(large) == [(1,)]


SUPERUSERS_KINDS = """
CREATE FUNCTION same(integer, integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
CREATE FUNCTION minus(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1 - $2';
CREATE OPERATOR === (LEFTARG = integer, RIGHTARG = integer, FUNCTION = same);
CREATE OPERATOR CLASS class FOR TYPE integer USING hash AS OPERATOR 1 ===, FUNCTION 1 hashint4(integer);
CREATE OPERATOR FAMILY family USING btree;
ALTER OPERATOR FAMILY family USING btree ADD OPERATOR 1 < (integer, integer), FUNCTION 1 (integer, integer) minus;
CREATE TEXT SEARCH PARSER parser (
    START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype
);
CREATE TEXT SEARCH TEMPLATE template (LEXIZE = dsimple_lexize, INIT = dsimple_init);
CREATE TEXT SEARCH DICTIONARY dictionary (TEMPLATE = template);
CREATE TEXT SEARCH CONFIGURATION configuration (PARSER = parser);
CREATE LANGUAGE lang HANDLER plpgsql_call_handler;
CREATE TRANSFORM FOR integer LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal));
CREATE ACCESS METHOD method TYPE INDEX HANDLER bthandler;
CREATE FUNCTION on_drop() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER dropped ON sql_drop EXECUTE FUNCTION on_drop();
CREATE FOREIGN DATA WRAPPER wrapper;
CREATE SERVER remote FOREIGN DATA WRAPPER wrapper;
CREATE USER MAPPING FOR PUBLIC SERVER remote OPTIONS (password 'secret');
CREATE FOREIGN TABLE abroad (a integer) SERVER remote;
CREATE PUBLICATION everything FOR TABLES IN SCHEMA public;
CREATE TYPE base;
CREATE FUNCTION base_in(cstring) RETURNS base LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION base_out(base) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE base (INPUT = base_in, OUTPUT = base_out, LIKE = text);
"""
"""An object of each kind that only a superuser creates, or that hangs on one."""

CHANGED_BY_HAND = {
    "DROP OPERATOR CLASS class USING hash": "operator class public.class USING hash",
    "ALTER OPERATOR FAMILY family USING btree DROP OPERATOR 1 (integer, integer)": (
        "operator of access method operator 1 (integer, integer) of public.family USING btree"
    ),
    "ALTER OPERATOR FAMILY family USING btree DROP FUNCTION 1 (integer, integer)": (
        "function of access method function 1 (integer, integer) of public.family USING btree"
    ),
    "DROP OPERATOR FAMILY family USING btree": "operator family public.family USING btree",
    "DROP TEXT SEARCH CONFIGURATION configuration": "text search configuration public.configuration",
    "DROP TEXT SEARCH PARSER parser": "text search parser public.parser",
    "DROP TEXT SEARCH DICTIONARY dictionary": "text search dictionary public.dictionary",
    "DROP TEXT SEARCH TEMPLATE template": "text search template public.template",
    "DROP LANGUAGE lang": "language lang",
    "DROP TRANSFORM FOR integer LANGUAGE sql": "transform for integer language sql",
    "DROP ACCESS METHOD method": "access method method",
    "ALTER EVENT TRIGGER dropped DISABLE": "event trigger dropped",
    "ALTER FOREIGN TABLE abroad ALTER a SET NOT NULL": "column public.abroad.a",
    "DROP FOREIGN TABLE abroad": "table public.abroad",
    "DROP USER MAPPING FOR PUBLIC SERVER remote": "user mapping public on server remote",
    "DROP SERVER remote": "server remote",
    "DROP FOREIGN DATA WRAPPER wrapper": "foreign-data wrapper wrapper",
    "ALTER PUBLICATION everything DROP TABLES IN SCHEMA public": (
        "publication namespace public in publication everything"
    ),
    "DROP PUBLICATION everything": "publication everything",
    "COMMENT ON TYPE base IS 'x'": "type public.base",
}


@pytest.fixture
def superusers(world: World) -> Iterator[World]:
    """Yield a world whose owner is a superuser."""
    world.sql("ALTER ROLE world_owner SUPERUSER", owner=False)
    yield world
    world.sql("ALTER ROLE world_owner NOSUPERUSER", owner=False)


def test_every_kind_that_a_superuser_makes_is_owned(superusers: World) -> None:
    """Each is recorded, unchanged in the next run, seen when somebody changes it, rebuilt, and dropped in the end."""
    world = superusers.set(lifecycle=EPHEMERAL)
    empty = world.catalog()
    world.write(m01_a=SUPERUSERS_KINDS)
    world.up()
    made = world.catalog()
    assert world.up() == [Step.UNCHANGED]
    for statement, identity in CHANGED_BY_HAND.items():
        world.sql(statement)
        assert identity in [line.rpartition(" is ")[0] for line in world.drift()["01-a"]], statement
    world.write(m01_a=edited(SUPERUSERS_KINDS))
    assert world.up() == [Step.REBUILD]
    assert world.drift() == {}
    assert made.objects.items() <= world.catalog().objects.items()
    world.retire("01-a")
    assert world.catalog().structure() == empty.structure()


def owned_by(world: World, module: str) -> dict[ObjectId, Any]:
    """Return what a module created according to the ledger."""
    with connect(world.session.target, autocommit=True) as connection:
        entry = ledger.read_entry(connection, module, world.session.program)
    assert entry
    return dict(created_objects(entry.effect))


def listed(world: World, module: str) -> DropList:
    """Return what dropping a module means."""
    with connect(world.session.target, autocommit=True) as connection:
        return drop_list(connection, owned_by(world, module))


PARTITIONED = "CREATE TABLE log (day date, id serial) PARTITION BY RANGE (day);\n"
BY_HAND = (
    "CREATE TABLE log_2024 PARTITION OF log FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
    "CREATE INDEX log_2024_id ON log_2024 (id)",
    "CREATE SEQUENCE extra OWNED BY log.id",
    "ALTER TABLE log ADD note text DEFAULT 'x'",
    "CREATE INDEX log_note ON log (note)",
    "CREATE STATISTICS days ON day, id FROM log",
)
PARTS = ["column public.log.note", "sequence public.extra", "statistics public.days", "table public.log_2024"]


@pytest.fixture
def extended(world: World) -> World:
    """Return a world with a partitioned table to which parts were added by hand."""
    world.set(lifecycle=EPHEMERAL).write(m01_a="CREATE TABLE a ();\n", m02_log=PARTITIONED)
    world.up()
    for statement in BY_HAND:
        world.sql(statement)
    world.sql("INSERT INTO log VALUES ('2024-05-01')")
    return world


def test_parts_that_no_module_made_are_listed(extended: World) -> None:
    """Before anything is dropped a partition, a sequence, a column that was added by hand is known, each once."""
    found = listed(extended, "02-log")
    assert [str(part.identity) for part in found.dependants] == PARTS
    assert {(str(part.on), part.blocks) for part in found.dependants} == {("table public.log", False)}
    assert ObjectId("table", "public.log") in found.owned
    assert ObjectId("sequence", "public.log_id_seq") in found.owned


def test_parts_that_no_module_made_are_reported_when_they_are_dropped(extended: World) -> None:
    """A rebuild and a removal say which parts they dropped that no module had made."""
    report = f"dropped with it, made by no module: {', '.join(PARTS)}"
    extended.write(m02_log=edited(PARTITIONED))
    assert extended.up() == [Step.UNCHANGED, Step.REBUILD]
    assert extended.messages == [report]
    for statement in BY_HAND:
        extended.sql(statement)
    extended.retire("02-log")
    assert extended.messages == [report, report]
    assert extended.sql("SELECT to_regclass('log'), to_regclass('log_2024'), to_regclass('a')") == [(None, None, "a")]


IN_THE_WAY = {
    "view public.v depends on table public.t": "CREATE VIEW v AS SELECT id FROM t",
    "constraint public.u.u_id_fkey depends on table public.t": "CREATE TABLE u (id integer REFERENCES t)",
    "column public.u.a depends on enum public.mood": "CREATE TABLE u (a mood)",
    "function public.g(t) depends on table public.t": "CREATE FUNCTION g(t) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "table public.u depends on table public.t": "CREATE TABLE u () INHERITS (t)",
    "trigger public.u.g depends on function public.g()": (
        "CREATE TABLE u (); CREATE TRIGGER g BEFORE INSERT ON u EXECUTE FUNCTION g()"
    ),
    "column public.u.a depends on sequence public.q": "CREATE TABLE u (a bigint DEFAULT nextval('q'))",
}
MANY = (
    TABLE + "CREATE TYPE mood AS ENUM ('x');\nCREATE SEQUENCE q;\n"
    "CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';\n"
)


@pytest.mark.parametrize(("reason", "statement"), IN_THE_WAY.items(), ids=IN_THE_WAY.keys())
def test_what_others_made_is_never_dropped_by_cascade(world: World, reason: str, statement: str) -> None:
    """An object that depends on a module's, and is no part of it, is named, and nothing is changed."""
    world.set(lifecycle=EPHEMERAL).write(m01_a=MANY)
    world.up()
    world.sql(statement)
    before = world.catalog()
    assert [part.blocks for part in listed(world, "01-a").dependants] == [True]
    with pytest.raises(RefusedError) as caught:
        world.retire("01-a")
    reason = reason.replace("g(t)", "g(public.t)")
    assert caught.value.what == f"cannot be dropped, because other objects depend on what it created: {reason}"
    world.write(m01_a=edited(MANY))
    assert f"created: {reason}; drop those objects first" in world.refused()[0]
    assert world.catalog() == before


def test_a_part_that_another_module_made_is_not_dropped(world: World) -> None:
    """An index on a module's table belongs to the module that made it, and is in the way of removing the table."""
    world.set(lifecycle=EPHEMERAL).write(m01_a=TABLE, m02_i="CREATE INDEX i ON t (x);\n")
    world.up()
    with pytest.raises(RefusedError, match=r"index public\.i of 02-i depends on table public\.t"):
        world.retire("01-a")
    world.retire("02-i")
    assert world.retire("01-a") == f"its objects are dropped from {world.place}"


def test_an_event_trigger_does_not_see_what_is_dropped_with_it(superusers: World) -> None:
    """Event triggers are dropped first: one that refuses DROP is no obstacle to its own module."""
    world = superusers.set(lifecycle=EPHEMERAL)
    world.write(
        m01_a=TABLE + "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END';\n"
        "CREATE EVENT TRIGGER e ON ddl_command_start WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION f();\n"
    )
    world.up()
    world.retire("01-a")
    assert world.sql("SELECT to_regclass('t')") == [(None,)]
