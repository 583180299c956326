"""A lock on a file for one process or thread at a time: flock(2), which the kernel releases when its holder ends."""

from __future__ import annotations

import errno
import os
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.errors import BusyError, ServerError
from infra.server.embedded.directory import create_root

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

if sys.platform != "win32":
    import fcntl

_WAIT_SECONDS = 300.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Lock:
    """A lock that is held; remove() deletes its file when nothing is left to protect."""

    path: Path

    def remove(self) -> None:
        """Unlink the file while the lock is held: a waiting process notices that and locks a new file."""
        self.path.unlink(missing_ok=True)


@contextmanager
def file_locked(path: Path, *, seconds: float = _WAIT_SECONDS) -> Generator[Lock]:
    """Hold the lock file `path` (created when missing); raise BusyError with the holder's pid after `seconds`."""
    descriptor = _acquire(path, time.monotonic() + seconds, seconds)
    try:
        yield Lock(path)
    finally:
        os.close(descriptor)


def _acquire(path: Path, deadline: float, seconds: float) -> int:
    while True:
        try:
            create_root(path.parent)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError:  # the directory was removed between the two calls
            continue
        except PermissionError as error:
            raise ServerError(
                f"may not be written by this user (uid {os.getuid()})",
                place=str(error.filename),
                remedy="run as the user who created the server, or choose another data root",
            ) from None
        try:
            if _try_lock(descriptor) and _is_current(path, descriptor):
                os.truncate(descriptor, 0)
                os.pwrite(descriptor, str(os.getpid()).encode(), 0)
                return descriptor
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace")
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        if time.monotonic() > deadline:
            raise BusyError(
                f"process {holder} has held this lock for {seconds:g} s",
                place=str(path),
                remedy="let it finish, or end it, and try again",
            )
        time.sleep(_POLL_SECONDS)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            return False
        raise
    return True


def _is_current(path: Path, descriptor: int) -> bool:
    """Return whether `path` still names the locked file: its previous holder may have removed it."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
