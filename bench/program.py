"""A Pulumi program with a stack of its own in a folder of its own, run as `make up` runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.rounds import Cost, cost_of

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "toolchain"))

from environment import environment, file_backend  # noqa: E402 (toolchain/ is no package)

STACK = "bench"
VERBS = {"up": ["--yes", "--skip-preview"], "preview": [], "destroy": ["--yes", "--skip-preview"]}


class Program:
    """A folder with a Pulumi.yaml and a __main__.py, the project's own .venv, and a file backend beside them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        folder.mkdir(parents=True)
        (folder / ".venv").symlink_to(ROOT / ".venv")
        self.state.mkdir()
        self.env = environment() | {
            "PULUMI_BACKEND_URL": file_backend(self.state),
            "PULUMI_CONFIG_PASSPHRASE": "a passphrase for measuring",
        }
        self.env.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)

    def pulumi(self, *arguments: str) -> str:
        """Run pulumi; where it fails, what it said is the error."""
        done = subprocess.run(
            ["pulumi", *arguments, "--stack", STACK],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stdout)
        return done.stdout

    def make_stack(self) -> None:
        """Make the stack known."""
        self.pulumi("stack", "select", "--create")

    def verb(self, verb: str) -> Cost:
        """Run up, preview or destroy, and give what it cost."""
        return cost_of(lambda: self.pulumi(verb, "--non-interactive", *VERBS[verb]))

    def up(self) -> Cost:
        """Run `up` as `make up` does."""
        return self.verb("up")

    def preview(self) -> Cost:
        """Run `preview`."""
        return self.verb("preview")

    def exported(self) -> list[dict[str, Any]]:
        """Give the resources of the state, secrets decrypted."""
        return json.loads(self.pulumi("stack", "export", "--show-secrets"))["deployment"]["resources"]

    def size_of_state(self) -> int:
        """Give the bytes of the stack's state file."""
        (found,) = self.state.glob(f".pulumi/stacks/**/{STACK}.json")
        return found.stat().st_size
