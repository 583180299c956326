"""The peak memory of the providers' host of a running `pulumi`, read from /proc (Linux)."""

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
    """The greatest memory of any watched host, in MiB."""

    def __init__(self) -> None:
        self.megabytes = 0.0


@contextmanager
def peak_of_host(folder: Path) -> Generator[Peak]:
    """Watch the hosts whose working directory is `folder`, and yield their peak, which is complete after the block."""
    peak, ended = Peak(), threading.Event()

    def poll() -> None:
        while not ended.wait(EVERY_SECONDS):
            for process in Path("/proc").iterdir():
                if process.name.isdigit():
                    peak.megabytes = max(peak.megabytes, _peak_of(process, folder))

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()


def _peak_of(process: Path, folder: Path) -> float:
    """Return a process's peak (VmHWM, proc(5)) in MiB, 0 for any process but a host that works in the folder."""
    try:
        if b"-m\0pulumi.dynamic" not in process.joinpath("cmdline").read_bytes():
            return 0.0
        if process.joinpath("cwd").resolve() != folder.resolve():
            return 0.0
        match = re.search(r"VmHWM:\s+([0-9]+) kB", process.joinpath("status").read_text())
    except OSError:  # the process has ended meanwhile
        return 0.0
    return int(match[1]) / 1024 if match else 0.0
