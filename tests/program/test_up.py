"""A stack from nothing to complete, as a newcomer sees it."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import errors

if TYPE_CHECKING:
    from tests.program.project import Project

pytestmark = pytest.mark.every_kind

TABLES = "SELECT count(*), array_agg(DISTINCT tableowner::text) FROM pg_tables WHERE schemaname = 'public'"


def test_every_database_is_complete_and_owned_by_its_owner_role(standing: Project) -> None:
    """After `up` each database has seven tables of its owner role, three ways to ship and three extensions."""
    for database in ("app_db", "app_test"):
        assert standing.sql(TABLES, database=database) == [(7, [f"{database}_owner"])]
        assert standing.sql("SELECT count(*) FROM shipping_methods", database=database) == [(3,)]
        extensions = standing.sql("SELECT extname::text FROM pg_extension ORDER BY 1", database=database)
        assert extensions == [("pg_trgm",), ("pgcrypto",), ("plpgsql",), ("uuid-ossp",)]


def test_the_ledger_has_a_row_for_every_module(standing: Project) -> None:
    """The ledger names the eight modules, who applied them, for which stack, and with which outcome."""
    rows = standing.sql("SELECT module, outcome, stack, applied_by FROM sqlmodule.ledger ORDER BY module")
    assert [row[0][:3] for row in rows] == ["01-", "02-", "03-", "04-", "05-", "06-", "07-", "08-"]
    assert {row[1:] for row in rows} == {("applied", "platform-postgres/test", "app_db_migrator")}


def test_no_migration_runs_on_a_fresh_database(standing: Project) -> None:
    """A fresh database comes from CREATE TABLE modules: nothing of Alembic's is needed or run."""
    assert standing.sql("SELECT count(*) FROM sqlmodule.event WHERE step <> 'apply'") == [(0,)]


def test_the_application_role_reads_and_writes(standing: Project) -> None:
    """The application role may insert, select, update and delete rows."""
    with psycopg.connect(standing.outputs()["dsn"]["app_db"]["app"]) as connection:
        connection.execute("INSERT INTO customers VALUES ('t', 'x@y')")
        assert connection.execute("UPDATE customers SET email = 'x' RETURNING id, email").fetchall() == [("t", "x")]
        assert connection.execute("SELECT id, email FROM customers").fetchall() == [("t", "x")]
        assert connection.execute("DELETE FROM customers").rowcount == 1
        connection.rollback()


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE mine (a int)", "CREATE SCHEMA mine", "DROP TABLE customers", "SELECT * FROM sqlmodule.ledger"],
)
def test_the_application_role_changes_no_schema(standing: Project, statement: str) -> None:
    """The application role can neither create nor drop, nor see the ledger."""
    with pytest.raises(errors.InsufficientPrivilege):
        standing.sql(statement, role="app")


def test_the_readonly_role_only_reads(standing: Project) -> None:
    """The read-only role may select, and nothing else."""
    assert standing.sql("SELECT count(*) FROM shipping_methods", role="readonly") == [(3,)]
    for statement in ("DELETE FROM customers", "INSERT INTO customers VALUES ('t', 'x@y')", "CREATE TABLE m (a int)"):
        with pytest.raises(errors.InsufficientPrivilege):
            standing.sql(statement, role="readonly")


def test_roles_of_one_database_cannot_enter_the_other(standing: Project) -> None:
    """PUBLIC may not connect: a role enters its own database alone."""
    other = standing.outputs()["dsn"]["app_db"]["app"].removesuffix("/app_db") + "/app_test"
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(other)


def test_both_databases_have_one_fingerprint(standing: Project) -> None:
    """The fingerprint is of the schema alone, so that two databases with one schema have one fingerprint."""
    first, second = standing.outputs()["fingerprint"].values()
    assert first == second
    assert re.fullmatch(r"catalog1:[0-9a-f]{64}", first)


def test_the_outputs_say_what_a_user_needs(standing: Project) -> None:
    """Host, port, names of databases and roles are plain; whatever holds a password is secret."""
    shown = standing.pulumi("stack", "output", "--stack", standing.stack)
    plain = standing.outputs()
    assert plain["host"] == "127.0.0.1"
    assert plain["databases"] == ["app_db", "app_test"]
    assert "rows of tables" in plain["not_compared"]
    assert plain["roles"]["app_db"]["owner"] == "app_db_owner"
    assert re.search(r"dsn +\[secret\]", shown)
    assert re.search(r"connections +\[secret\]", shown)
    if "uuid_ossp" in plain:  # of the embedded server
        assert "SQL replacement" in plain["uuid_ossp"]


def test_the_env_file_is_for_its_owner_alone_and_its_addresses_work(standing: Project) -> None:
    """The `.env` file has mode 0600 and addresses with which each role can log in."""
    file = standing.folder / ".env.test"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    values = dict(line.split("=", 1) for line in file.read_text().splitlines() if not line.startswith("#"))
    assert values["DATABASE_URL"].startswith("postgresql+asyncpg://app_db_app:")
    for role in ("MIGRATOR", "APP", "READONLY"):
        with psycopg.connect(values[f"APP_DB_{role}_DSN"]) as connection:
            assert connection.info.user == f"app_db_{role.lower()}"


def test_a_second_up_changes_nothing(standing: Project) -> None:
    """`up`, `preview` and `refresh` on a complete stack find nothing to do."""
    assert re.search(r"Resources:\n +\d+ unchanged\n", standing.up())
    assert standing.verb("preview", "--expect-no-changes").status == 0
    done = standing.verb("refresh", "--expect-no-changes")
    assert done.status == 0, done.text


def test_the_server_listens_on_loopback_alone(standing: Project) -> None:
    """The server has one socket, on 127.0.0.1."""
    port = standing.outputs()["port"]
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    addresses = {row[1] for row in listening if row[3] == "0A" and int(row[1].split(":")[1], 16) == port}
    assert addresses == {f"0100007F:{port:04X}"}
