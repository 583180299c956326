"""The targets of `make` for a folder of SQL: each runs its command with ARGS."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("target", ["check", "lint", "generate", "diagram", "docs", "review", "revision"])
def test_a_target_takes_args(target: str) -> None:
    """What ARGS has reaches the command of the target's name, here the request for its options."""
    shown = subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    command = shlex.split(shown.splitlines()[-1].rpartition("&&")[2])
    assert command[1:] == ["toolchain/tool.py", "-m", "infra", target]
    variables = {**os.environ, "ARGS": "--help"}
    ended = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, env=variables)
    assert f"infra {target} [OPTIONS]" in ended.stdout
