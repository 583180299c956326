"""The change of a transaction is read completely from the oids that it changed, and created objects can be dropped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
import pytest

from infra.catalog.catalog import STRUCTURE
from infra.catalog.changes import CatalogChange, catalog_change_between, created_objects
from infra.errors import RefusedError
from infra.modules.statements import parse
from infra.postgres.apply.drop import drop_objects
from infra.postgres.connection import pool
from infra.postgres.introspection.effects import catalog_change_of
from infra.postgres.introspection.reader import is_empty, read_catalog
from tests.database.postgres.databases import by_hand, target_of
from tests.database.postgres.introspection.reader_cases.cases import CASES, Case
from tests.database.postgres.simple_queries import rolled_back, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.catalog.catalog import Catalog
    from infra.postgres.connection.target import Target

pytest_plugins = ["tests.database.scratch_server"]

Connection = psycopg.Connection[tuple[Any, ...]]
NAME = "test_ownership"
ROLES = ("r", '"R x"', '"B"', "a")
"""Roles that the cases create; since roles belong to the server, they are created before and dropped afterwards."""


@pytest.fixture(scope="module")
def admin(server: str) -> Iterator[Connection]:
    """Yield a superuser's connection, while the roles exist."""
    with psycopg.connect(server, autocommit=True) as connection:
        for role in ROLES:
            run(connection, f"CREATE ROLE {role}")
        yield connection
        for role in ROLES:
            run(connection, f"DROP ROLE {role}")


@pytest.fixture(scope="module")
def target(admin: Connection, server: str) -> Iterator[Target]:
    """Yield the superuser's target of an empty database for the tests of this file."""
    run(admin, f"CREATE DATABASE {NAME}")
    yield by_hand(target_of(server).on(NAME))
    pool.close_all(NAME)
    run(admin, f"DROP DATABASE {NAME} WITH (FORCE)")


def statements(case: Case) -> list[str]:
    """Return a case's statements, without those that create roles."""
    text = re.sub(r"CREATE ROLE [^;]*;", "", case.setup)
    return [text[statement.start : statement.end] for statement in parse(text, "case")]


class Read(NamedTuple):
    """The change that statements make, by the narrow and the full reading, and what is left when it is dropped."""

    narrow: CatalogChange
    full: CatalogChange
    after: Catalog
    remaining: CatalogChange


def readings(connection: Connection, target: Target, before: Catalog, *texts: str, dropping: bool = False) -> Read:
    """Run statements and return the readings; everything is rolled back."""
    with rolled_back(connection):
        narrow = catalog_change_of(connection, target, lambda: run(connection, *texts))
        after = read_catalog(connection)
        full = catalog_change_between(before, after)
        if dropping:
            drop_objects(connection, created_objects(narrow), place="case", made_by={}, tell=print)
            after = read_catalog(connection)
        return Read(narrow, full, after, catalog_change_between(before, after))


@pytest.fixture(scope="module")
def empty(target: Target) -> Catalog:
    """Return the catalog of the empty database."""
    with pool.connection(target) as connection:
        return read_catalog(connection)


@pytest.fixture
def acting(target: Target) -> Iterator[Connection]:
    """Yield a connection to a database in which every test rolls back what it did."""
    with pool.connection(target) as connection:
        yield connection


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_statements_make_is_all_read_and_can_be_dropped(
    acting: Connection, target: Target, empty: Catalog, case: Case
) -> None:
    """The changed oids contain everything that statements created; dropping it leaves the database as before."""
    result = readings(acting, target, empty, *statements(case), dropping=True)
    assert result.narrow == result.full
    assert case.definition in {result.narrow.objects.get(case.identity), empty.objects.get(case.identity)}
    assert result.remaining.objects.keys() <= result.narrow.changed


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_database_with_an_object_is_not_empty(acting: Connection, empty: Catalog, case: Case) -> None:
    """The quick check finds every object that reading the whole catalog finds."""
    with rolled_back(acting):
        run(acting, *statements(case))
        structure = catalog_change_between(empty, read_catalog(acting)).objects.keys()
        objects = {identity for identity in structure if identity.kind in STRUCTURE and identity.kind != "extension"}
        assert not (objects and is_empty(acting))


def test_a_database_with_only_extensions_is_empty(acting: Connection) -> None:
    """Members of extensions do not count as objects."""
    with rolled_back(acting):
        run(acting, "CREATE EXTENSION pg_trgm; CREATE EXTENSION pgcrypto")
        assert is_empty(acting)
        run(acting, "CREATE SEQUENCE q")
        assert not is_empty(acting)


LAST = [case for case in CASES if len(statements(case)) > 1 and not statements(case)[-1].startswith("CREATE")]


class WritableDatabase:
    """A database that is emptied after each test by dropping its objects, or created again where that is impossible."""

    def __init__(self, admin: Connection, target: Target, empty: Catalog) -> None:
        self.admin, self.target, self.empty = admin, target, empty
        self._make()

    def _make(self) -> None:
        run(self.admin, f"CREATE DATABASE {self.target.database}")

    def drop(self) -> None:
        """Drop the database."""
        pool.close_all(self.target.database)
        run(self.admin, f"DROP DATABASE {self.target.database} WITH (FORCE)")

    def clear(self) -> None:
        """Drop all objects."""
        try:
            with pool.connection(self.target) as connection:
                with connection.transaction():
                    contents = catalog_change_between(self.empty, read_catalog(connection))
                    drop_objects(connection, created_objects(contents), place="case", made_by={}, tell=print)
                emptied = read_catalog(connection) == self.empty
        except (psycopg.Error, RefusedError):
            emptied = False
        if not emptied:
            self.drop()
            self._make()


@pytest.fixture(scope="module")
def kept(admin: Connection, server: str, empty: Catalog) -> Iterator[WritableDatabase]:
    """Yield a database for tests whose first statements must be committed."""
    used = WritableDatabase(admin, by_hand(target_of(server).on("test_ownership_used")), empty)
    yield used
    used.drop()


@pytest.fixture
def used(kept: WritableDatabase) -> Iterator[Target]:
    """Yield the superuser's target of an empty database that may be written to."""
    yield kept.target
    kept.clear()


@pytest.mark.parametrize("case", LAST, ids=str)
def test_the_readings_agree_on_what_changes(used: Target, case: Case) -> None:
    """A case's last statement, which often changes an existing object, is read as exactly that change."""
    *earlier, last = statements(case)
    with pool.connection(used) as connection:
        run(connection, *earlier)
        result = readings(connection, used, read_catalog(connection), last)
    assert result.narrow == result.full


CHANGES = {
    "a privilege taken from PUBLIC": "REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC",
    "a privilege on a column": "GRANT SELECT (a) ON t TO r",
    "a comment on a column": "COMMENT ON COLUMN t.a IS 'x'",
    "a comment on an index": "COMMENT ON INDEX i IS 'x'",
    "a comment on a constraint": "COMMENT ON CONSTRAINT t_pkey ON t IS 'x'",
    "a comment on a type": "COMMENT ON TYPE e IS 'x'",
    "a comment on a function": "COMMENT ON FUNCTION f() IS 'x'",
    "a comment on a trigger": "COMMENT ON TRIGGER g ON t IS 'x'",
    "a comment on a policy": "COMMENT ON POLICY p ON t IS 'x'",
    "a comment on a domain's constraint": "COMMENT ON CONSTRAINT d_check ON DOMAIN d IS 'x'",
    "a comment on a schema": "COMMENT ON SCHEMA s IS 'x'",
    "an owner": "ALTER TABLE t OWNER TO r",
    "an owner of a type": "ALTER TYPE e OWNER TO r",
    "a dropped table": "DROP TABLE t CASCADE",
    "a dropped column": "ALTER TABLE t DROP b CASCADE",
    "a dropped constraint": "ALTER TABLE t DROP CONSTRAINT t_pkey CASCADE",
    "a dropped default": "ALTER TABLE t ALTER b DROP DEFAULT",
    "a dropped index": "DROP INDEX i",
    "a dropped view": "DROP VIEW v",
    "a dropped trigger": "DROP TRIGGER g ON t",
    "a dropped policy": "DROP POLICY p ON t",
    "a dropped function": "DROP FUNCTION f() CASCADE",
    "a dropped enum": "DROP TYPE e CASCADE",
    "a dropped domain's constraint": "ALTER DOMAIN d DROP CONSTRAINT d_check",
    "a dropped sequence": "DROP SEQUENCE q",
    "a dropped schema": "DROP SCHEMA s CASCADE",
    "a dropped extension": "DROP EXTENSION pgcrypto",
    "a renamed table": "ALTER TABLE t RENAME TO u",
    "a renamed column": "ALTER TABLE t RENAME a TO z",
    "a renamed enum value": "ALTER TYPE e RENAME VALUE 'x' TO 'z'",
    "a renamed schema": "ALTER SCHEMA s RENAME TO z",
    "a table in another schema": "ALTER TABLE t SET SCHEMA s",
    "another body": "CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
    "row level security": "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    "another type": "ALTER TABLE t ALTER b DROP DEFAULT, ALTER b TYPE bigint USING 1",
    "statistics of a column": "ALTER TABLE t ALTER b SET STATISTICS 500",
    "a parameter of storage": "ALTER TABLE t SET (fillfactor = 50)",
    "a disabled trigger": "ALTER TABLE t DISABLE TRIGGER g",
    "another increment": "ALTER SEQUENCE q INCREMENT 5",
    "made and dropped": "CREATE TABLE n (); DROP TABLE n",
    "dropped and made": "DROP VIEW v; CREATE VIEW v AS SELECT 2 AS a",
    "rows alone": "INSERT INTO t VALUES (1, 'x'); SELECT nextval('q')",
    "in a subtransaction": "DO $$ BEGIN BEGIN CREATE TABLE n (x integer); EXCEPTION WHEN others THEN END; END $$",
    "in a rolled back subtransaction": "DO $$ BEGIN CREATE TABLE n (); RAISE ''; EXCEPTION WHEN others THEN END $$",
}
EXISTING = (
    "CREATE EXTENSION pgcrypto; CREATE SCHEMA s; CREATE TABLE s.other (x integer); CREATE TYPE e AS ENUM ('x', 'y')",
    "CREATE DOMAIN d AS integer CONSTRAINT d_check CHECK (VALUE > 0); CREATE SEQUENCE q",
    "CREATE TABLE t (a integer PRIMARY KEY, b text DEFAULT 'x', c e, f d); CREATE INDEX i ON t (b)",
    "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f(); CREATE POLICY p ON t",
    "CREATE TABLE k (a integer REFERENCES t, b e); CREATE VIEW v AS SELECT a FROM t; GRANT SELECT ON t TO r",
)


@pytest.fixture(scope="module")
def furnished(admin: Connection, server: str) -> Iterator[Target]:
    """Yield the superuser's target of a database with objects of most kinds, which no test changes lastingly."""
    name = "test_ownership_furnished"
    run(admin, f"CREATE DATABASE {name}")
    target = by_hand(target_of(server).on(name))
    with pool.connection(target) as connection:
        run(connection, *EXISTING)
    yield target
    pool.close_all(name)
    run(admin, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("text", CHANGES.values(), ids=CHANGES.keys())
def test_changes_are_read(furnished: Target, text: str) -> None:
    """Changes of comments, privileges, owners and names, and drops, are read as the full reading finds them."""
    with pool.connection(furnished) as connection:
        result = readings(connection, furnished, read_catalog(connection), text)
    assert result.narrow == result.full


@pytest.mark.parametrize("text", [CHANGES["a privilege on a column"], CHANGES["another body"]])
def test_a_server_that_counts_nothing_is_searched_whole(furnished: Target, text: str) -> None:
    """With track_counts off there are no counters of writes to catalogs, so that all catalogs are searched."""
    with pool.connection(furnished) as connection:
        result = readings(
            connection, furnished, read_catalog(connection), "SET LOCAL track_counts = off", f"{text}; SELECT 1"
        )
    assert result.narrow.objects
    assert result.narrow == result.full
