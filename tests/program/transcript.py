"""Pages with a transcript: each command, typed in a new checkout, prints what the page says.

`GOLDEN=write` in the environment writes what they print into the page; read it afterwards as a newcomer would.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from typing import TYPE_CHECKING

from tests.program.test_commands import UNLIKE, copy_checkout

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = re.compile(r"```console\n\$ (.*)\n((?:.*\n)*?)```\n")
FILES = ("Pulumi*.yaml", "migrations", "models", "sql")
OF_RESOURCES = re.compile(r"@ |( [-+~]|   ) +[\w-]+:[\w/]+:\w+ ")
"""The lines of Pulumi's progress: one for each resource and moment."""
COMMIT = (
    ("init", "--quiet", "--initial-branch=main"),
    ("config", "user.name", "Ada"),
    ("config", "user.email", "ada@example.com"),
    ("add", *FILES),
    ("commit", "--quiet", "--message=A platform"),
)
DIFFERING = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<time>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "<address>"),
    (re.compile(r"Duration: .*"), "Duration: <time>"),
    (re.compile(r"\[Makefile:\d+:"), "[Makefile:"),
    (re.compile(r"until \d{4}-12-31: the reason"), "until <day>: the reason"),
]


def printed(folder: Path, command: str) -> str:
    """Run a command in a checkout, and return its output without progress and blank lines."""
    kept = {name: value for name, value in os.environ.items() if not UNLIKE.fullmatch(name) and name != "CI"}
    done = subprocess.run(
        shlex.split(command),
        cwd=folder,
        env=kept,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    shown = [line for line in lines if line and not OF_RESOURCES.match(line)]
    return "".join(f"{line}\n" for line in shown)


def stable(text: str) -> str:
    """Return a text without what differs from run to run."""
    for pattern, word in DIFFERING:
        text = pattern.sub(word, text)
    return text


def type_page(page: Path, folder: Path) -> None:
    """Type the commands of a page in a new checkout, and compare what they print, or write it into the page.

    Its branch is main, with one commit. Databases are worked on at the same time, so that the order of lines is not
    compared.
    """
    copy_checkout(folder)
    for command in COMMIT:
        subprocess.run(["git", *command], cwd=folder, check=True)
    text = page.read_text("utf-8")
    new = text
    try:
        for command, expected in BLOCK.findall(text):
            found = printed(folder, command)
            new = new.replace(f"$ {command}\n{expected}```", f"$ {command}\n{found}```", 1)
            if os.environ.get("GOLDEN") != "write":
                assert sorted(stable(found).splitlines()) == sorted(stable(expected).splitlines()), command
    finally:
        subprocess.run(["make", "destroy"], cwd=folder, capture_output=True, check=False)
    if os.environ.get("GOLDEN") == "write":
        page.write_text(new, encoding="utf-8")
