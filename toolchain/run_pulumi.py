"""Runs `pulumi`; what it writes into a log or a pipe has each error once."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from orphans import end_orphans
from parts import ROOT, SetupError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FrameType

_ROW = re.compile(r"(?P<resource>.{4}\S+:\S+ \S+) (?P<status>.*?)(?:; )? ?(?:error|warning): .*")
"""A line of progress with a message; Pulumi adds it to each line of its resource, and to the diagnostics at the end."""
_DIAGNOSTICS = "Diagnostics:"


def run_pulumi(arguments: list[str], variables: dict[str, str]) -> int:
    """Run `pulumi` and return its exit status.

    A shell starts background jobs with SIGINT ignored, and children inherit that. With a function as its handler here,
    `pulumi` starts with the default action instead (execve(2)). What it leaves running, being killed, is ended.
    """
    program = shutil.which("pulumi", path=variables["PATH"])
    if not program:
        raise SetupError("`pulumi` is not installed; run `make setup`")
    signal.signal(signal.SIGINT, _ignore_interrupt)
    command = [program, *arguments]
    end_orphans()
    try:
        if sys.stdout.isatty():
            return subprocess.Popen(command, cwd=ROOT, env=variables).wait()
        with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True) as process:
            for line in without_repetitions(process.stdout or []):
                print(line, end="", flush=True)
        return process.returncode
    finally:
        end_orphans()


def without_repetitions(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of Pulumi's progress without messages that the diagnostics repeat in full.

    A run that ends without diagnostics keeps them, at the end.
    """
    held: list[str] = []
    lines = iter(lines)
    for line in lines:
        if line.rstrip("\n") == _DIAGNOSTICS:
            held.clear()
            yield line
            yield from lines
            return
        row = _ROW.fullmatch(line.rstrip("\n"))
        if not row:
            yield line
            continue
        held.append(line)
        if "**" in row["status"]:  # it ended: how is said nowhere else
            yield f"{row['resource']} {row['status']}\n"
    yield from held


def _ignore_interrupt(_number: int, _frame: FrameType | None) -> None:
    """Return without doing anything: Ctrl-C reaches Pulumi itself, which ends when its operations have."""
