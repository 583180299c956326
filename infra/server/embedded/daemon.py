"""Runs PostgreSQL's own programs on a data directory: initdb, pg_ctl start, postgres --single for a lost password."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from typing import TYPE_CHECKING

from infra.errors import ServerError
from infra.postgres.connection.scram import verifier
from infra.server import ports
from infra.server.embedded import configuration, directory, processes, spawn
from infra.server.file_io import read_untrusted, write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from infra.server.embedded.account import Account
    from infra.server.embedded.directory import Layout
    from infra.server.embedded.distribution import Distribution
    from infra.server.embedded.specification import ClusterSpec

INITDB_SECONDS = 300
START_SECONDS = 120  # recovery after a crash included
SINGLE_SECONDS = 300
CHECK_SECONDS = 30
LARGEST_LOG = 10 * 1024 * 1024  # bytes; then it becomes server.log.1, the one before goes
CTYPES = ("C.UTF-8", "UTF-8", "C")  # Linux, macOS, and what is everywhere (there Ä is no letter to upper() and pg_trgm)


class PortTakenError(ServerError):
    """Somebody else listens on the port."""


def initialise(spec: ClusterSpec, layout: Layout, distribution: Distribution, who: Account) -> None:
    """Make the data directory: initdb in a directory beside it, which is renamed when complete (0.5 s).

    The password file holds the verifier, which initdb hands on like a password; it is removed in any case.
    """
    password_file = layout.conf / "admin-verifier"
    owner = (who.uid, who.gid) if who.switch else None
    write_whole(password_file, verifier(spec.admin_password) + "\n", owner=owner)
    result = spawn.ProcessResult(0, "")
    try:
        for ctype in (spec.ctype,) if spec.ctype else CTYPES:
            directory.make_empty(layout.unfinished, who)
            arguments = _initdb_arguments(spec, layout, password_file, ctype)
            result = spawn.run_program(
                distribution.tool("initdb"), arguments, who, directory=layout.unfinished, seconds=INITDB_SECONDS
            )
            if result.status == 0:
                layout.unfinished.rename(layout.data)
                return
            if "invalid locale name" not in result.output:
                break
    finally:
        password_file.unlink(missing_ok=True)
    raise ServerError(f"initdb failed: {result.last_lines()}", place=str(layout.data))


def _initdb_arguments(spec: ClusterSpec, layout: Layout, password_file: Path, ctype: str) -> list[str]:
    """Give initdb's arguments (PostgreSQL manual, initdb)."""
    return [
        f"--pgdata={layout.unfinished}",
        f"--username={spec.admin_user}",
        f"--pwfile={password_file}",
        f"--encoding={spec.encoding}",
        f"--locale={spec.locale}",
        f"--lc-ctype={ctype}",
        "--auth=scram-sha-256",
        "--data-checksums",
        "--no-instructions",
    ]


def start(layout: Layout, distribution: Distribution, who: Account, port: int) -> None:
    """Start the server and wait until it is ready (0.1 s); PortTakenError, or ServerError with the server's own lines.

    pg_ctl gives the postmaster a session of its own, so it outlives the caller.
    """
    begin = _prepare_log(layout.log, who)
    options = shlex.join(configuration.command_line(layout, port))
    arguments = ["start", "-w", "-t", str(START_SECONDS), "-D", str(layout.data), "-l", str(layout.log), "-o", options]
    result = spawn.run_program(
        distribution.tool("pg_ctl"), arguments, who, directory=layout.data, seconds=START_SECONDS + 30
    )
    if result.status == 0:
        return
    written = read_untrusted(layout.log, start=begin) or result.output
    if "could not bind" in written and not ports.is_free(port):
        raise PortTakenError(str(ports.taken(port)))
    if processes.postmaster(layout.data, who):
        raise ServerError(
            f"the server is still starting after {START_SECONDS} s",
            place=str(layout.log),
            remedy="see there how far it is, and try again",
        )
    raise ServerError(f"the server did not start: {complaint(written)}", place=str(layout.log))


def complaint(log: str) -> str:
    """Give the server's own complaint on one line: its errors with their details and hints, else its last lines."""
    said = re.findall(r"(?:FATAL|PANIC|ERROR|DETAIL|HINT):  .*", log)
    return " ".join(said[-4:] or log.strip().splitlines()[-3:]) or "it wrote nothing"


def _prepare_log(log: Path, who: Account) -> int:
    """Make the log file, or set a large one aside, while no server writes it; give its size in bytes.

    The base is the caller's, so the service account can put no link in the file's place.
    """
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_name("server.log.1"))
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        if who.switch:
            os.fchown(descriptor, who.uid, who.gid)
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def trim_log(log: Path) -> None:
    """Set a large log aside while the server writes it: copied, then emptied (it is open for appending)."""
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        shutil.copy2(log, log.with_name("server.log.1"))
        os.truncate(log, 0)


def release_memory(layout: Layout, distribution: Distribution, who: Account) -> None:
    """Give back the shared memory of a server that had crashed and is not started again (0.06 s).

    Its segments outlive every process, in /dev/shm and as System V memory, of which there is a limited number. A start
    releases what the one before left, and so does `postgres --check` (15 and later), which initdb uses and which
    touches no data.
    """
    if not distribution.tool("postgres").is_file():
        return
    arguments = ["--check", "-D", str(layout.data), "-c", f"config_file={layout.settings}"]
    spawn.run_program(distribution.tool("postgres"), arguments, who, directory=layout.data, seconds=CHECK_SECONDS)


def reset_password(spec: ClusterSpec, layout: Layout, distribution: Distribution, who: Account) -> None:
    """Set the admin's password without the old one, while the server is stopped: single-user mode listens nowhere.

    The verifier comes by standard input, and of the output only an error's first line is looked at (PostgreSQL manual,
    postgres --single).
    """
    statements = (
        "SET default_transaction_read_only = off;\n"
        f"ALTER ROLE \"{spec.admin_user}\" LOGIN PASSWORD '{verifier(spec.admin_password)}' VALID UNTIL 'infinity';\n"
    )
    quiet = {"log_statement": "none", "log_min_duration_statement": "-1", "logging_collector": "off"}
    arguments = ["--single", "-D", str(layout.data), *configuration.command_line(layout, ports.FIRST_PORT)]
    arguments += [word for name, value in quiet.items() for word in ("-c", f"{name}={value}")]
    result = spawn.run_program(
        distribution.tool("postgres"),
        [*arguments, "postgres"],
        who,
        directory=layout.data,
        seconds=SINGLE_SECONDS,
        standard_input=statements.encode(),
    )
    found = re.search(r"(?:ERROR|FATAL|PANIC):  .*", result.output)
    if found or result.status != 0:
        said = found[0] if found else f"status {result.status}"
        raise ServerError(f"the admin's password cannot be set: {said}", place=str(layout.data))
