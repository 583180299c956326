"""The script between the caller and a PostgreSQL program: drops privileges and open files, executes the program.

Run as `python -I -S launcher.py UID GID DIRECTORY TOOL ARGUMENT...`, or with `--processes-in` as the TOOL to list the
processes that work in the directories which follow. UID `-` keeps the user. The caller has threads (gRPC's, in Pulumi's
provider host) and must not fork, so this script does what subprocess would do between fork and exec. It imports no
installed package: it starts with every program, and `-S` leaves site-packages out.
"""
# pathlib would double the time of every start, and to execute a program is the purpose of this script:
# ruff: noqa: PTH115, PTH119, PTH208, S606

from __future__ import annotations

import os
import signal
import sys

CANNOT_RUN = 126  # the shell's exit status for a program that exists and cannot be run
PROGRAMS = frozenset({"postgres", "initdb"})  # the programs that work in a data directory
REMOVED = " (deleted)"  # what /proc appends to the name of a file that has been removed


def processes_in(directories: list[str]) -> list[int]:
    """Return the pids of the PostgreSQL programs whose working directory is one of these, even if removed (Linux)."""
    pids: list[int] = []
    for entry in os.listdir("/proc"):
        try:
            if entry.isdecimal() and works_in(int(entry), directories):
                pids.append(int(entry))
        except PermissionError:
            continue  # another user's process
    return pids


def works_in(pid: int, directories: list[str]) -> bool:
    """Return whether a process is a PostgreSQL program in one of these directories; a zombie has no directory (Linux).

    Raises PermissionError where the caller may not read the links in /proc (proc(5)): for the processes of other users,
    also when the caller is root without CAP_SYS_PTRACE, as in a container.
    """
    try:
        directory = os.readlink(f"/proc/{pid}/cwd").removesuffix(REMOVED)
        program = os.readlink(f"/proc/{pid}/exe").removesuffix(REMOVED)
    except (FileNotFoundError, ProcessLookupError):
        return False
    return directory in directories and os.path.basename(program) in PROGRAMS


def close_inherited_files() -> None:
    """Close every descriptor above standard error: a postmaster would keep the caller's sockets open."""
    for entry in os.listdir("/dev/fd"):
        if int(entry) > sys.stderr.fileno():
            try:
                os.close(int(entry))
            except OSError:
                continue  # the descriptor that listdir had open


def launch(arguments: list[str]) -> int:
    """Drop privileges and execute the tool; return only after `--processes-in` or when the tool cannot be run."""
    uid, gid, directory, tool, *rest = arguments
    os.setsid()  # Ctrl-C in the caller's terminal must not end an initdb half-way
    if uid != "-":
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    close_inherited_files()
    os.umask(0o077)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores these two, and a child inherits that
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
    sys.exit(launch(sys.argv[1:]))
