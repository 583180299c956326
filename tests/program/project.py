"""A project with the program, the modules of the fixture and a state of its own, in which tests run the real pulumi."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import yaml
from environment import environment

from tests.fixture_schema import SQL
from tests.program.state import named, processes_in

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tests.program.homes import Home

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("__main__.py", "requirements.txt")
LINKED = ("infra", ".venv")
"""What no test edits; a link shares the compiled files as well."""

PULUMI_YAML = """\
name: platform-postgres
runtime: {name: python, options: {toolchain: pip, virtualenv: .venv}}
config:
  extensions: {type: array, items: {type: string}, default: [uuid-ossp, pgcrypto, pg_trgm]}
"""

STACK = "test"
WAITING_SECONDS = 30
SECONDS = 180


@dataclass(frozen=True)
class Run:
    """What a command said, both streams together, and its exit status."""

    status: int
    text: str


class Project:
    """One checkout, one stack, and the home of its server."""

    def __init__(self, folder: Path, home: Home, stack: str = STACK) -> None:
        self.folder = folder
        self.mark = hashlib.sha256(str(folder).encode()).hexdigest()[:8]  # tells this checkout's server from another's
        self.home = home
        self.stack = stack
        self._outputs: dict[str, Any] | None = None
        self.env = environment() | {
            "PULUMI_CONFIG_PASSPHRASE": "a passphrase for tests",
            "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
        }
        for name in ("PULUMI_CONFIG_PASSPHRASE_FILE", "CI"):  # CI decides what a preview fails on
            self.env.pop(name, None)
        self.settings: dict[str, Any] = {"databases": ["app_db"]}

    @property
    def state(self) -> Path:
        """The folder of the state."""
        return self.folder / "state"

    def make(self) -> None:
        """Fill the folder, and make the stack."""
        self.add("Pulumi.yaml", PULUMI_YAML)
        shutil.copytree(SQL, self.folder / "sql")
        for part in COPIED:
            shutil.copyfile(ROOT / part, self.folder / part)
        for part in LINKED:
            (self.folder / part).symlink_to(ROOT / part)
        self.state.mkdir()
        self.home.settle(self)
        self.configure()
        self.pulumi("stack", "init", self.stack)

    def configure(self, **settings: Any) -> None:  # noqa: ANN401 (any setting)
        """Write the stack's file; what is given replaces what was there, None takes it away."""
        self.settings = {name: value for name, value in (self.settings | settings).items() if value is not None}
        file = self.folder / f"Pulumi.{self.stack}.yaml"
        kept: dict[str, Any] = yaml.safe_load(file.read_text()) if file.exists() else {}
        kept["config"] = {f"platform-postgres:{name}": value for name, value in self.settings.items()}
        file.write_text(yaml.safe_dump(kept))

    def serve(self, **settings: Any) -> None:  # noqa: ANN401 (any setting)
        """Write the stack's file with other settings in its `server` group."""
        self.configure(server={**self.settings["server"], **settings})

    def start(self, *arguments: str, program: str = "pulumi") -> subprocess.Popen[str]:
        """Start pulumi and do not wait; SIGINT reaches it whatever the test run's shell did."""
        if arguments[0] != "stack":
            self._outputs = None
        with default_interrupt():
            return subprocess.Popen(
                [program, *arguments],
                cwd=self.folder,
                env=self.env | {"PULUMI_BACKEND_URL": f"file://{self.state}"},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )

    def run(self, *arguments: str) -> Run:
        """Run pulumi and give what it said."""
        return finished(self.start(*arguments))

    def run_python(self, *arguments: str) -> Run:
        """Run the checkout's Python and give what it said."""
        return finished(self.start(*arguments, program=str(self.folder / ".venv" / "bin" / "python")))

    def pulumi(self, *arguments: str) -> str:
        """Run pulumi and give its text; an assertion fails with that text when pulumi does."""
        done = self.run(*arguments)
        assert done.status == 0, done.text
        return done.text

    def line(self, verb: str) -> list[str]:
        """Return the command line of up, preview, refresh or destroy on the stack."""
        yes = [] if verb == "preview" else ["--yes"]
        skip = ["--skip-preview"] if verb in {"up", "refresh", "destroy"} else []
        return [verb, "--stack", self.stack, "--non-interactive", *yes, *skip]

    def verb(self, verb: str, *arguments: str) -> Run:
        """Run up, preview, refresh or destroy on the stack."""
        return self.run(*self.line(verb), *arguments)

    def up(self, *arguments: str) -> str:
        """Run `up`, which must succeed."""
        done = self.verb("up", *arguments)
        assert done.status == 0, done.text
        return done.text

    def refused(self, verb: str, *arguments: str) -> str:
        """Run a verb that must fail, and without a traceback; give what it said."""
        done = self.verb(verb, *arguments)
        assert done.status != 0, done.text
        assert "Traceback" not in done.text, done.text
        return done.text

    def preview(self, *arguments: str) -> str:
        """Run `preview --diff`, which must succeed."""
        done = self.verb("preview", "--diff", *arguments)
        assert done.status == 0, done.text
        return done.text

    def destroy(self) -> str:
        """Run `destroy`, which must succeed."""
        done = self.verb("destroy")
        assert done.status == 0, done.text
        return done.text

    def outputs(self) -> dict[str, Any]:
        """Return the stack's outputs, secrets included."""
        known = self._outputs
        if known is None:
            known = json.loads(self.pulumi("stack", "output", "--json", "--show-secrets", "--stack", self.stack))
            self._outputs = known
        return known

    def exported(self) -> dict[str, Any]:
        """Return the stack's state, secrets decrypted."""
        return json.loads(self.pulumi("stack", "export", "--show-secrets", "--stack", self.stack))

    def resource(self, name: str) -> dict[str, Any]:
        """Return one resource of the state by its name."""
        return named(self.exported(), name)

    def sql(self, query: str, *, role: str = "migrator", database: str = "app_db") -> list[tuple[Any, ...]]:
        """Run a query as one of the roles; commits."""
        with psycopg.connect(self.outputs()["dsn"][database][role]) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def connect(self, database: str = "app_db", application: str = "a test") -> psycopg.Connection[tuple[Any, ...]]:
        """Log in as a superuser, also when the stack has no outputs yet."""
        return psycopg.connect(**self.home.way(self), dbname=database, application_name=application)

    def admin(self, query: str, *, database: str = "app_db") -> list[tuple[Any, ...]]:
        """Run a query as a superuser; commits."""
        with self.connect(database) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def ledger(self, database: str = "app_db") -> list[str]:
        """Return the numbers of the modules that the ledger holds."""
        query = "SELECT left(module, 2) FROM sqlmodule.ledger ORDER BY 1"
        return [row[0] for row in self.admin(query, database=database)]

    def tables(self, name: str, database: str = "app_db") -> list[str]:
        """Return the tables of a name, in any schema."""
        query = f"SELECT schemaname || '.' || tablename FROM pg_tables WHERE tablename = '{name}'"
        return [row[0] for row in self.admin(query, database=database)]

    def fingerprint(self) -> str:
        """Return the fingerprint that the last run put out."""
        return self.outputs()["fingerprint"]["app_db"]

    def edit(self, path: str, before: str, after: str) -> None:
        """Replace text in a file, which must hold it."""
        file = self.folder / path
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after))

    def add(self, path: str, text: str) -> None:
        """Write a new file."""
        (self.folder / path).write_text(text)

    def twin(self, folder: Path) -> Project:
        """Return the same stack with the same server in another checkout, with a copy of the state."""
        shutil.copytree(self.folder, folder, symlinks=True, dirs_exist_ok=True)
        twin = Project(folder, self.home, self.stack)
        twin.mark = self.mark
        twin.env |= self.env
        twin.settings = json.loads(json.dumps(self.settings))
        return twin

    def remove(self) -> None:
        """Remove the server and the checkout without pulumi: quick, and whatever state they are in."""
        for pid in processes_in(self.folder):  # a killed pulumi's plugins run on
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.home.remove(self)
        shutil.rmtree(self.folder)


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds; an assertion names what did not."""
    deadline = time.monotonic() + WAITING_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"waited {WAITING_SECONDS} s in vain: {what}"
        time.sleep(0.1)


def finished(process: subprocess.Popen[str]) -> Run:
    """Wait for a started pulumi, and give what it said."""
    try:
        text, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return Run(process.returncode, text)


@contextmanager
def default_interrupt() -> Generator[None]:
    """Start children with the default action for SIGINT, as a terminal does."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
