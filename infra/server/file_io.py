"""Files in directories that an untrusted user may write: read without following links, written atomically."""

from __future__ import annotations

import os
import secrets
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MAX_READ_BYTES = 65_536  # the files that are read here have a few lines


def read_untrusted(path: Path, *, start: int = 0) -> str | None:
    """Return at most MAX_READ_BYTES from byte `start` as text (UTF-8 with replacement); None for no regular file.

    A symbolic link, a pipe or a device returns None too: in a directory that the service account may write, root would
    otherwise follow the link, or block. Raises PermissionError.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if isinstance(error, PermissionError):
            raise
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        return os.pread(descriptor, MAX_READ_BYTES, start).decode("utf-8", "replace")
    finally:
        os.close(descriptor)


def write_whole(path: Path, text: str, *, mode: int = 0o600, owner: tuple[int, int] | None = None) -> None:
    """Write `text` to `path` atomically (write, fsync, rename), in a directory that only the caller may write.

    `owner` is the new file's uid and gid (-1: unchanged), which root alone can set.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            if owner:
                os.fchown(descriptor, *owner)
            os.fchmod(descriptor, mode)
            with os.fdopen(descriptor, "w", encoding="utf-8", closefd=False) as file:
                file.write(text)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
