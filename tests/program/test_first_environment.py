"""The transcript of docs/first-environment.md: its commands, typed in a new checkout, print what it says.

`GOLDEN=write` in the environment writes what they print into the page; read it afterwards as a newcomer would.
"""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.program.project import ROOT
from tests.program.test_commands import UNLIKE, copy_checkout

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.full

PAGE = ROOT / "docs" / "first-environment.md"
BLOCK = re.compile(r"```console\n\$ (.*)\n((?:.*\n)*?)```\n")
OF_RESOURCES = re.compile(r"@ |( [-+~]|   ) +[\w-]+:[\w/]+:\w+ ")
"""The lines of Pulumi's progress: one for each resource and moment."""
DIFFERING = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<time>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "<address>"),
    (re.compile(r"Duration: .*"), "Duration: <time>"),
]


def printed(folder: Path, command: str) -> str:
    """Run a command in a checkout, and return its output without progress and blank lines."""
    kept = {name: value for name, value in os.environ.items() if not UNLIKE.fullmatch(name) and name != "CI"}
    done = subprocess.run(
        command.split(), cwd=folder, env=kept, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    shown = [line for line in lines if line and not OF_RESOURCES.match(line)]
    return "".join(f"{line}\n" for line in shown)


def stable(text: str) -> str:
    """Return a text without what differs from run to run."""
    for pattern, word in DIFFERING:
        text = pattern.sub(word, text)
    return text


def test_a_newcomer_sees_what_the_page_shows(tmp_path: Path) -> None:
    """From `make up` to an environment and its removal, and to a machine on which nothing of it is left."""
    copy_checkout(tmp_path)
    text = PAGE.read_text("utf-8")
    new = text
    try:
        for command, expected in BLOCK.findall(text):
            found = printed(tmp_path, command)
            new = new.replace(f"$ {command}\n{expected}```", f"$ {command}\n{found}```", 1)
            if os.environ.get("GOLDEN") != "write":
                assert stable(found) == stable(expected), command
    finally:
        subprocess.run(["make", "destroy"], cwd=tmp_path, capture_output=True, check=False)
    if os.environ.get("GOLDEN") == "write":
        PAGE.write_text(new, encoding="utf-8")
    assert not (tmp_path / ".state").exists()
    assert not list(tmp_path.glob(".env.*"))
