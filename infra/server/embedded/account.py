"""Which system user a server runs as: oneself, or a dedicated unprivileged one when the caller is root."""

from __future__ import annotations

import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from infra.errors import ServerError
from infra.server.embedded import spawn

if sys.platform != "win32":
    import pwd

DEFAULT_NAME = "platform-postgres"
NOLOGIN = ("/usr/sbin/nologin", "/sbin/nologin", "/bin/false")
_TRIES = 10  # /etc/passwd may be locked by another useradd for a moment
_PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class Account:
    """A system user; `switch` says that the caller is root and has to become it."""

    name: str
    uid: int
    gid: int
    switch: bool


def account(run_as: str = "", *, make: bool = True) -> Account:
    """Give the account that the server runs as; `run_as` "" is DEFAULT_NAME for root and oneself for anybody else.

    Root's account is made when it is missing and `make` is set (without it, uid and gid are -1). ServerError: an
    ordinary user names somebody else, or the account is root (PostgreSQL refuses uid 0).
    """
    if os.geteuid() != 0:
        return _oneself(run_as)
    name = run_as or DEFAULT_NAME
    entry = _entry(name)
    if entry is None and not make:
        return Account(name, -1, -1, switch=True)
    uid, gid = entry or _make(name)
    if uid == 0:
        raise ServerError(
            "PostgreSQL refuses to run as root",
            place=f"run_as {name}",
            remedy="name an unprivileged user, or leave it out to have one made",
        )
    return Account(name, uid, gid, switch=True)


def _oneself(run_as: str) -> Account:
    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container's user, known by number only
        name = str(os.geteuid())
    if run_as not in {"", name}:
        raise ServerError(
            "only root can run a server as another user", place=f"run_as {run_as}", remedy="leave run_as out"
        )
    return Account(name, os.geteuid(), os.getegid(), switch=False)


def _entry(name: str) -> tuple[int, int] | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return entry.pw_uid, entry.pw_gid


def _make(name: str) -> tuple[int, int]:
    """Make a system user who cannot log in and has no home (useradd(8) of shadow-utils)."""
    useradd = shutil.which("useradd", path=spawn.ENVIRONMENT["PATH"])
    remedy = "make it with the system's own means, and name it in run_as"
    if useradd is None:
        raise ServerError("this user does not exist, and there is no useradd to make it", place=name, remedy=remedy)
    shell = next((path for path in NOLOGIN if Path(path).exists()), NOLOGIN[-1])
    options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell", shell]
    comment = ["--comment", "platform-postgres embedded server"]
    result = spawn.ProcessResult(0, "")
    for _ in range(_TRIES):
        result = spawn.run_command([useradd, *options, *comment, name], seconds=30)
        entry = _entry(name)  # another run may have made it first
        if entry:
            return entry
        time.sleep(_PAUSE_SECONDS)
    raise ServerError(f"this user cannot be made: {result.last_lines(1)}", place=name, remedy=remedy)


def refuse_unreachable(path: Path, who: Account, *, setting: str) -> None:
    """Raise ServerError when `who` may not pass through a directory on the way to `path`; names the first such one.

    Nothing is ever chmodded to help: a directory such as /root is closed for a reason. What does not exist yet will be
    made reachable. A directory that `who` owns is refused as well, since the account could put other files there.
    """
    if not who.switch:
        return
    for directory in reversed(path.parents):
        if not directory.exists():
            return
        found = directory.stat()
        if found.st_uid == who.uid:
            raise ServerError(
                f"belongs to {who.name}, who could replace what root writes there",
                place=str(directory),
                remedy=f"set {setting} to a directory below one that root owns",
            )
        bit = 0o010 if found.st_gid == who.gid else 0o001
        if not found.st_mode & bit:
            raise ServerError(
                f"is not reachable for user {who.name}, which runs the server",
                place=str(directory),
                remedy=f"set {setting} to a directory outside it",
            )
