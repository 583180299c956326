"""A simulated machine: an empty home, a PATH with the programs that a test adds, an empty .tools."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "toolchain"))

import local_state
import parts

CLEARED = ("PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN", "PULUMI_CREDENTIALS_PATH", "PULUMI_HOME", "SETUP")


@dataclass(frozen=True)
class Machine:
    """The folders of a simulated machine."""

    home: Path
    bin: Path
    tools: Path
    state: Path

    def program(self, name: str, script: str) -> Path:
        """Write a program on the machine's PATH, and return its path."""
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Return a machine without Go, without Pulumi, and without any state."""
    machine = Machine(*(tmp_path / name for name in ("home", "bin", "tools", "state")))
    machine.home.mkdir()
    machine.bin.mkdir()
    for name in (*CLEARED, "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(machine.home))
    monkeypatch.setenv("PATH", os.pathsep.join([str(machine.bin), "/usr/bin", "/bin"]))
    monkeypatch.setattr(parts, "TOOLS", machine.tools)
    monkeypatch.setattr(local_state, "STATE", machine.state)
    parts.installed_pulumi.cache_clear()
    return machine
