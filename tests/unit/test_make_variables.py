"""A `make` that a test starts is not reached by the arguments of the `make test` that runs the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.make_variables import OF_MAKE, OF_TARGETS, drop_make_variables

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = f"""\
STACK ?= dev
outer:
\t@{sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))'
inner:
\t@echo "STACK=$(STACK) ARGS=$(ARGS)"
"""


def make(folder: Path, *arguments: str, environment: dict[str, str]) -> str:
    """Return what `make` prints in a folder."""
    command = ["make", "-s", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


def test_an_inner_make_has_the_defaults_again(tmp_path: Path) -> None:
    """Options and variables of an outer `make test ARGS=-q STACK=x` reach an inner make, until they are dropped."""
    (tmp_path / "Makefile").write_text(MAKEFILE)
    inherited = json.loads(make(tmp_path, "outer", "ARGS=-q", "STACK=x", "FULL=1", environment=dict(os.environ)))
    assert make(tmp_path, "inner", environment=inherited) == "STACK=x ARGS=-q\n"
    drop_make_variables(inherited)
    assert make(tmp_path, "inner", environment=inherited) == "STACK=dev ARGS=\n"
    assert inherited["FULL"] == "1"


def test_the_test_run_has_dropped_them() -> None:
    """tests/conftest.py removes the variables before the first test, in every process of the run."""
    assert {*OF_MAKE, *OF_TARGETS} & os.environ.keys() == set()


def test_the_lines_of_help_can_be_typed() -> None:
    """Each begins with a target of the Makefile, and what it has of the shell is as the shell wants it."""
    lines = make(ROOT, "help", environment=dict(os.environ)).splitlines()
    assert len(lines) > 20
    for line in lines:
        make(ROOT, "--dry-run", line.split()[0], environment=dict(os.environ))
    text = "\n".join(lines)
    assert 'eval "$(make -s shell)"' in text
    assert "$$" not in text
