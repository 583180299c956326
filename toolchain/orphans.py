"""Plugins whose `pulumi` was killed: they would run on until they next ask for it, or for ever."""

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
            if (
                _is_plugin(process)
                and not _has_pulumi(process)
                and mark in (process / "environ").read_bytes().split(b"\0")
            ):
                os.kill(int(process.name), signal.SIGKILL)


def _is_plugin(process: Path) -> bool:
    """Return whether a process is a plugin, or the Python that one of them, a script, has started for resources."""
    return _name(process).startswith("pulumi-") or b"pulumi.dynamic" in (process / "cmdline").read_bytes().split(b"\0")


def _has_pulumi(process: Path) -> bool:
    """Return whether `pulumi` has started a process, itself or by a plugin."""
    parent = _parent(process)
    while _name(parent).startswith("pulumi-"):
        parent = _parent(parent)
    return _name(parent) == "pulumi"


def _name(process: Path) -> str:
    """Return the first 15 characters of a program's name (proc(5), comm)."""
    return (process / "comm").read_text().rstrip("\n")


def _parent(process: Path) -> Path:
    """Return the parent: the second field after the name, which may have any character (proc(5), stat)."""
    return _PROCESSES / (process / "stat").read_text().rpartition(")")[2].split()[1]
