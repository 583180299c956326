"""The pytest plugin of platform-postgres: a database of its own for each test, with the schema of the modules.

docs/testing.md describes it. It is loaded in every run of pytest where the package is installed, so it imports nothing
but pytest, and starts its process (infra/testing) only where a test uses a fixture of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Mapping  # noqa: TC003 (pytest reads the annotations)
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROLES = ("app", "readonly", "owner")
FIXTURE = "pg_server"

_OPTIONS = {
    "modules": "the folder of the SQL modules, by default that of the stack, else sql",
    "stack": "the stack whose modules, extensions and roles the databases have, e.g. dev",
    "version": "PostgreSQL's major version, or the folder of its programs; by default that of the installed wheel",
    "role": f"the role that the tests connect as: {', '.join(ROLES)}; by default app",
}
_CLONE = pytest.StashKey["Clone"]()
_KEPT = "platform-postgres: the command for its database"
_SERVER = pytest.StashKey["PostgresProcess"]()


@dataclass(frozen=True)
class Clone:
    """A database of one test; `urls` has the connection strings by role and form."""

    name: str
    role: str
    urls: Mapping[str, Mapping[str, str]] = field(repr=False)

    def url(self, role: str = "") -> str:
        """Return the URL for SQLAlchemy with psycopg, for a role other than the chosen one if it is given."""
        return self.urls[role or self.role]["sqlalchemy_url"]

    def async_url(self, role: str = "") -> str:
        """Return the URL for SQLAlchemy with asyncpg."""
        return self.urls[role or self.role]["async_url"]

    def dsn(self, role: str = "") -> str:
        """Return the URI for libpq, and so for psycopg and psql, and for asyncpg."""
        return self.urls[role or self.role]["dsn"]


class PostgresProcess:
    """The process that runs the server. Its input is a pipe, which the kernel closes also where pytest is killed."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        project = str(Path(__file__).parent)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((project, os.environ.get("PYTHONPATH", "")))}
        self._error = ""
        self._role = str(options.get("role", ""))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "infra.testing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=project,
        )
        self._send(json.dumps(options))

    @contextmanager
    def clone(self, *, keep: Callable[[], bool] = lambda: False) -> Generator[Clone]:
        """Yield a new database, which is dropped some time after the block unless `keep` returns True then."""
        answer = self.request("take")
        clone = Clone(answer["name"], self._role, answer["urls"])
        yield clone
        if not keep():
            self._send(f"drop {clone.name}")

    def request(self, request: str = "") -> dict[str, Any]:
        """Send a request, and return the answer; fail the test where there is none."""
        if request:
            self._send(request)
        assert self._process.stdout
        assert self._process.stderr
        answer: dict[str, Any] = {}
        if not self._error:
            line = self._process.stdout.readline()
            answer = json.loads(line) if line else {"error": f"its process ended: {self._process.stderr.read()}"}
            self._error = answer.get("error", "")
        if self._error:
            pytest.fail(f"the tests' PostgreSQL: {self._error}", pytrace=False)
        return answer

    def end(self) -> None:
        """End the server, but for databases that are kept, and wait for that."""
        self._send("end")
        self._process.communicate()

    def _send(self, line: str) -> None:
        assert self._process.stdin
        try:
            print(line, file=self._process.stdin, flush=True)
        except BrokenPipeError:  # what it wrote last is the next answer
            return


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, each on the command line and in the configuration file."""
    group = parser.getgroup("platform-postgres", "databases for tests (platform-postgres)")
    for name, text in _OPTIONS.items():
        group.addoption(f"--pg-{name}", help=text)
        parser.addini(f"pg_{name}", text)
    parser.addini(
        "pg_extensions",
        "the extensions of the databases, by default those of the stack, else of a new one",
        type="args",
    )
    group.addoption(
        "--pg-keep", action="store_true", help="keep the database of a failed test, and print how to open it"
    )
    group.addoption(
        "--pg-remove-kept", action="store_true", help="remove the databases that were kept, and run no tests"
    )


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Remove what was kept, if that is what pytest was started for."""
    if not config.getoption("--pg-remove-kept"):
        return None
    process = PostgresProcess({"remove_kept": True})
    print(f"kept servers that were removed: {process.request()['removed']}")
    process.end()
    return 0


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the server while the first tests run, if a test of this process needs it."""
    config = session.config
    if not config.option.collectonly and any(FIXTURE in getattr(item, "fixturenames", ()) for item in session.items):
        config.stash[_SERVER] = PostgresProcess(_options(config))


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the server."""
    if _SERVER in config.stash:
        config.stash[_SERVER].end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the database of a test that failed, if that is wanted."""
    report = yield
    clone = item.stash.get(_CLONE, None)
    if report.failed and clone and item.config.getoption("--pg-keep"):
        del item.stash[_CLONE]
        command = item.config.stash[_SERVER].request(f"keep {clone.name}")["command"]
        report.user_properties.append((_KEPT, command))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how the databases that were kept are opened and removed; with xdist the reports are the workers'."""
    reports = [report for kind in ("failed", "error") for report in terminalreporter.stats.get(kind, [])]
    kept = [(report.nodeid, text) for report in reports for name, text in report.user_properties if name == _KEPT]
    if kept:
        terminalreporter.section("databases that were kept for a day")
        for nodeid, command in kept:
            terminalreporter.write_line(f"{nodeid}\n  {command}")
        terminalreporter.write_line("remove them before:\n  pytest --pg-remove-kept")


@pytest.fixture(scope="session")
def pg_server(request: pytest.FixtureRequest) -> PostgresProcess:
    """Return the server of this process; `with pg_server.clone() as database` is for fixtures of other scopes."""
    stash = request.config.stash
    if _SERVER not in stash:  # a fixture that was asked for by request.getfixturevalue
        stash[_SERVER] = PostgresProcess(_options(request.config))
    return stash[_SERVER]


@pytest.fixture
def pg_database(request: pytest.FixtureRequest, pg_server: PostgresProcess) -> Iterator[Clone]:
    """Yield a database that no other test has, with what the modules create, and no more."""
    stash: pytest.Stash = request.node.stash
    with pg_server.clone(keep=lambda: _CLONE not in stash) as clone:
        stash[_CLONE] = clone
        yield clone


@pytest.fixture
def database_url(pg_database: Clone) -> str:
    """Return the URL of the test's database for SQLAlchemy with psycopg."""
    return pg_database.url()


@pytest.fixture
def async_database_url(pg_database: Clone) -> str:
    """Return the URL of the test's database for SQLAlchemy with asyncpg."""
    return pg_database.async_url()


@pytest.fixture
def database_dsn(pg_database: Clone) -> str:
    """Return the URI of the test's database for libpq, psycopg, psql and asyncpg."""
    return pg_database.dsn()


def _options(config: pytest.Config) -> dict[str, Any]:
    """Return the options as the server's process takes them; raises UsageError."""
    options = {name: config.getoption(f"--pg-{name}") or config.getini(f"pg_{name}") for name in _OPTIONS}
    options["role"] = options["role"] or ROLES[0]
    if options["role"] not in ROLES:
        raise pytest.UsageError(f"pg_role: found {options['role']}; allowed are {', '.join(ROLES)}")
    return {
        **options,
        "root": str(config.rootpath),
        "extensions": config.getini("pg_extensions"),
        "workers": int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")),
    }
