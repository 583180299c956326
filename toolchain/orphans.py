"""Plugins whose `pulumi` was killed: they would run on for up to five minutes, until they next ask for it."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

import parts

_PROCESSES = Path("/proc")


def end_orphans() -> None:
    """End the plugins that a `pulumi` of this checkout has started and that have lost it; only Linux tells which."""
    mark = f"VIRTUAL_ENV={parts.VENV}".encode()
    for process in _PROCESSES.glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is another user's
            is_orphan = _name(process).startswith("pulumi-") and _name(_parent(process)) != "pulumi"
            if is_orphan and mark in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)


def _name(process: Path) -> str:
    """Return the first 15 characters of a program's name (proc(5), comm)."""
    return (process / "comm").read_text().rstrip("\n")


def _parent(process: Path) -> Path:
    """Return the parent: the second field after the name, which may have any character (proc(5), stat)."""
    return _PROCESSES / (process / "stat").read_text().rpartition(")")[2].split()[1]
