"""The directories of private servers: created under a lock, and removed with what runs in them."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import BusyError
from infra.server.embedded import processes
from infra.server.embedded.directory import remove_tree
from infra.server.embedded.file_lock import file_locked
from infra.server.embedded.service_account import service_account

if TYPE_CHECKING:
    from collections.abc import Generator

FOLDER_PREFIX = "platform-postgres-check-"
MEMORY = Path("/dev/shm")  # noqa: S108 (only a new directory in it is used)
MIN_FREE_BYTES = 1 << 30
KEPT_SECONDS = 24 * 60 * 60
_KEPT = "kept"
NOT_YET_LOCKED_SECONDS = 60  # a younger directory without a lock is being created


def base_directories(data_bytes: int = 0) -> list[Path]:
    """Return the directories for private servers, the preferred one first: in memory, then the temporary directory.

    `data_bytes` is how much the server will hold beside what every one does.
    """
    return [*([MEMORY] if _is_usable(MEMORY, data_bytes) else []), Path(tempfile.gettempdir())]


def _is_usable(memory: Path, data_bytes: int) -> bool:
    """Return whether a file system in memory has space, and lets programs be executed: in containers it may not."""
    if not memory.is_dir():
        return False
    has_programs = not os.statvfs(memory).f_flag & os.ST_NOEXEC
    return has_programs and shutil.disk_usage(memory).free > MIN_FREE_BYTES + data_bytes


@contextmanager
def server_directory(data_bytes: int = 0) -> Generator[Path]:
    """Yield a new directory under a lock, and remove it with its server at the end; those of killed runs at once."""
    for directory in base_directories():
        remove_abandoned(directory)
    while True:
        base = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX, dir=base_directories(data_bytes)[0])).resolve()
        base.chmod(0o711)  # the service account has to enter
        try:
            with file_locked(base / "lock", seconds=0):
                try:
                    yield base
                finally:
                    remove_server(base)
        except BusyError:  # another run has locked it first, as an abandoned one, and removes it
            continue
        return


def remove_abandoned(directory: Path) -> None:
    """Remove the servers of killed runs from a directory, as far as this user owns them."""
    for base in sorted(directory.glob(f"{FOLDER_PREFIX}*")):
        with suppress(FileNotFoundError):
            status = base.lstat()
            is_new = not (base / "lock").exists() and time.time() - status.st_mtime < NOT_YET_LOCKED_SECONDS
            if base.is_dir() and not base.is_symlink() and status.st_uid == os.geteuid() and not is_new:
                with suppress(BusyError), file_locked(base / "lock", seconds=0):
                    remove_server(base)


def keep_server(base: Path) -> None:
    """Mark a server that is to outlive its run: after KEPT_SECONDS the next run removes it, before it remove_kept()."""
    (base / _KEPT).touch()


def is_kept(base: Path) -> bool:
    """Return whether a server is to outlive its run."""
    with suppress(FileNotFoundError):
        return time.time() - (base / _KEPT).stat().st_mtime < KEPT_SECONDS
    return False


def remove_kept() -> int:
    """Remove all servers of this user that were kept, and return how many."""
    kept = [
        base
        for directory in base_directories()
        for base in directory.glob(f"{FOLDER_PREFIX}*")
        if base.stat().st_uid == os.geteuid() and is_kept(base)
    ]
    for base in kept:
        (base / _KEPT).unlink()
        with suppress(BusyError), file_locked(base / "lock", seconds=0):
            remove_server(base)
    return len(kept)


def remove_server(base: Path) -> None:
    """Stop the server of a directory, complete or not, and remove the directory, if it is there and is not kept."""
    if base.is_dir() and not is_kept(base):
        processes.stop_postmaster(base / "data", service_account(create=False), immediate=True)
        remove_tree(base)
