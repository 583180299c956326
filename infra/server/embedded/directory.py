"""The directory of one server, its parts, and the marker file with its owner and state.

<root>/                       0755, shared by the servers of this machine
  dist/<source>-<version>-…/  private copies of the binaries
  <name>.lock                 locked by the process that changes the server
  <name>/                     the base: only the caller may write, the service account may enter
    server.json               the marker
    conf/                     embedded.conf, pg_hba.conf, server.crt and its key: only the caller may write
    server.log
    data/                     the data directory: owned by the service account, 0700; root writes nothing here
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
_FIRST_OID = 16384
"""The first one that is not the system's (PostgreSQL's FirstNormalObjectId)."""

Phase = Literal["creating", "live", "retained", "removing"]


@dataclass(frozen=True)
class Layout:
    """The paths of one server; `base` is absolute and without symbolic links."""

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
    def certificate(self) -> Path:
        return self.conf / "server.crt"

    @property
    def key(self) -> Path:
        return self.conf / "server.key"

    @property
    def log(self) -> Path:
        return self.base / "server.log"

    @property
    def data(self) -> Path:
        return self.base / "data"

    @property
    def unfinished(self) -> Path:
        """The directory in which initdb runs; it is renamed when complete, so that `data` is never incomplete."""
        return self.base / "data.unfinished"


@dataclass(frozen=True)
class Marker:
    """The content of server.json: the owner of the base, its phase, and how the server was last started."""

    name: str
    owner: str
    phase: Phase
    run_as: str
    admin_user: str
    encoding: str
    locale: str
    ctype: str
    port: int = 0  # 0: not chosen yet
    settings: dict[str, str] = field(default_factory=dict[str, str])
    distribution: Distribution | None = None
    coming: str = ""  # the source of the binaries with which the next start begins
    tls: bool = False  # whether it was started with its certificate


def read_marker(base: Path) -> Marker | None:
    """Return the marker of a base, None when it has none; raise ServerError when it cannot be read."""
    path = Layout(base).marker
    try:
        text = read_untrusted(path)
    except PermissionError:
        raise ServerError(
            "belongs to another user", place=str(base), remedy="run as the user who created this server"
        ) from None
    if text is None:
        return None
    try:
        return _parse(json.loads(text))
    except (ValueError, KeyError, TypeError):
        raise ServerError(
            "is not a marker that this version can read, so nothing was changed",
            place=str(path),
            remedy="restore it, or move the directory away",
        ) from None


def _parse(fields: dict[str, Any]) -> Marker:
    if (fields.pop("made_by"), fields.pop("format")) != (MADE_BY, _FORMAT):
        raise ValueError(fields)
    distribution: dict[str, Any] | None = fields.pop("distribution")
    if distribution:
        distribution |= {name: Path(distribution[name]) for name in ("bin", "share", "library")}
        fields["distribution"] = Distribution(**distribution)
    return Marker(**fields)


def write_marker(base: Path, marker: Marker) -> None:
    """Write the marker, readable only by the caller."""
    fields = {"made_by": MADE_BY, "format": _FORMAT, **asdict(marker)}
    write_whole(Layout(base).marker, json.dumps(fields, indent=1, sort_keys=True, default=str) + "\n")


def create_root(root: Path) -> None:
    """Create the directory of all servers with a file that marks it, so that it is removed with the last server."""
    missing = [directory for directory in (root, *root.parents) if not directory.exists()]
    for directory in reversed(missing):
        directory.mkdir(exist_ok=True)
        directory.chmod(0o755 if os.geteuid() == 0 else 0o700)  # not left to the umask: the account has to enter
    if missing:
        (root / ROOT_MARKER).touch()


def create_base(layout: Layout, account: Account) -> None:
    """Create the base and conf/, which only the caller may write and the service account may enter and read."""
    for directory in (layout.base, layout.conf):
        directory.mkdir(exist_ok=True)
        if account.switch:
            os.chown(directory, 0, account.gid)
        directory.chmod(0o750 if account.switch else 0o700)


def recreate_directory(directory: Path, account: Account) -> None:
    """Replace `directory` by an empty one that only the service account may enter."""
    remove_tree(directory)
    directory.mkdir(0o700)
    if account.switch:
        os.chown(directory, account.uid, account.gid)


def refuse_foreign(base: Path, owner: str) -> Marker | None:
    """Return the marker of `base`, None where it is missing or begun; raise RefusedError when it is not `owner`'s."""
    marker = read_marker(base)
    if marker is None:
        if not is_begun(base):
            raise RefusedError(
                "contains files but no marker of this program, so it was neither used nor removed",
                place=str(base),
                remedy="move the directory away, or choose another data root",
            )
        return None
    if marker.owner != owner:
        raise RefusedError(
            f"belongs to {marker.owner}, not to {owner}, so it was neither used nor removed",
            place=str(base),
            remedy="choose another data root, or destroy that stack first",
        )
    return marker


def is_begun(base: Path) -> bool:
    """Return whether a base is missing, or has no more than creations have before the marker."""
    entries = list(base.iterdir()) if base.exists() else []
    return all(_is_part(entry) or (entry.name == "conf" and not any(entry.iterdir())) for entry in entries)


def has_databases(layout: Layout) -> bool:
    """Return whether a server has databases beside those that initdb creates, whose oids are the system's."""
    folders = (layout.data / "base").iterdir() if (layout.data / "base").is_dir() else ()
    return any(folder.name.isdigit() and int(folder.name) >= _FIRST_OID for folder in folders)


def refuse_unknown_files(layout: Layout) -> None:
    """Raise RefusedError when the base contains a file that this program did not create, before any is removed."""
    names = {path.name for path in (layout.marker, layout.conf, layout.log, layout.data, layout.unfinished)}
    unknown = sorted(entry.name for entry in layout.base.iterdir() if not _is_own_file(entry, names))
    if unknown:
        raise RefusedError(
            f"contains {', '.join(unknown)}, which this program did not create, so nothing was removed",
            place=str(layout.base),
            remedy="move them away and try again",
        )


def _is_own_file(entry: Path, names: set[str]) -> bool:
    return entry.name in names or entry.name == "server.log.1" or _is_part(entry)


def _is_part(entry: Path) -> bool:
    """Return whether a file was left by a killed write_whole() of the marker."""
    return entry.name.startswith(".server.json.")


def remove_tree(directory: Path) -> None:
    """Remove a directory and everything below it without following links; do nothing when it is missing.

    shutil.rmtree uses directory descriptors (`rmtree.avoids_symlink_attacks`): a link that the service account creates
    during the removal is removed, not followed.
    """
    with suppress(FileNotFoundError):
        shutil.rmtree(directory)


def remove_base(layout: Layout) -> None:
    """Remove the base, the marker last: a base whose removal was killed still has its owner."""
    refuse_unknown_files(layout)
    for directory in (layout.data, layout.unfinished, layout.conf):
        remove_tree(directory)
    for path in sorted(layout.base.iterdir(), key=lambda entry: entry == layout.marker):
        path.unlink()
    layout.base.rmdir()


def remove_begun(layout: Layout) -> None:
    """Remove a base that is_begun()."""
    if layout.base.exists() and is_begun(layout.base):
        remove_base(layout)


def remove_root(root: Path) -> None:
    """Remove a root that create_root() created and in which nothing else is left."""
    if (root / ROOT_MARKER).exists() and [entry.name for entry in root.iterdir()] == [ROOT_MARKER]:
        (root / ROOT_MARKER).unlink()
        with suppress(OSError):  # another process has begun to use it
            root.rmdir()
