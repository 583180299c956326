"""A live database is compared without being changed, by a role that may only read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
import pytest
from psycopg import sql

import models
from infra.check.checker import check_live
from infra.check.in_models import models_of
from infra.check.live import compare_live, read_live
from infra.errors import BusyError, ServerError
from infra.modules.module import load_modules
from infra.postgres.connection.simple_query import simple_query
from infra.postgres.connection.target import connect
from infra.postgres.privileges import restrict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.check.checker import CheckedProject
    from infra.check.sources import ScratchServer
    from infra.findings.finding import Finding
    from infra.postgres.connection.target import Target

pytest_plugins = ["tests.database.scratch_server"]

ROOT = Path(__file__).parents[3]
DATABASE = "live_check"
OWNER, APP, READER = "live_owner", "live_app", "live reader"
UNMANAGED = ("table public.alembic_version",)

# What the stack declares for every database, as its Terraform provider would send it.
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
def live(ground: ScratchServer) -> Iterator[Target]:
    """Make a database as a stack does, with the project's modules in it; give the reader's way in."""
    admin = ground.admin.on(DATABASE)
    with connect(ground.admin, autocommit=True) as connection:
        for role in (OWNER, APP, READER):
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}".encode())
        try:
            restrict(admin, owner=OWNER, readers=[APP, READER])
            with connect(admin, autocommit=True) as inside:
                inside.execute(DECLARED.encode())
                inside.execute(f"SET ROLE {OWNER}".encode())
                for module in load_modules(ROOT / "sql"):
                    if "uuid-ossp" not in module.text:  # the wheel's own server has no uuid-ossp
                        simple_query(inside, module.text)
            yield type(admin)(admin.host, admin.port, DATABASE, READER, "")
        finally:
            connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)".encode())
            for role in (OWNER, APP, READER):
                connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(role)))
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def compared(ground: ScratchServer, live: Target, *statements: str) -> list[Finding]:
    """Change the live database as its superuser would, and compare."""
    with connect(ground.admin.on(DATABASE), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
    modules = [module for module in load_modules(ROOT / "sql") if "uuid-ossp" not in module.text]
    return compare_live(ground, read_live(live), modules, models_of(models.metadata, models.Base), UNMANAGED)


def test_a_database_as_the_modules_make_it_has_no_finding(ground: ScratchServer, live: Target) -> None:
    """Owners, privileges and default privileges of its own are no difference, nor what nobody has to manage."""
    assert compared(ground, live) == []


class Case(NamedTuple):
    """What is done, the code and the message of what is found, and the file and the line of its place."""

    statement: str
    code: str
    message: str
    file: str
    line: str


CASES = [
    Case(
        "ALTER TABLE userbase ALTER email TYPE varchar(254)",
        "C123",
        "column public.userbase.email differs between the modules and database live_check",
        "02-init-users-auth.sql",
        "    email ",
    ),
    Case(
        "DROP TABLE demo_feedback",
        "C121",
        "table public.demo_feedback is only in the modules",
        "06-init-demo.sql",
        "CREATE TABLE demo_feedback",
    ),
    Case(
        "DROP INDEX ix_secrets_user_id",
        "C121",
        "index public.ix_secrets_user_id is only in the modules",
        "07-init-indexes.sql",
        "CREATE INDEX ix_secrets_user_id",
    ),
    Case("CREATE TABLE mine (a serial)", "C122", "table public.mine is only in database live_check", "sql", ""),
    Case(
        "GRANT UPDATE ON userbase TO live_app WITH GRANT OPTION",
        "C125",
        "what is granted on table public.userbase to live_app differs between the modules and database live_check",
        "02-init-users-auth.sql",
        "CREATE TABLE userbase",
    ),
    Case(
        "ALTER TABLE secrets OWNER TO live_app",
        "C125",
        "the owner of table public.secrets differs between the modules and database live_check",
        "02-init-users-auth.sql",
        "CREATE TABLE secrets",
    ),
    Case(
        "COMMENT ON COLUMN userbase.email IS 'x'",
        "C123",
        "column public.userbase.email differs between the modules and database live_check",
        "02-init-users-auth.sql",
        "COMMENT ON COLUMN userbase.email ",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.statement)
def test_a_change_of_the_live_database_is_found(ground: ScratchServer, live: Target, case: Case) -> None:
    """What is gone, new or different is named, at the statement of the module that made it."""
    found = next(one for one in compared(ground, live, case.statement) if one.message == case.message)
    assert (found.code, Path(found.place.path).name) == (case.code, case.file)
    assert found.place.text.startswith(case.line)
    assert found.remedy


def test_several_databases_are_compared_by_their_connection_strings(
    ground: ScratchServer, live: Target, project: CheckedProject
) -> None:
    """Each is read and compared with what the modules make on a private server, and said to be so or not."""
    way = f"host={ground.admin.host} dbname={DATABASE} user='{READER}'"
    compared(ground, live, "CREATE TABLE kept (a integer)")
    report = check_live(project, [way, way], [*UNMANAGED, "table public.kept"])
    missing = [f"extension {name} is only in the modules" for name in ('"uuid-ossp"', "pg_trgm", "pgcrypto")]
    assert [(one.code, one.message) for one in report.findings] == [("C121", message) for message in missing * 2]
    assert report.notes[0].startswith("not compared: rows of tables")
    assert report.notes[1:] == [f"database {DATABASE} was read"] * 2


def test_nothing_is_written_and_nobody_is_kept_waiting(ground: ScratchServer, live: Target) -> None:
    """While somebody writes rows it is read at once; behind an exclusive lock it gives up and says so."""
    with connect(ground.admin.on(DATABASE)) as writer:
        writer.execute("INSERT INTO supplies (id, name) VALUES ('1', 'x')")
        read_live(live)
        writer.rollback()
        writer.execute("ALTER TABLE supplies ADD extra integer")
        with pytest.raises(BusyError, match="cannot be read now: canceling statement due to lock timeout"):
            read_live(live)


def test_the_reading_transaction_can_write_nothing(ground: ScratchServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for a superuser every write is refused, and the locks that reading takes are AccessShare at most."""
    seen: list[Any] = []

    def look(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), connection.transaction():
            connection.execute("CREATE TABLE t ()")
        locks = "SELECT DISTINCT mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'"
        seen.extend(row[0] for row in connection.execute(locks))

    monkeypatch.setattr("infra.check.live.read_catalog", look)
    read_live(ground.admin)
    assert seen == ["AccessShareLock"]


@pytest.mark.parametrize("database", ["no_such_database", "template0"])
def test_a_database_that_cannot_be_entered_is_a_sentence(ground: ScratchServer, database: str) -> None:
    """The server's own words, without a traceback."""
    with pytest.raises(ServerError, match=f"database {database}: cannot be entered: database"):
        read_live(ground.admin.on(database))
