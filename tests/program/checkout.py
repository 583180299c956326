"""A checkout of its own, in which tests run the targets of the Makefile as a person does."""

from __future__ import annotations

import os
import secrets
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from tests.program.project import Run
from tests.program.test_commands import UNLIKE, copy_checkout

SECONDS = 180
_MARK = "PLATFORM_POSTGRES_TEST"


class Checkout:
    """A copy of this project with its own state in `.state/`, and one stack."""

    def __init__(self, folder: Path, stack: str, **variables: str) -> None:
        self.folder = folder
        self.stack = stack
        self._mark = secrets.token_hex(8)
        kept = {name: value for name, value in os.environ.items() if not UNLIKE.fullmatch(name)}
        self.env = kept | variables | {_MARK: self._mark}
        copy_checkout(folder)

    def configure(self, **settings: Any) -> None:  # noqa: ANN401 (any setting)
        """Write the stack's file."""
        config = {f"platform-postgres:{name}": value for name, value in settings.items()}
        (self.folder / f"Pulumi.{self.stack}.yaml").write_text(yaml.safe_dump({"config": config}))

    def start(self, target: str, arguments: str = "") -> subprocess.Popen[str]:
        """Start a target in a session of its own, and do not wait for it."""
        return subprocess.Popen(
            ["make", target, f"STACK={self.stack}", f"ARGS={arguments}"],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def run(self, target: str, arguments: str = "") -> Run:
        """Run a target, and return its exit status and what it said."""
        with self.start(target, arguments) as process:
            text, _ = process.communicate(timeout=SECONDS)
        return Run(process.returncode, text)

    def make(self, target: str, arguments: str = "") -> str:
        """Run a target that must succeed, and return what it said."""
        done = self.run(target, arguments)
        assert done.status == 0, done.text
        return done.text

    def processes(self) -> dict[int, str]:
        """Return what the targets have started and still runs, by process; a server that they leave is not among it."""
        found: dict[int, str] = {}
        mark = f"{_MARK}={self._mark}".encode()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    if mark in (entry / "environ").read_bytes().split(b"\0"):
                        words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                        found[int(entry.name)] = " ".join(words).strip()
        return found
