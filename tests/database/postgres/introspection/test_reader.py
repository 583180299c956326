"""The catalog reader reads every kind of object and every attribute, whatever the session's role and settings are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus

from infra.catalog.catalog import ACCESS, NOTES, STRUCTURE, Catalog, ObjectId, fingerprint
from infra.postgres.introspection.reader import QUERIES, CatalogPart, read_catalog
from tests.database.postgres.introspection.reader_cases.cases import CASES, Case
from tests.database.postgres.simple_queries import rolled_back, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest_plugins = ["tests.database.scratch_server"]

KINDS = {*STRUCTURE, *ACCESS, *NOTES}
FILES = sorted(QUERIES.glob("*/*.sql"))
Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture(scope="module")
def shared(server: str) -> Iterator[Connection]:
    """Yield a superuser's connection to an empty database, in which every test rolls back what it did."""
    name = "test_snapshot"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        with psycopg.connect(make_conninfo(server, dbname=name), autocommit=True) as connection:
            yield connection
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def read_after(connection: Connection, statements: str, part: CatalogPart | None = None) -> Catalog:
    """Return the catalog after some statements, which are rolled back."""
    with rolled_back(connection):
        run(connection, statements)
        return read_catalog(connection, part)


EMPTY = {
    ObjectId("schema", "public"): "comment 'standard public schema'",
    ObjectId("owner", "schema public"): "pg_database_owner",
    ObjectId("privileges", "schema public to PUBLIC"): "USAGE",
}


def added(connection: Connection, statements: str) -> dict[str, str]:
    """Return what statements add to or change in an empty database: definitions by kind and name."""
    before = EMPTY
    after = read_after(connection, statements).objects
    assert before.keys() <= after.keys()
    return {str(identity): text for identity, text in after.items() if before.get(identity) != text}


def oid(connection: Connection, expression: str) -> int:
    """Return the oid of an expression such as `'public.t'::regclass`."""
    row = connection.execute(f"SELECT ({expression})::oid::bigint".encode()).fetchone()
    assert row
    return int(row[0])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_object_is_read_as_it_was_created(shared: Connection, case: Case) -> None:
    """Kind, qualified name and definition are exactly these."""
    objects = read_after(shared, case.setup).objects
    assert objects.get(case.identity) == case.definition, list(objects)


def test_there_is_a_case_for_every_query_and_every_kind() -> None:
    """Each query file has cases of its own, and each kind has a case."""
    assert len(CASES) >= 60
    assert {case.query for case in CASES} == {file.stem for file in FILES}
    assert {case.identity.kind for case in CASES} == KINDS
    assert len({(case.setup, case.identity) for case in CASES}) == len(CASES)


# Words of the queries that occur in no case on PostgreSQL 17.
NOT_HERE = {
    ") virtual": "a virtual generated column needs PostgreSQL 18",
    "plpgsql": "is in every database, and left out",
    "heap": "is what tables use, and left out",
    " on language ": "is how PostgreSQL 15 names a transform",
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_word_of_a_query_occurs_in_a_case(file: Path) -> None:
    """Every word that a query can write occurs in a case, so that no attribute is untested."""
    text = re.sub(r"--.*", "", file.read_text(encoding="utf-8"))
    literals: list[str] = re.findall(r"'((?:[^']|'')*)'", text)
    words = {word for literal in literals for word in re.split(r"%%[sIL]", literal) if re.search("[a-z]{3}", word)}
    definitions = "\n".join(f"{case.identity}\n{case.definition}" for case in CASES if case.query == file.stem)
    catalogs = {word for word in words if word.startswith("pg")}
    assert {word for word in words - catalogs - NOT_HERE.keys() if word not in definitions} == set()


def test_a_schema_reads_as_exactly_these_objects(shared: Connection) -> None:
    """No object is read twice, and none that belongs to another one, such as a key's index or an internal trigger."""
    assert added(
        shared,
        """
        CREATE TABLE parent (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE);
        CREATE TABLE child (id serial, parent_id integer REFERENCES parent ON DELETE CASCADE);
        CREATE INDEX child_parent_id_idx ON child (parent_id);
        CREATE VIEW names AS SELECT name FROM parent;
        CREATE TYPE span AS RANGE (subtype = float8);
        """,
    ) == {
        "table public.parent": "",
        "column public.parent.id": "type integer\nnot null\ngenerated always as identity",
        "column public.parent.name": "type text\nnot null",
        "column order public.parent": "id, name",
        "constraint public.parent.parent_pkey": "PRIMARY KEY (id)",
        "constraint public.parent.parent_name_key": "UNIQUE (name)",
        "sequence public.parent_id_seq": (
            "as integer start 1 increment 1 minimum 1 maximum 2147483647 cache 1\nowned by public.parent.id"
        ),
        "owner table public.parent": "postgres",
        "table public.child": "",
        "column public.child.id": "type integer\nnot null\ndefault nextval('public.child_id_seq'::regclass)",
        "column public.child.parent_id": "type integer",
        "column order public.child": "id, parent_id",
        "constraint public.child.child_parent_id_fkey": (
            "FOREIGN KEY (parent_id) REFERENCES public.parent(id) ON DELETE CASCADE"
        ),
        "sequence public.child_id_seq": (
            "as integer start 1 increment 1 minimum 1 maximum 2147483647 cache 1\nowned by public.child.id"
        ),
        "index public.child_parent_id_idx": (
            "CREATE INDEX child_parent_id_idx ON public.child USING btree (parent_id)"
        ),
        "owner table public.child": "postgres",
        "view public.names": " SELECT name\n   FROM public.parent;",
        "owner view public.names": "postgres",
        "range public.span": "subtype double precision\nmultirange public.span_multirange",
        "owner type public.span": "postgres",
        "privileges type public.span to PUBLIC": "USAGE",
    }


def test_an_empty_database_has_its_schema_public(shared: Connection) -> None:
    """The schema public, which every new database has, is read, and no object of PostgreSQL's own."""
    assert read_catalog(shared).objects == EMPTY


EVERYTHING = """
CREATE TABLE {schema}.t (a integer PRIMARY KEY, b serial, c text CHECK (c <> ''));
CREATE INDEX i ON {schema}.t (b); CREATE STATISTICS {schema}.x ON a, b FROM {schema}.t;
CREATE RULE r AS ON DELETE TO {schema}.t DO ALSO NOTHING; CREATE POLICY p ON {schema}.t;
CREATE TRIGGER g AFTER UPDATE ON {schema}.t EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE VIEW {schema}.v AS SELECT 1 AS a; CREATE MATERIALIZED VIEW {schema}.m AS SELECT 1 AS a;
CREATE SEQUENCE {schema}.q; CREATE TYPE {schema}.e AS ENUM ('x'); CREATE TYPE {schema}.y AS (a integer);
CREATE DOMAIN {schema}.d AS text; CREATE TYPE {schema}.s AS RANGE (subtype = float8);
CREATE FUNCTION {schema}.f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE {schema}.o() LANGUAGE sql AS '';
CREATE AGGREGATE {schema}.a (integer) (sfunc = int4pl, stype = integer);
GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO PUBLIC; GRANT SELECT (a) ON {schema}.t TO PUBLIC;
"""


def everything_in(schema: str) -> str:
    return f"CREATE SCHEMA {schema};" + EVERYTHING.replace("{schema}", schema)


def test_the_ledgers_schema_is_hidden(shared: Connection) -> None:
    """The schema sqlmodule and the objects in it are not read; the same objects in another schema are."""
    assert added(shared, everything_in("sqlmodule")) == {}
    assert len(added(shared, everything_in("other"))) > 40


def test_temporary_objects_are_not_read(shared: Connection) -> None:
    """Temporary tables, views and sequences belong to a session, and to no schema that modules create."""
    assert added(shared, "CREATE TEMP TABLE t (a serial PRIMARY KEY); CREATE TEMP VIEW v AS SELECT 1") == {}


def test_an_extension_is_one_object_with_a_version(shared: Connection) -> None:
    """Of every available extension only name, schema and version are read, and none of its members."""
    available = shared.execute(
        "SELECT a.name, coalesce(v.schema, 'public') FROM pg_available_extensions a"
        " JOIN pg_available_extension_versions v ON v.name = a.name AND v.version = a.default_version ORDER BY 1"
    ).fetchall()
    read = 0
    for name, schema in available:
        try:
            objects = added(shared, f'CREATE EXTENSION "{name}" CASCADE')
        except psycopg.Error:  # needs another extension's language, or to be preloaded
            continue
        assert {identity.partition(" ")[0] for identity in objects} <= {"extension"}, name
        assert objects[f"extension {sql.Identifier(name).as_string() if '-' in name else name}"] == f"schema {schema}"
        read += 1
    assert read > 20


MEMBERS = [
    "SCHEMA s",
    "TABLE s.t",
    "VIEW s.v",
    "MATERIALIZED VIEW s.m",
    "SEQUENCE s.q",
    "SEQUENCE s.t_b_seq",
    "TYPE s.e",
    "TYPE s.y",
    "TYPE s.s",
    "DOMAIN s.d",
    "FUNCTION s.f()",
    "PROCEDURE s.o()",
    "AGGREGATE s.a(integer)",
    "FUNCTION s.h()",
    "EVENT TRIGGER z",
]


def test_no_kind_of_member_is_read_and_nothing_that_belongs_to_one(shared: Connection) -> None:
    """Columns, constraints, indexes, statistics, triggers, rules, policies and privileges of members are not read."""
    functions = "CREATE FUNCTION s.h() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
    trigger = "CREATE EVENT TRIGGER z ON sql_drop EXECUTE FUNCTION s.h();"
    created = "\n".join([everything_in("s"), functions, trigger])
    adopted = "".join(f"ALTER EXTENSION plpgsql ADD {member};" for member in MEMBERS)
    assert len(added(shared, created)) > 40
    assert added(shared, created + adopted) == {}


SEARCH_PATHS = ["''", "public", "s, public", '"$user", public, s', '"S s", pg_catalog', "s, pg_catalog, pg_temp"]
SCHEMAS = 'CREATE SCHEMA s; CREATE SCHEMA "S s";'
SPREAD = """
CREATE TYPE s.e AS ENUM ('x'); CREATE TABLE s.r (id integer PRIMARY KEY);
CREATE FUNCTION s.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE SEQUENCE "S s".q;
CREATE DOMAIN s.d AS s.e DEFAULT 'x'::s.e CHECK (VALUE <> 'x'::s.e);
CREATE TABLE public.t (a s.e DEFAULT 'x', b integer REFERENCES s.r, c bigint DEFAULT nextval('"S s".q'), d s.d);
CREATE TRIGGER g BEFORE INSERT ON public.t EXECUTE FUNCTION s.f();
CREATE VIEW "S s".v AS SELECT t.a, r.id FROM public.t, s.r;
CREATE RULE u AS ON INSERT TO public.t DO ALSO INSERT INTO s.r VALUES (1);
CREATE POLICY p ON public.t USING (a = 'x'::s.e);
CREATE INDEX i ON public.t ((a = 'x'::s.e));
CREATE FUNCTION public.g(a s.e) RETURNS s.r LANGUAGE sql BEGIN ATOMIC SELECT id FROM s.r; END;
"""


@pytest.mark.parametrize("search_path", SEARCH_PATHS)
def test_a_catalog_reads_the_same_whatever_the_search_path_is(shared: Connection, search_path: str) -> None:
    """Names are qualified by the schemas of the objects, whatever the session's search_path is."""
    expected = read_after(shared, SCHEMAS + SPREAD)
    assert expected.objects[ObjectId("column", "public.t.c")] == "type bigint\ndefault nextval('\"S s\".q'::regclass)"
    assert read_after(shared, f"{SCHEMAS}{SPREAD}SET search_path = {search_path}") == expected


@pytest.mark.parametrize("search_path", SEARCH_PATHS)
def test_objects_created_under_another_search_path_read_the_same(shared: Connection, search_path: str) -> None:
    """Definitions that PostgreSQL stores as text, such as defaults, do not depend on the creator's search_path."""
    expected = read_after(shared, f"{SCHEMAS}SET search_path = public;{SPREAD}")
    assert read_after(shared, f"{SCHEMAS}SET search_path = {search_path};{SPREAD}") == expected


SETTINGS = "SELECT current_setting('search_path'), current_setting('plan_cache_mode'), current_setting('jit')"
CHANGED = ('s, "$user"', "force_custom_plan", "on")


@pytest.mark.parametrize("local", ["", "LOCAL "])
def test_a_session_is_left_as_it_was(shared: Connection, local: str) -> None:
    """The settings for reading are reset afterwards, in the surrounding transaction and after it."""
    before = shared.execute(SETTINGS).fetchone()
    with rolled_back(shared):
        run(
            shared,
            f'SET {local}search_path = s, "$user"; SET {local}plan_cache_mode = force_custom_plan; SET {local}jit = on',
        )
        read_catalog(shared)
        assert shared.execute(SETTINGS).fetchone() == CHANGED
    assert shared.execute(SETTINGS).fetchone() == before
    read_catalog(shared)
    assert shared.execute(SETTINGS).fetchone() == before
    assert shared.info.transaction_status == TransactionStatus.IDLE


def test_a_reading_that_fails_leaves_the_session_as_it_was(shared: Connection) -> None:
    """After an error while reading, the surrounding transaction continues with its own settings."""
    with rolled_back(shared):
        run(shared, "SET search_path = s")
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            read_catalog(shared, CatalogPart(relations=("x",)))  # pyright: ignore[reportArgumentType] (that is the mistake)
        assert shared.execute("SHOW search_path").fetchone() == ("s",)


def test_an_ordinary_role_reads_what_a_superuser_reads(shared: Connection) -> None:
    """No query needs a privilege that PUBLIC lacks, so that any role reads the same."""
    created = "CREATE ROLE nobody; REVOKE ALL ON SCHEMA public FROM PUBLIC; " + everything_in("s")
    assert read_after(shared, f"{created}; SET ROLE nobody") == read_after(shared, created)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_lists_are_in_an_order_that_no_locale_changes(file: Path) -> None:
    """A list inside a definition is sorted by number, by a catalog's name, which is compared bytewise, or in locale C.

    The server of these tests has no other locale for an actual comparison.
    """
    orders: list[str] = re.findall(r"ORDER BY ([^)]+)\)", file.read_text(encoding="utf-8"))
    alike = {"a.attnum", "e.enumsortorder", "i.inhseqno", "c.conname", 'm::regrole::text COLLATE "C"'}
    assert {order.strip() for order in orders} <= alike


PARTS = """
CREATE TABLE t (a integer PRIMARY KEY, b integer); CREATE INDEX i ON t (b);
CREATE TABLE u (a integer); CREATE VIEW v AS SELECT 1 AS a;
CREATE SEQUENCE q; CREATE SCHEMA s;
CREATE TYPE e AS ENUM ('x'); CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
"""


@pytest.mark.parametrize(
    ("relations", "objects", "names"),
    [
        ([], [], []),
        (
            ["'t'::regclass"],
            [],
            [
                "column public.t.a",
                "column public.t.b",
                "column order public.t",
                "constraint public.t.t_pkey",
                "owner table public.t",
                "table public.t",
            ],
        ),
        (["'i'::regclass"], [], ["index public.i"]),
        (["'t_pkey'::regclass"], [], []),
        (
            ["'q'::regclass", "'v'::regclass"],
            [],
            ["owner sequence public.q", "owner view public.v", "sequence public.q", "view public.v"],
        ),
        ([], ["'s'::regnamespace"], ["owner schema s", "schema s"]),
        ([], ["'e'::regtype"], ["enum public.e", "owner type public.e", "privileges type public.e to PUBLIC"]),
        (
            [],
            ["'f'::regproc"],
            ["function public.f()", "owner function public.f()", "privileges function public.f() to PUBLIC"],
        ),
        (
            ["'v'::regclass"],
            ["'s'::regnamespace"],
            ["owner schema s", "owner view public.v", "schema s", "view public.v"],
        ),
        (["'e'::regtype"], ["'t'::regclass"], []),
    ],
)
def test_a_part_is_what_has_these_oids(
    shared: Connection, relations: list[str], objects: list[str], names: list[str]
) -> None:
    """Reading a part returns its relations and objects as reading everything does, and no others."""
    with rolled_back(shared):
        run(shared, PARTS)
        part = CatalogPart(
            tuple(oid(shared, expression) for expression in relations),
            tuple(oid(shared, expression) for expression in objects),
        )
        whole, narrow = read_catalog(shared).objects, read_catalog(shared, part).objects
    assert sorted(map(str, narrow)) == sorted(names)
    assert narrow.items() <= whole.items()


def test_two_databases_of_one_schema_have_one_fingerprint(shared: Connection, database: str) -> None:
    """Oids, owners, privileges and the order of columns do not change the fingerprint; the type of a column does."""
    schema = "CREATE TABLE t (a integer, b text); CREATE INDEX i ON t (a); "
    other = (
        "CREATE ROLE r; CREATE TABLE x (); DROP TABLE x; CREATE TABLE t (b text, a integer); CREATE INDEX i ON t (a); "
    )
    with psycopg.connect(database, autocommit=True) as connection:
        same = read_after(connection, f"{other}; ALTER TABLE t OWNER TO r; GRANT SELECT ON t TO PUBLIC")
        different = read_after(connection, schema.replace("integer", "bigint"))
    expected = read_after(shared, schema)
    assert same != expected
    assert fingerprint(same) == fingerprint(expected) != fingerprint(different)
