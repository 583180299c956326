"""docs/your-own-schema.md does what it says: its files and commands, in an empty folder."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.own_schema import PAGE, page_files, write_page_files

pytestmark = pytest.mark.database

ROOT = Path(__file__).parents[3]
COMMAND = re.compile(r"^\$ python (.*)\n((?:(?!\$ |```).*\n)*)", re.MULTILINE)


@pytest.mark.full
def test_the_page_about_a_schema_of_your_own_is_true(tmp_path: Path) -> None:
    """Every command succeeds and prints what the page shows, with the page's files in place of this project's."""
    names = ["Pulumi.dev.yaml", "Pulumi.yaml", "orders.sql", "shop/models.py", "sql/modules.yaml"]
    assert sorted(page_files()) == names
    write_page_files(tmp_path)
    commands = COMMAND.findall(PAGE.read_text(encoding="utf-8"))
    assert len(commands) == 7
    for command, shown in commands:
        process = subprocess.run(
            [sys.executable, *shlex.split(command)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        printed = "".join(line for line in process.stdout.splitlines(keepends=True) if not line.startswith("note: "))
        assert (process.returncode, printed) == (0, shown), command + process.stderr
