"""A Pulumi program with its own folder and stack, run as `make up` runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.rounds import Cost, cost_of

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "toolchain"))

from environment import environment  # noqa: E402 (toolchain/ is no package)
from local_state import file_backend  # noqa: E402

STACK = "bench"
VERBS = {"up": ["--yes", "--skip-preview"], "preview": [], "destroy": ["--yes", "--skip-preview"]}


class Program:
    """A Pulumi program: a folder with Pulumi.yaml, __main__.py, a link to the project's .venv, and a file backend."""

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
        """Run pulumi and return its output; raises RuntimeError with that output when pulumi fails."""
        result = subprocess.run(
            ["pulumi", *arguments, "--stack", STACK],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if result.returncode:
            raise RuntimeError(result.stdout)
        return result.stdout

    def make_stack(self) -> None:
        """Create the stack."""
        self.pulumi("stack", "select", "--create")

    def run_verb(self, verb: str) -> Cost:
        """Run up, preview or destroy, and return the cost."""
        return cost_of(lambda: self.pulumi(verb, "--non-interactive", *VERBS[verb]))

    def up(self) -> Cost:
        """Run `up` as `make up` does, and return the cost."""
        return self.run_verb("up")

    def preview(self) -> Cost:
        """Run `preview`, and return the cost."""
        return self.run_verb("preview")

    def resources(self) -> list[dict[str, Any]]:
        """Return the resources of the state, with their secrets decrypted."""
        return json.loads(self.pulumi("stack", "export", "--show-secrets"))["deployment"].get("resources", [])

    def size_of_state(self) -> int:
        """Return the size of the stack's state file in bytes."""
        (path,) = self.state.glob(f".pulumi/stacks/**/{STACK}.json")
        return path.stat().st_size
