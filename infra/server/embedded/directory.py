"""The directory of one server, its parts, and the marker that says whose it is.

<root>/                       0755, shared by the servers of this machine
  dist/<source>-<version>-…/  private copies of the binaries
  <name>.lock                 held by whoever changes the server
  <name>/                     the base: only the caller may write here, the service account may pass
    server.json               the marker
    conf/                     embedded.conf, pg_hba.conf: only the caller may write
    server.log
    data/                     the data directory: the service account's own, 0700; nothing here is written by root
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from infra.errors import RefusedError, ServerError
from infra.server.embedded.distribution import Distribution
from infra.server.file_io import read_untrusted, write_whole

if TYPE_CHECKING:
    from infra.server.embedded.account import Account

MADE_BY = "platform-postgres"
_FORMAT = 1
ROOT_MARKER = ".made-by-platform-postgres"

Phase = Literal["creating", "live", "retained", "removing"]


@dataclass(frozen=True)
class Layout:
    """Where the parts of one server are; `base` is absolute and without symbolic links."""

    base: Path

    @property
    def root(self) -> Path:
        return self.base.parent

    @property
    def lock(self) -> Path:
        return self.root / f"{self.base.name}.lock"

    @property
    def marker(self) -> Path:
        return self.base / "server.json"

    @property
    def conf(self) -> Path:
        return self.base / "conf"

    @property
    def settings(self) -> Path:
        return self.conf / "embedded.conf"

    @property
    def hba(self) -> Path:
        return self.conf / "pg_hba.conf"

    @property
    def log(self) -> Path:
        return self.base / "server.log"

    @property
    def data(self) -> Path:
        return self.base / "data"

    @property
    def unfinished(self) -> Path:
        """Where initdb works; renamed to `data` when it is complete, so that `data` is never half-made."""
        return self.base / "data.unfinished"


@dataclass(frozen=True)
class Marker:
    """What server.json says: whose the base is, how far its life has come, and how the server was last started."""

    name: str
    owner: str
    phase: Phase
    run_as: str
    admin_user: str
    encoding: str
    locale: str
    ctype: str
    port: int = 0  # 0: none chosen yet
    settings: dict[str, str] = field(default_factory=dict[str, str])
    distribution: Distribution | None = None
    coming: str = ""  # the source of the binaries that it is just about to be started with


def read_marker(base: Path) -> Marker | None:
    """Give the marker; None when there is none. ServerError when the file is not one, or may not be read."""
    path = Layout(base).marker
    try:
        text = read_untrusted(path)
    except PermissionError:
        raise ServerError(
            "belongs to another user", place=str(base), remedy="run as the user who made this server"
        ) from None
    if text is None:
        return None
    try:
        return _parse(json.loads(text))
    except (ValueError, KeyError, TypeError):
        raise ServerError(
            "is not a marker that this version can read, so nothing was touched",
            place=str(path),
            remedy="restore it, or move the directory away",
        ) from None


def _parse(found: dict[str, Any]) -> Marker:
    if (found.pop("made_by"), found.pop("format")) != (MADE_BY, _FORMAT):
        raise ValueError(found)
    distribution: dict[str, Any] | None = found.pop("distribution")
    if distribution:
        distribution |= {name: Path(distribution[name]) for name in ("bin", "share", "library")}
        found["distribution"] = Distribution(**distribution)
    return Marker(**found)


def write_marker(base: Path, marker: Marker) -> None:
    """Write the marker, readable by the caller alone."""
    found = {"made_by": MADE_BY, "format": _FORMAT, **asdict(marker)}
    write_whole(Layout(base).marker, json.dumps(found, indent=1, sort_keys=True, default=str) + "\n")


def make_root(root: Path) -> None:
    """Make the directory that the servers of this machine share; a root made here is removed with the last server."""
    missing = [directory for directory in (root, *root.parents) if not directory.exists()]
    for directory in reversed(missing):
        directory.mkdir(exist_ok=True)
        directory.chmod(0o755 if os.geteuid() == 0 else 0o700)  # whatever the umask is, the account has to pass
    if missing:
        (root / ROOT_MARKER).touch()


def make_base(layout: Layout, who: Account) -> None:
    """Make the base and what only the caller may write below it; the service account may pass, and read conf/."""
    for directory in (layout.base, layout.conf):
        directory.mkdir(exist_ok=True)
        if who.switch:
            os.chown(directory, 0, who.gid)
        directory.chmod(0o750 if who.switch else 0o700)


def make_empty(directory: Path, who: Account) -> None:
    """Make `directory` anew, for the service account alone; what was there goes."""
    remove_tree(directory)
    directory.mkdir(0o700)
    if who.switch:
        os.chown(directory, who.uid, who.gid)


def refuse_foreign(base: Path, owner: str) -> Marker | None:
    """Give the marker of `base`, None for a base that is not there or empty; ServerError when it is not `owner`'s."""
    marker = read_marker(base)
    if marker is None:
        if base.exists() and any(base.iterdir()):
            raise RefusedError(
                "holds files but no marker of this program, so it was neither taken nor removed",
                place=str(base),
                remedy="move the directory away, or choose another data root",
            )
        return None
    if marker.owner != owner:
        raise RefusedError(
            f"belongs to {marker.owner}, not to {owner}, so it was neither taken nor removed",
            place=str(base),
            remedy="choose another data root, or destroy that stack first",
        )
    return marker


def refuse_strangers(layout: Layout) -> None:
    """Raise RefusedError when the base holds what this program did not put there, before any of it is removed."""
    known = {path.name for path in (layout.marker, layout.conf, layout.log, layout.data, layout.unfinished)}
    strangers = sorted(entry.name for entry in layout.base.iterdir() if not _is_known(entry.name, known))
    if strangers:
        raise RefusedError(
            f"holds {', '.join(strangers)}, which this program did not make, so nothing was removed",
            place=str(layout.base),
            remedy="move them away and try again",
        )


def _is_known(name: str, known: set[str]) -> bool:
    """Say whether a name is one of ours; the second half is a write_whole that was killed."""
    return name in known or name == "server.log.1" or name.startswith(".server.json.")


def remove_tree(directory: Path) -> None:
    """Remove a directory and all below it without following links; nothing happens when it is not there.

    rmtree walks by descriptors (`rmtree.avoids_symlink_attacks`), so a link planted meanwhile is removed, not followed.
    """
    with suppress(FileNotFoundError):
        shutil.rmtree(directory)


def remove_base(layout: Layout) -> None:
    """Remove the base, the marker last: what is left of a removal that was killed is still known as ours."""
    refuse_strangers(layout)
    for directory in (layout.data, layout.unfinished, layout.conf):
        remove_tree(directory)
    for path in sorted(layout.base.iterdir(), key=lambda entry: entry == layout.marker):
        path.unlink()
    layout.base.rmdir()


def remove_root(root: Path) -> None:
    """Remove a root that `make_root` made and in which nothing is left."""
    if (root / ROOT_MARKER).exists() and [entry.name for entry in root.iterdir()] == [ROOT_MARKER]:
        (root / ROOT_MARKER).unlink()
        with suppress(OSError):  # somebody has just begun to use it
            root.rmdir()
