"""What the providers' host of a running `pulumi` takes of memory at most, read from /proc (Linux)."""

from __future__ import annotations

import re
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

EVERY_SECONDS = 0.1


class Peak:
    """The most memory, in MB, that any watched host has had."""

    def __init__(self) -> None:
        self.megabytes = 0.0


@contextmanager
def peak_of_host(folder: Path) -> Generator[Peak]:
    """Watch the hosts that work in a folder."""
    peak, over = Peak(), threading.Event()

    def look() -> None:
        while not over.wait(EVERY_SECONDS):
            for process in Path("/proc").iterdir():
                if process.name.isdigit():
                    peak.megabytes = max(peak.megabytes, _most(process, folder))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def _most(process: Path, folder: Path) -> float:
    """Give a process's peak in MB, 0 for any other process than a host that works in the folder."""
    try:
        if b"-m\0pulumi.dynamic" not in process.joinpath("cmdline").read_bytes():
            return 0.0
        if process.joinpath("cwd").resolve() != folder.resolve():
            return 0.0
        found = re.search(r"VmHWM:\s+([0-9]+) kB", process.joinpath("status").read_text())
    except OSError:  # it has ended meanwhile
        return 0.0
    return int(found[1]) / 1024 if found else 0.0
