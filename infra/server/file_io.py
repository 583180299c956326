"""Files next to a user who is not trusted: read without following links or waiting, written whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 65_536  # bytes; what is read here is a few lines


def read_untrusted(path: Path, *, start: int = 0) -> str | None:
    """Give at most LARGEST bytes from `start` as text; None when there is no ordinary file.

    A symbolic link, a pipe or a device in its place reads as None too: in a directory that the service account may
    write, root would otherwise follow it, or hang.
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
        return os.pread(descriptor, LARGEST, start).decode("utf-8", "replace")
    finally:
        os.close(descriptor)


def write_whole(path: Path, text: str, *, mode: int = 0o600, owner: tuple[int, int] | None = None) -> None:
    """Put `text` at `path` in one step (write, fsync, rename); `path` is in a directory only the caller may write.

    `owner` is the uid and gid it gets (-1: unchanged), for root.
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
