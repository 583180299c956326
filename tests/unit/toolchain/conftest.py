"""A machine of the tests' own: an empty home, a PATH with nothing but what a test puts there, an empty .tools."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "toolchain"))

import environment as environment_of_runs
import parts

CLEARED = ("PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN", "PULUMI_CREDENTIALS_PATH", "PULUMI_HOME", "SETUP")


@dataclass(frozen=True)
class Machine:
    """The folders of a machine."""

    home: Path
    bin: Path
    tools: Path
    state: Path

    def program(self, name: str, script: str) -> Path:
        """Put a program on the machine's PATH."""
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Give a machine without Go, without Pulumi, and without any state."""
    made = Machine(*(tmp_path / name for name in ("home", "bin", "tools", "state")))
    made.home.mkdir()
    made.bin.mkdir()
    for name in (*CLEARED, "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(made.home))
    monkeypatch.setenv("PATH", os.pathsep.join([str(made.bin), "/usr/bin", "/bin"]))
    monkeypatch.setattr(parts, "TOOLS", made.tools)
    monkeypatch.setattr(environment_of_runs, "STATE", made.state)
    monkeypatch.setattr(environment_of_runs, "PASSPHRASE", made.state / "passphrase")
    parts.installed_pulumi.cache_clear()
    return made
