"""A copy of the project with a state of its own, in which tests run the real pulumi."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "toolchain"))

from environment import environment  # noqa: E402 (toolchain/ is no package)

if TYPE_CHECKING:
    from collections.abc import Generator

PARTS = ("Pulumi.yaml", "__main__.py", "infra", "sql", "requirements.txt")
STACK = "test"
SECONDS = 180
FAST: dict[str, Any] = {"fsync": False, "full_page_writes": False, "synchronous_commit": False}
"""Server settings that make a test's server quick; what they give up is only the survival of a power cut."""


@dataclass(frozen=True)
class Run:
    """What a command said, both streams together, and its exit status."""

    status: int
    text: str


class Project:
    """One checkout, one stack; `data_root` is shared between tests so that the binaries are copied once."""

    def __init__(self, folder: Path, data_root: Path, stack: str = STACK) -> None:
        self.folder = folder
        self.data_root = data_root
        self.stack = stack
        self.state = folder / "state"
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copyfile(source, folder / part)
        (folder / ".venv").symlink_to(ROOT / ".venv")
        self.state.mkdir()
        self.env = environment() | {
            "PULUMI_BACKEND_URL": f"file://{self.state}",
            "PULUMI_CONFIG_PASSPHRASE": "a passphrase for tests",
        }
        self.env.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
        self.settings: dict[str, Any] = {
            "server": {"kind": "embedded", "data_root": str(data_root), "settings": dict(FAST)},
            "databases": ["app_db", "app_test"],
        }
        self.configure()
        self.pulumi("stack", "init", stack)

    def configure(self, **settings: Any) -> None:  # noqa: ANN401 (any setting)
        """Write the stack's file; what is given replaces what was there, None takes it away."""
        self.settings = {name: value for name, value in (self.settings | settings).items() if value is not None}
        file = self.folder / f"Pulumi.{self.stack}.yaml"
        kept: dict[str, Any] = yaml.safe_load(file.read_text()) if file.exists() else {}
        kept["config"] = {f"platform-postgres:{name}": value for name, value in self.settings.items()}
        file.write_text(yaml.safe_dump(kept))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start pulumi and do not wait; SIGINT reaches it whatever the test run's shell did."""
        with default_interrupt():
            return subprocess.Popen(
                ["pulumi", *arguments],
                cwd=self.folder,
                env=self.env,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )

    def run(self, *arguments: str) -> Run:
        """Run pulumi and give what it said."""
        process = self.start(*arguments)
        try:
            text, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return Run(process.returncode, text)

    def pulumi(self, *arguments: str) -> str:
        """Run pulumi and give its text; an assertion fails with that text when pulumi does."""
        done = self.run(*arguments)
        assert done.status == 0, done.text
        return done.text

    def verb(self, verb: str, *arguments: str) -> Run:
        """Run up, preview, refresh or destroy on the stack."""
        yes = [] if verb == "preview" else ["--yes"]
        skip = ["--skip-preview"] if verb in {"up", "refresh", "destroy"} else []
        return self.run(verb, "--stack", self.stack, "--non-interactive", *yes, *skip, *arguments)

    def up(self, *arguments: str) -> str:
        """Run `up`, which must succeed."""
        done = self.verb("up", *arguments)
        assert done.status == 0, done.text
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
        """Give the stack's outputs, secrets included."""
        return json.loads(self.pulumi("stack", "output", "--json", "--show-secrets", "--stack", self.stack))

    def exported(self) -> dict[str, Any]:
        """Give the stack's state, secrets decrypted."""
        return json.loads(self.pulumi("stack", "export", "--show-secrets", "--stack", self.stack))

    def resource(self, name: str) -> dict[str, Any]:
        """Give one resource of the state by its name."""
        resources = self.exported()["deployment"]["resources"]
        return next(one for one in resources if one["urn"].endswith(f"::{name}"))

    def sql(self, query: str, *, role: str = "migrator", database: str = "app_db") -> list[tuple[Any, ...]]:
        """Run a query as one of the roles; commits."""
        with psycopg.connect(self.outputs()["dsn"][database][role]) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def admin(self, query: str, *, database: str = "app_db") -> list[tuple[Any, ...]]:
        """Run a query as the server's admin, also when the stack has no outputs yet; commits."""
        secret = json.loads(self.resource("admin-password")["outputs"]["passwords"]["plaintext"])
        port = int(self.resource("server")["outputs"]["listen_port"])
        with psycopg.connect(
            host="127.0.0.1", port=port, dbname=database, user="postgres", password=secret["postgres"]
        ) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def ledger(self, database: str = "app_db") -> list[str]:
        """Give the numbers of the modules that the ledger holds."""
        query = "SELECT left(module, 2) FROM sqlmodule.ledger ORDER BY 1"
        return [row[0] for row in self.admin(query, database=database)]

    def tables(self, name: str, database: str = "app_db") -> list[str]:
        """Give the tables of a name, in any schema."""
        query = f"SELECT schemaname || '.' || tablename FROM pg_tables WHERE tablename = '{name}'"
        return [row[0] for row in self.admin(query, database=database)]

    def edit(self, path: str, before: str, after: str) -> None:
        """Replace text in a file, which must hold it."""
        file = self.folder / path
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after))

    @property
    def base(self) -> Path:
        """The folder of the stack's server."""
        (found,) = (path for path in self.data_root.iterdir() if path.name == f"{self.stack}-{self.mark}")
        return found

    @property
    def mark(self) -> str:
        """What tells this checkout's server from that of another."""
        return hashlib.sha256(str(self.folder).encode()).hexdigest()[:8]

    def postmaster(self) -> int:
        """Give the pid of the stack's server."""
        return int((self.base / "data" / "postmaster.pid").read_text().splitlines()[0])


@contextmanager
def default_interrupt() -> Generator[None]:
    """Let children start with SIGINT as a terminal would give it to them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
