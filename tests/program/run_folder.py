"""The folder of a test process, with its checkouts and servers; the next run removes what a killed one has left."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TextIO

from tests.program.state import processes_in

PREFIX, PARENT = "platform-postgres-tests-", Path("/var/tmp")
_LOCK = "lock"
_held: list[TextIO] = []


@cache
def run_folder() -> Path:
    """Return the folder of this process, which the servers' system user can enter, locked until it ends."""
    alone = os.open(PARENT, os.O_RDONLY)
    try:
        fcntl.flock(alone, fcntl.LOCK_EX)
        remove_abandoned(PARENT)
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=PARENT))
        folder.chmod(0o755)
        lock = (folder / _LOCK).open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    finally:
        os.close(alone)
    _held.append(lock)
    return folder


def remove_abandoned(parent: Path) -> None:
    """Remove the folders of processes that were killed, with what runs in them."""
    for lock in parent.glob(f"{PREFIX}*/{_LOCK}"):
        if lock.stat().st_uid != os.getuid():
            continue
        with lock.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:  # its process lives
                continue
            for pid in processes_in(lock.parent):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            shutil.rmtree(lock.parent, ignore_errors=True)


def new_checkout() -> Path:
    """Make a folder for a checkout."""
    return Path(tempfile.mkdtemp(prefix="checkout-", dir=run_folder()))
