"""A live database is compared without being changed, by a role that may only read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
import pytest
from psycopg import sql

from infra.check.checker import check_live
from infra.check.in_models import ModelPlaces
from infra.check.live import compare_live, read_live
from infra.errors import BusyError, ServerError
from infra.modules.module import load_modules
from infra.postgres.connection.connect import connect
from infra.postgres.connection.simple_query import simple_query
from infra.postgres.connection.target import ADMIN_USER
from infra.postgres.privileges import restrict
from infra.server.dsn import parse_dsn
from tests.database.postgres.databases import by_hand
from tests.fixture_schema import SQL, shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.check.checker import CheckedProject
    from infra.findings.finding import Finding
    from infra.postgres.connection.target import Target
    from infra.server.scratch.private_server import PrivateServer
    from infra.server.scratch.scratch_server import ScratchServer

pytest_plugins = ["tests.database.scratch_server"]

DATABASE = "live_check"
OWNER, APP, READER = "live_owner", "live_app", "live reader"
UNMANAGED = ("table public.alembic_version",)

# What a stack declares for every database, as Pulumi's PostgreSQL provider sends it.
DECLARED = """
GRANT CONNECT ON DATABASE live_check TO live_app, "live reader";
ALTER DEFAULT PRIVILEGES FOR ROLE live_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE ON TABLES TO live_app;
ALTER DEFAULT PRIVILEGES FOR ROLE live_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO live_app WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE live_owner GRANT SELECT ON TABLES TO "live reader";
ALTER DEFAULT PRIVILEGES FOR ROLE live_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
CREATE SCHEMA sqlmodule AUTHORIZATION live_owner;
CREATE TABLE sqlmodule.ledger (module text);
CREATE TABLE public.alembic_version (version_num varchar(32) PRIMARY KEY);
"""


@pytest.fixture
def live(scratch_server: ScratchServer) -> Iterator[Target]:
    """Create a database as a stack does, with the modules of the fixture in it; return the reader's target."""
    admin = scratch_server.admin.on(DATABASE)
    with connect(scratch_server.admin, autocommit=True) as connection:
        for role in (OWNER, APP, READER):
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}".encode())
        try:
            restrict(admin, owner=OWNER, readers=[APP, READER])
            with connect(by_hand(admin), autocommit=True) as inside:
                inside.execute(DECLARED.encode())
                inside.execute(f"SET ROLE {OWNER}".encode())
                for module in load_modules(SQL):
                    if "uuid-ossp" not in module.text:  # the wheel's own server has no uuid-ossp
                        simple_query(inside, module.text)
            yield type(admin)(admin.host, admin.port, DATABASE, READER, "")
        finally:
            connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())
            for role in (OWNER, APP, READER):
                connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def compare_after(private: PrivateServer, live: Target, *statements: str) -> list[Finding]:
    """Change the live database as its superuser would, and return the findings of the comparison."""
    with connect(by_hand(replace(live, user=ADMIN_USER)), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
    modules = [module for module in load_modules(SQL) if "uuid-ossp" not in module.text]
    findings, differences = compare_live(private, read_live(live), modules, ModelPlaces(shop().models), UNMANAGED)
    assert differences == ()
    return findings


def test_a_database_as_the_modules_make_it_has_no_finding(
    private_server_of_the_run: PrivateServer, live: Target
) -> None:
    """The database's own owners, privileges, default privileges and unmanaged objects are no difference."""
    assert compare_after(private_server_of_the_run, live) == []


class Case(NamedTuple):
    """A change, and the code and message of its finding, and the file and line of its place."""

    statement: str
    code: str
    message: str
    file: str
    line: str


CASES = [
    Case(
        "ALTER TABLE customers ALTER email TYPE varchar(254)",
        "C123",
        "column public.customers.email differs between the modules and database live_check",
        "02-init-customers.sql",
        "    email ",
    ),
    Case(
        "DROP TABLE shipping_methods",
        "C121",
        "table public.shipping_methods is only in the modules",
        "06-init-shipping.sql",
        "CREATE TABLE shipping_methods",
    ),
    Case(
        "DROP INDEX ix_addresses_customer_id",
        "C121",
        "index public.ix_addresses_customer_id is only in the modules",
        "07-init-indexes.sql",
        "CREATE INDEX ix_addresses_customer_id",
    ),
    Case("CREATE TABLE mine (a serial)", "C122", "table public.mine is only in database live_check", "sql", ""),
    Case(
        "GRANT UPDATE ON customers TO live_app WITH GRANT OPTION",
        "C125",
        "what is granted on table public.customers to live_app differs between the modules and database live_check",
        "02-init-customers.sql",
        "CREATE TABLE customers",
    ),
    Case(
        "ALTER TABLE addresses OWNER TO live_app",
        "C125",
        "the owner of table public.addresses differs between the modules and database live_check",
        "02-init-customers.sql",
        "CREATE TABLE addresses",
    ),
    Case(
        "COMMENT ON COLUMN customers.email IS 'x'",
        "C123",
        "column public.customers.email differs between the modules and database live_check",
        "02-init-customers.sql",
        "COMMENT ON COLUMN customers.email ",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.statement)
def test_a_change_of_the_live_database_is_found(
    private_server_of_the_run: PrivateServer, live: Target, case: Case
) -> None:
    """A missing, extra or different object is named, at the statement of the module that creates it."""
    findings = {finding.message: finding for finding in compare_after(private_server_of_the_run, live, case.statement)}
    finding = findings[case.message]
    assert (finding.code, Path(finding.place.path).name) == (case.code, case.file)
    assert finding.place.text.startswith(case.line)
    assert finding.remedy


def test_several_databases_are_compared_by_their_connection_strings(
    private_server_of_the_run: PrivateServer, live: Target, project: CheckedProject
) -> None:
    """Each is read and compared with what the modules create on a private server; a note says that it was read."""
    dsn = f"host={live.host} dbname={DATABASE} user='{READER}'"
    compare_after(private_server_of_the_run, live, "CREATE TABLE kept (a integer)")
    report = check_live(project, [parse_dsn(dsn)] * 2, [*UNMANAGED, "table public.kept"])
    missing = [f"extension {name} is only in the modules" for name in ('"uuid-ossp"', "pg_trgm", "pgcrypto")]
    assert [(finding.code, finding.message) for finding in report.findings] == [
        ("C121", message) for message in missing * 2
    ]
    assert report.notes[0].startswith("not compared: rows of tables")
    assert report.notes[1:] == [f"database {DATABASE} was read"] * 2


def test_nothing_is_written_and_nobody_is_kept_waiting(scratch_server: ScratchServer, live: Target) -> None:
    """It is read while another session writes rows; an exclusive lock ends the attempt after a timeout."""
    with connect(by_hand(scratch_server.admin.on(DATABASE))) as writer:
        writer.execute("INSERT INTO customers (id, email) VALUES ('1', 'x')")
        read_live(live)
        writer.rollback()
        writer.execute("ALTER TABLE customers ADD extra integer")
        with pytest.raises(BusyError, match="cannot be read now: canceling statement due to lock timeout"):
            read_live(live)


def test_the_reading_transaction_can_write_nothing(
    scratch_server: ScratchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for a superuser every write is refused, and the locks that reading takes are AccessShare at most."""
    modes: list[Any] = []

    def read_locks(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), connection.transaction():
            connection.execute("CREATE TABLE t ()")
        locks = "SELECT DISTINCT mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'"
        modes.extend(row[0] for row in connection.execute(locks))

    monkeypatch.setattr("infra.check.live.read_catalog", read_locks)
    read_live(scratch_server.admin)
    assert modes == ["AccessShareLock"]


@pytest.mark.parametrize("database", ["no_such_database", "template0"])
def test_a_database_that_cannot_be_entered_is_a_sentence(scratch_server: ScratchServer, database: str) -> None:
    """A database that refuses the connection is an error with the server's message."""
    with pytest.raises(ServerError, match=f"database {database}: cannot be connected to: database"):
        read_live(scratch_server.admin.on(database))
