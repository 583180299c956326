"""The modules as they are in another version of the repository, from git."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

from infra.errors import InfraError

_REMEDY = "fetch the branch (`git fetch origin main`), or name another version by --base"


def write_modules_of(version: str, directory: str, *, root: Path, into: Path) -> str:
    """Write the modules of the commit in which HEAD left a version into a folder, and return that commit.

    `directory` is the folder of the modules, seen from `root`. Raises InfraError where git does not know the version.
    """
    commit = _git(root, "merge-base", version, "HEAD").strip()
    prefix = _git(root, "rev-parse", "--show-prefix").strip()
    listed = _git(root, "ls-tree", "-z", "--name-only", commit, f"{directory.rstrip('/')}/")
    for path in filter(None, listed.split("\0")):
        name = path.rpartition("/")[2]
        if name.endswith(".sql"):
            text = _git(root, "show", f"{commit}:{prefix}{path}")
            (into / name).write_text(text, encoding="utf-8", newline="")
    return commit


def text_at(commit: str, path: str, *, root: Path) -> str:
    """Return the text of a file, whose path is seen from `root`, in a commit; '' where it has none."""
    prefix = _git(root, "rev-parse", "--show-prefix").strip()
    if not _git(root, "ls-tree", "--name-only", commit, path).strip():
        return ""
    return _git(root, "show", f"{commit}:{prefix}{path}")


def write_tree_of(commit: str, *, root: Path, into: Path) -> None:
    """Write all files of a commit that are below `root` into a folder."""
    with tarfile.open(fileobj=io.BytesIO(_git_bytes(root, "archive", "--format=tar", commit))) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content and ".." not in Path(member.name).parts:
                (into / member.name).parent.mkdir(parents=True, exist_ok=True)
                (into / member.name).write_bytes(content.read())


def _git(root: Path, *arguments: str) -> str:
    return _git_bytes(root, *arguments).decode()


def _git_bytes(root: Path, *arguments: str) -> bytes:
    try:
        result = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False)
    except OSError as error:
        raise InfraError(f"cannot be run ({error.strerror})", place="git", remedy="install git") from None
    if result.returncode:
        lines = result.stderr.decode(errors="replace").strip().splitlines() or ["failed"]
        raise InfraError(lines[0], place=f"git {arguments[0]}", remedy=_REMEDY)
    return result.stdout
