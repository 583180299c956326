"""The choice of the system user that runs a server: the caller, or a dedicated unprivileged user when that is root."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

from infra.errors import ServerError
from infra.server.embedded import spawn
from infra.server.embedded.account import Account

if sys.platform != "win32":
    import pwd

DEFAULT_NAME = "platform-postgres"
NOLOGIN = ("/usr/sbin/nologin", "/sbin/nologin", "/bin/false")
_TRIES = 10  # another useradd may hold the lock of /etc/passwd for a moment
_PAUSE_SECONDS = 0.2


def service_account(run_as: str = "", *, create: bool = True) -> Account:
    """Return the account that the server runs as; `run_as` "" means DEFAULT_NAME for root, else the caller.

    Root's account is created when it is missing, unless `create` is false: uid and gid are -1 then. Raises ServerError
    when an ordinary user names another user, and when the account is root (PostgreSQL refuses uid 0).
    """
    if os.geteuid() != 0:
        return _own_account(run_as)
    name = run_as or DEFAULT_NAME
    ids = _find_user(name)
    if ids is None and not create:
        return Account(name, -1, -1, switch=True)
    uid, gid = ids or _create_user(name)
    if uid == 0:
        raise ServerError(
            "PostgreSQL refuses to run as root",
            place=f"run_as {name}",
            remedy="name an unprivileged user, or leave it out to have one created",
        )
    return Account(name, uid, gid, switch=True)


def _own_account(run_as: str) -> Account:
    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # the user id of a container, which /etc/passwd does not name
        name = str(os.geteuid())
    if run_as not in {"", name}:
        raise ServerError(
            "only root can run a server as another user", place=f"run_as {run_as}", remedy="leave run_as out"
        )
    return Account(name, os.geteuid(), os.getegid(), switch=False)


def _find_user(name: str) -> tuple[int, int] | None:
    """Return the uid and gid of a user; None when there is no such user."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return entry.pw_uid, entry.pw_gid


def _create_user(name: str) -> tuple[int, int]:
    """Create a system user without login and home (useradd(8) of shadow-utils); return its uid and gid."""
    useradd = shutil.which("useradd", path=spawn.ENVIRONMENT["PATH"])
    remedy = "create it with the system's own tools, and name it in run_as"
    if useradd is None:
        raise ServerError("this user does not exist, and there is no useradd to create it", place=name, remedy=remedy)
    shell = next((path for path in NOLOGIN if Path(path).exists()), NOLOGIN[-1])
    options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell", shell]
    comment = ["--comment", "platform-postgres embedded server"]
    result = spawn.ProcessResult(0, "")
    for _ in range(_TRIES):
        result = spawn.run_command([useradd, *options, *comment, name], seconds=30)
        ids = _find_user(name)  # whatever the result is: another run may have created the user first
        if ids:
            return ids
        time.sleep(_PAUSE_SECONDS)
    raise ServerError(f"this user cannot be created: {result.last_lines(1)}", place=name, remedy=remedy)


def refuse_unreachable(path: Path, account: Account, *, setting: str) -> None:
    """Raise ServerError with the first directory above `path` that `account` may not enter.

    No mode is changed to make it reachable: a directory such as /root is closed on purpose. Directories that do not
    exist yet will be created so that the account can enter them. A directory that the account owns is refused too,
    because the account could replace the files that root writes below it.
    """
    if not account.switch:
        return
    for directory in reversed(path.parents):
        if not directory.exists():
            return
        status = directory.stat()
        if status.st_uid == account.uid:
            raise ServerError(
                f"belongs to {account.name}, who could replace what root writes there",
                place=str(directory),
                remedy=f"set {setting} to a directory below one that root owns",
            )
        execute_bit = 0o010 if status.st_gid == account.gid else 0o001
        if not status.st_mode & execute_bit:
            raise ServerError(
                f"is not reachable for user {account.name}, which runs the server",
                place=str(directory),
                remedy=f"set {setting} to a directory outside it",
            )
