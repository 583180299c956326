"""Tests for files that an untrusted user may write, atomic writes, file locks and the root directory."""

from __future__ import annotations

import errno
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from infra.errors import BusyError, ServerError
from infra.server.embedded.directory import ROOT_MARKER, create_root, remove_root, remove_tree
from infra.server.embedded.file_lock import file_locked
from infra.server.file_io import MAX_READ_BYTES, read_untrusted, write_whole

if TYPE_CHECKING:
    from pathlib import Path


def test_read_ordinary_file(tmp_path: Path) -> None:
    """A regular file is read from `start` up to a limit, and no content makes that fail."""
    file = tmp_path / "file"
    file.write_bytes(b"abc\xff" + b"x" * MAX_READ_BYTES)
    text = read_untrusted(file)
    assert text
    assert (text[:4], len(text)) == ("abc\ufffd", MAX_READ_BYTES)
    assert read_untrusted(file, start=MAX_READ_BYTES) == "xxxx"


def test_read_nothing_else(tmp_path: Path) -> None:
    """A missing file, a link, a directory and a pipe give None, without blocking."""
    (tmp_path / "target").write_text("secret")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("missing", "link", "directory", "pipe"):
        assert read_untrusted(tmp_path / name) is None


def test_write_replaces_a_link(tmp_path: Path) -> None:
    """A link in the place of the file is replaced, and its target is not written."""
    (tmp_path / "target").write_text("precious")
    (tmp_path / "file").symlink_to(tmp_path / "target")
    write_whole(tmp_path / "file", "new\n", mode=0o640)
    assert (tmp_path / "target").read_text() == "precious"
    assert (tmp_path / "file").read_text() == "new\n"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def test_write_whole_or_not(tmp_path: Path) -> None:
    """When writing fails, the old file stays and no other file is left."""
    file = tmp_path / "file"
    write_whole(file, "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(file, "\ud800")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("file", "old")]


def test_lock_excludes(tmp_path: Path) -> None:
    """Only one of many callers holds the lock at a time, even when some remove the lock file."""
    inside: list[int] = []
    most: list[int] = []

    def hold_lock(number: int) -> None:
        with file_locked(tmp_path / "root" / "lock") as lock:
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.002)
            inside.remove(number)
            if number % 2:
                lock.remove()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(hold_lock, range(64)))
    assert most == [1] * 64


def test_lock_names_its_holder(tmp_path: Path) -> None:
    """The error of a caller that waited too long names the process that holds the lock."""
    path = tmp_path / "lock"
    with file_locked(path), pytest.raises(BusyError) as caught, file_locked(path, seconds=0.05):
        pass
    assert str(caught.value) == (
        f"{path}: process {os.getpid()} has held this lock for 0.05 s; let it finish, or end it, and try again"
    )
    with file_locked(path):
        pass


def test_lock_in_a_root_that_is_removed(tmp_path: Path) -> None:
    """One caller may remove the root while another is about to lock a file in it."""
    root = tmp_path / "root"
    stop = threading.Event()
    held = 0

    def remove() -> None:
        while not stop.is_set():
            remove_root(root)

    thread = threading.Thread(target=remove)
    thread.start()
    try:
        for _ in range(200):
            with file_locked(root / "lock") as lock:
                held += (root / "lock").exists()
                lock.remove()
    finally:
        stop.set()
        thread.join()
    assert held == 200


def test_lock_in_a_directory_that_is_not_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error for a root that the caller may not write is one sentence."""

    def refuse(path: Path, *_: int) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ServerError) as caught, file_locked(tmp_path / "lock"):
        pass
    assert str(caught.value) == (
        f"{tmp_path / 'lock'}: may not be written by this user (uid {os.getuid()}); "
        "run as the user who created the server, or choose another data root"
    )


def test_only_an_own_root_is_removed(tmp_path: Path) -> None:
    """A root that create_root() created is removed when it is empty; an existing one, or one with files, stays."""
    own, existing = tmp_path / "a" / "own", tmp_path / "existing"
    existing.mkdir()
    for root in (own, existing):
        create_root(root)
    (own / "something").touch()
    for root in (own, existing):
        remove_root(root)
    assert own.exists()
    assert (own / ROOT_MARKER).exists()
    (own / "something").unlink()
    for root in (own, existing):
        remove_root(root)
    assert not own.exists()
    assert existing.exists()


def test_remove_tree_follows_no_link(tmp_path: Path) -> None:
    """The target of a link in a removed tree stays, and a missing tree is no error."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious").touch()
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "link").symlink_to(tmp_path / "outside")
    for _ in range(2):
        remove_tree(tmp_path / "tree")
    assert (tmp_path / "outside" / "precious").exists()
