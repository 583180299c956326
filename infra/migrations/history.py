"""The history of revisions: the order and the digest of each file, from `revisions.lock` in the folder migrations/.

The lock file is read instead of the revisions, so that a run with nothing to migrate does not import Alembic. It says
which file each revision is; `python -m infra check` proves that it says what Alembic reads from the files.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import ModuleFileError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOCK_FILE = "revisions.lock"
BASELINE_FOLDER = "baseline"
"""The folder with the modules as they were at the first revision; the others continue from there."""

_HEADER = """\
# The revisions in their order, each with the digest of its file; then the modules of the baseline.
# `python -m infra revision` writes this file. A revision that a database has run is not edited any more.
"""
_SQUASHED = "squashed/"
"""Begins the line of a revision that the baseline has replaced; the last release with it is in place of a digest."""
_DIGEST_LENGTH = 16


@dataclass(frozen=True)
class Revision:
    """One revision: its id, and its file as messages name it."""

    revision: str
    path: str


@dataclass(frozen=True)
class History:
    """The revisions of a folder, in their order; the first one is the baseline, and has no statements.

    `squashed` are older ones that the baseline has replaced, each with the last release that has it, or `-`.
    """

    directory: str
    revisions: tuple[Revision, ...]
    digests: dict[str, str]
    squashed: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def head(self) -> str:
        """The last revision's id."""
        return self.revisions[-1].revision

    @cached_property
    def positions(self) -> dict[str, int]:
        """The position of each revision by its id."""
        return {revision.revision: position for position, revision in enumerate(self.revisions)}

    def after(self, current: str, place: str) -> tuple[Revision, ...]:
        """Return the revisions that a database has to run; raises RefusedError where its own is not among them."""
        if current in self.squashed:
            baseline, release = self.revisions[0].revision, self.squashed[current]
            which = "the last release that has them" if release == "-" else f"the release {release}, which has them"
            raise RefusedError(
                f"is at revision {current}, and the baseline {baseline} has replaced the revisions up to {baseline}",
                place=place,
                remedy=f"run `make up` of {which}, then of this one",
            )
        if current not in self.positions:
            raise RefusedError(
                f"is at revision {current}, which {self.directory}/ does not have; its last one is {self.head}",
                place=place,
                remedy="use the version of the program that has it, or stamp the revision that the database equals",
            )
        return self.revisions[self.positions[current] + 1 :]


def read_history(directory: str) -> History | None:
    """Read the lock file of a folder, None where it has none, or is ''; raises ModuleFileError."""
    path = Path(directory, LOCK_FILE)
    if not directory or not path.exists():
        return None
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ModuleFileError(
            f"cannot be read ({error.strerror})", place=str(path), remedy="restore it from version control"
        ) from None
    return parse_history(directory, lines)


def required_history(directory: str) -> History:
    """Read the lock file of a folder that has to have one; raises InfraError with the way to it."""
    refuse_without_revisions(directory)
    history = read_history(directory)
    if history is None:
        remedy = "restore it from version control, or write it again by `make revision ARGS=--lock`"
        raise ModuleFileError("has no revisions.lock", place=f"{directory}/", remedy=remedy)
    return history


def refuse_without_revisions(directory: str) -> None:
    """Raise RefusedError where a folder has no revision, which says how to begin."""
    if not any(Path(directory, "versions").glob("*.py")):
        raise RefusedError(
            "has no revision yet",
            place=f"{directory}/",
            remedy="take the modules as the databases have them, run `make revision ARGS=--begin`, then change them",
        )


def parse_history(directory: str, lines: Sequence[str]) -> History:
    """Return the history that the lines of a folder's lock file say; raises ModuleFileError."""
    path = Path(directory, LOCK_FILE)
    digests: dict[str, str] = {}
    squashed: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if len(words) != 2:  # noqa: PLR2004 (a file and its digest)
            raise ModuleFileError("is not a file and a digest", place=f"{path}:{number}", remedy="restore the line")
        if words[0].startswith(_SQUASHED):
            squashed[words[0].removeprefix(_SQUASHED)] = words[1]
        else:
            digests[words[0]] = words[1]
    revisions = tuple(Revision(revision_of(name), f"{directory}/{name}") for name in digests if is_revision(name))
    if not revisions:
        raise ModuleFileError("names no revision", place=str(path), remedy="restore it from version control")
    return History(directory, revisions, digests, squashed)


def is_revision(name: str) -> bool:
    """Return whether a name in the lock file is a revision's."""
    return name.startswith("versions/")


def revision_of(name: str) -> str:
    """Return the id of a revision, with which its file's name begins."""
    return name.removeprefix("versions/").partition("_")[0]


def file_digests(directory: str, revisions: list[str]) -> dict[str, str]:
    """Return the digests that the lock file has to have: of the revisions, given in their order, and the baseline."""
    root = Path(directory)
    baseline = sorted(f"{BASELINE_FOLDER}/{path.name}" for path in root.joinpath(BASELINE_FOLDER).glob("*.sql"))
    return {name: file_digest(root / name) for name in (*revisions, *baseline)}


def file_digest(path: Path) -> str:
    """Return the digest of a file, '' where it is gone; the ends of lines do not count."""
    if not path.is_file():
        return ""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()[:_DIGEST_LENGTH]


def write_lock(directory: str, digests: Mapping[str, str], squashed: Mapping[str, str] | None = None) -> None:
    """Write the lock file of a folder."""
    lines = [f"{_SQUASHED}{revision} {release}\n" for revision, release in (squashed or {}).items()]
    lines += [f"{name} {digest}\n" for name, digest in digests.items()]
    Path(directory, LOCK_FILE).write_text(_HEADER + "".join(lines), encoding="utf-8")
