"""The pytest plugin in runs of its own: databases of tests, and what is left after them."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]
DEBIAN = Path("/usr/lib/postgresql/15/bin")
WAIT_SECONDS = 30

SETTING = """CREATE EXTENSION IF NOT EXISTS "uuid-ossp" SCHEMA public;
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = orders_of_shop, "$user", public', current_database());
END $$;
CREATE SCHEMA orders_of_shop;
CREATE TABLE orders_of_shop.kept (id integer);
"""

FURTHER = """
import os
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url


@pytest.fixture(scope="module")
def dsn_of_module(pg_server):
    with pg_server.clone() as database:
        yield database.dsn("owner")


@pytest.mark.parametrize("number", range(4))
def test_isolation(database_dsn, number):
    with psycopg.connect(database_dsn) as connection:
        Path(os.environ["HOSTS"], connection.info.host.replace("/", "%")).touch()
        connection.execute("INSERT INTO kept VALUES (1)")
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1,)


def test_application(database_dsn):
    with psycopg.connect(database_dsn, autocommit=True) as connection:
        names = connection.execute("SELECT current_user, current_setting('search_path')").fetchone()
        assert names == ("test_app", 'orders_of_shop, "$user", public')
        assert len(connection.execute("SELECT uuid_generate_v4()::text").fetchone()[0]) == 36
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE public.more ()")
        for name in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
            assert connection.execute(f"SHOW {name}").fetchone() == ("off",)


def test_roles(pg_database, dsn_of_module):
    with psycopg.connect(pg_database.dsn("readonly"), autocommit=True) as connection:
        for statement in ("INSERT INTO kept VALUES (2)", "CREATE TEMPORARY TABLE more ()"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
    with psycopg.connect(pg_database.dsn("owner")) as connection:
        connection.execute("CREATE TABLE more ()")
    assert pg_database.dsn("owner") != dsn_of_module


def test_urls(database_url, async_database_url, database_dsn):
    for url in (database_url, async_database_url):
        assert make_url(url).query == make_url(database_dsn).query
    assert make_url(async_database_url).drivername == "postgresql+asyncpg"
"""

FAILING = """
import os, time
from pathlib import Path

import psycopg


def test_failing(pg_database):
    with psycopg.connect(pg_database.dsn()) as connection:
        connection.execute("INSERT INTO orders (article) VALUES ('tea')")
        connection.commit()
        Path(os.environ["HOSTS"], connection.info.host.replace("/", "%")).touch()
        time.sleep(float(os.environ.get("SLEEP", "0")))
    assert False


def test_passing(database_url):
    pass
"""

MANY = """
import os
from pathlib import Path

import psycopg
import pytest


@pytest.mark.parametrize("number", range(500))
def test_many(database_dsn, number):
    with psycopg.connect(database_dsn) as connection:
        Path(os.environ["HOSTS"], connection.info.host.replace("/", "%")).touch()
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (0,)
"""


class Application:
    """A folder with modules and tests, in which pytest is run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hosts = folder / "hosts"
        self.hosts.mkdir()
        for name, text in example().items():
            self.write(name, text)
        variables = {"HOSTS": str(self.hosts), "PYTHONPATH": str(ROOT)}
        outer = {name: text for name, text in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
        self.environment = {**outer, **variables}

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        self.folder.joinpath(name).parent.mkdir(exist_ok=True)
        self.folder.joinpath(name).write_text(text, encoding="utf-8")

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start pytest with the plugin, and without a cache."""
        command = [sys.executable, "-m", "pytest", "-p", "pytest_platform_postgres", "-p", "no:cacheprovider", "-q"]
        return subprocess.Popen(
            [*command, *arguments],
            cwd=self.folder,
            env={**self.environment, **variables},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def run(self, *arguments: str) -> str:
        """Run pytest, and return what it printed."""
        return self.start(*arguments).communicate()[0]

    def servers(self) -> list[Path]:
        """Return the directories of the servers that tests were connected to."""
        return [Path(host.name.replace("%", "/")).parent for host in self.hosts.iterdir()]


def example() -> dict[str, str]:
    """Return the files of the example in docs/testing.md by name."""
    text = ROOT.joinpath("docs/testing.md").read_text(encoding="utf-8")
    return dict(re.findall(r"```\w+\n(?:--|#) (\S+)\n(.*?)```", text, re.DOTALL))


@pytest.fixture
def application(tmp_path: Path) -> Application:
    """Return the application of docs/testing.md."""
    return Application(tmp_path)


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_each_test_has_a_database_like_a_stacks(application: Application) -> None:
    """Tests on two workers each find the modules' schema, a stack's roles and settings, and no rows of other tests."""
    application.write("sql/02-setting.sql", SETTING)
    application.write("test_further.py", FURTHER)
    output = application.run("-n", "2")
    assert "9 passed" in output, output
    assert len(application.servers()) == 2
    assert [base for base in application.servers() if base.exists()] == []


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="PostgreSQL 15 is not installed; apt-get install postgresql")
def test_the_database_of_a_failed_test_can_be_kept(application: Application) -> None:
    """With --pg-keep the database outlives the run: the printed command opens it, the printed other one removes it."""
    application.write("test_failing.py", FAILING)
    output = application.run("--pg-keep", "--pg-version=15", "test_failing.py")
    assert "1 failed, 1 passed" in output, output
    (base,) = application.servers()
    (command,) = re.findall(r"PGPASSFILE=.*", output)
    query = f"{command} -Atc {shlex.quote('SELECT article, version() FROM orders')}"
    rows = subprocess.run(query, shell=True, capture_output=True, text=True, check=True).stdout
    assert rows.startswith("tea|PostgreSQL 15."), rows
    assert re.search(r"^  pytest --pg-remove-kept$", output, re.MULTILINE)
    assert "kept servers that were removed: " in application.run("--pg-remove-kept")
    assert not base.exists()


def test_nothing_is_left_of_a_run_that_was_killed(application: Application) -> None:
    """After SIGKILL of pytest, while its workers run tests, the servers are removed; --pg-keep keeps none then."""
    application.write("test_failing.py", FAILING)
    run = application.start("--pg-keep", "-n", "1", "test_failing.py", SLEEP="600")
    try:
        wait_until(lambda: bool(application.servers()) or run.poll() is not None)
        (base,) = application.servers()
        assert base.exists()
    finally:
        os.kill(run.pid, signal.SIGKILL)
        run.communicate()
    wait_until(lambda: not base.exists())


def test_a_schema_that_cannot_be_made_fails_each_test_with_a_sentence(application: Application) -> None:
    """What is wrong with a module or an option is said without a traceback."""
    assert "pg_version: there is no PostgreSQL 8 on this machine" in application.run("--pg-version=8")
    assert "pg_role: found admin; allowed are app, readonly, owner" in application.run("--pg-role=admin")
    application.write("sql/02-wrong.sql", "CREATE TABLE more (id integer REFERENCES missing (id));")
    output, summary, _ = application.run().partition("short test summary")
    assert summary  # which has the sentences again where the variable CI is set
    assert output.count("sql/02-wrong.sql:1") == 2, output
    assert 'relation "missing" does not exist' in output
    assert "Traceback" not in output


@pytest.mark.full
def test_five_hundred_tests_on_two_workers_leave_nothing(application: Application) -> None:
    """Clones are dropped while a long run goes on, and no server is left after it."""
    application.write("test_many.py", MANY)
    output = application.run("-n", "2", "test_many.py")
    assert "500 passed" in output, output
    assert [base for base in application.servers() if base.exists()] == []
