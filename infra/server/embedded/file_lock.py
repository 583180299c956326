"""One caller at a time: a lock on a file, held by flock(2), which the kernel lets go of when its holder dies."""

from __future__ import annotations

import errno
import os
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.errors import BusyError, ServerError
from infra.server.embedded.directory import make_root

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

if sys.platform != "win32":
    import fcntl

_WAIT_SECONDS = 300.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Lock:
    """A held lock; `remove()` takes the file away with it, when nothing is left that it would protect."""

    path: Path

    def remove(self) -> None:
        """Unlink the file while it is still held: whoever waits for it sees that and locks a new one."""
        self.path.unlink(missing_ok=True)


@contextmanager
def file_locked(path: Path, *, seconds: float = _WAIT_SECONDS) -> Generator[Lock]:
    """Hold the lock file `path` (made when missing); BusyError, which names the holder's pid, after `seconds`."""
    descriptor = _acquire(path, time.monotonic() + seconds, seconds)
    try:
        yield Lock(path)
    finally:
        os.close(descriptor)


def _acquire(path: Path, deadline: float, seconds: float) -> int:
    while True:
        try:
            make_root(path.parent)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError:  # the directory went away between the two lines
            continue
        except PermissionError as error:
            raise ServerError(
                f"may not be written by this user (uid {os.getuid()})",
                place=str(error.filename),
                remedy="run as the user who made the server, or choose another data root",
            ) from None
        try:
            if _try(descriptor) and _is_still(path, descriptor):
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
                f"process {holder} has held this server's lock for {seconds:g} s",
                place=str(path),
                remedy="let it finish, or end it, and try again",
            )
        time.sleep(_POLL_SECONDS)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            return False
        raise
    return True


def _is_still(path: Path, descriptor: int) -> bool:
    """Say whether the path still means the locked file: its last holder may have removed it."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
