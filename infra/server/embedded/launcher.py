"""What runs between the caller and a PostgreSQL program: it gives up rights and open files, then becomes that program.

Run as `python -I -S trampoline.py UID GID DIRECTORY TOOL ARGUMENT...`, or with `--processes-in` as the TOOL to list the
processes that work in the directories which follow. UID `-` keeps the user. It exists because the caller has threads
(gRPC's, in Pulumi's provider host) and must not fork: what subprocess would do between fork and exec is done here.
"""
# pathlib would double the time of every start, and to run a program is what this is for:
# ruff: noqa: PTH115, PTH119, PTH208, S606

from __future__ import annotations

import os
import signal
import sys

CANNOT_RUN = 126  # the shell's exit status for a program that exists and cannot be run
REMOVED = " (deleted)"  # what /proc appends to the name of a file that has been removed


def processes_in(directories: list[str]) -> list[int]:
    """Give the pids of PostgreSQL's programs whose working directory is one of these, removed since or not (Linux)."""
    found: list[int] = []
    for entry in os.listdir("/proc"):
        try:
            if entry.isdecimal() and works_in(int(entry), directories):
                found.append(int(entry))
        except PermissionError:
            continue  # another user's process
    return found


def works_in(pid: int, directories: list[str]) -> bool:
    """Say whether a process is a PostgreSQL program in one of these directories; a zombie works nowhere (Linux).

    Raises PermissionError where the caller may not look: at others' processes; and root without CAP_SYS_PTRACE, as in a
    container, at everybody else's.
    """
    try:
        directory = os.readlink(f"/proc/{pid}/cwd").removesuffix(REMOVED)
        program = os.readlink(f"/proc/{pid}/exe").removesuffix(REMOVED)
    except (FileNotFoundError, ProcessLookupError):
        return False
    return directory in directories and os.path.basename(program) in {"postgres", "initdb"}


def close_inherited_files() -> None:
    """Close every descriptor above standard error; else a postmaster keeps the caller's sockets open for its life."""
    for entry in os.listdir("/dev/fd"):
        if int(entry) > sys.stderr.fileno():
            try:
                os.close(int(entry))
            except OSError:
                continue  # the one that listdir itself had open


def main(arguments: list[str]) -> int:
    uid, gid, directory, tool, *rest = arguments
    os.setsid()  # a Ctrl-C meant for the caller's terminal does not end an initdb half-way
    if uid != "-":
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    close_inherited_files()
    os.umask(0o077)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores these two, and ignoring is inherited
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    if tool == "--processes-in":
        print(*processes_in(rest))
        return 0
    try:
        os.chdir(directory)
        os.execv(tool, [tool, *rest])
    except OSError as error:
        print(f"{error.filename or tool}: {error.strerror}", file=sys.stderr)
        return CANNOT_RUN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
