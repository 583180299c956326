"""PostgreSQL's own programs on a data directory: initdb, pg_ctl start, and postgres --single for a lost password."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from typing import TYPE_CHECKING

from infra.errors import ServerError
from infra.postgres.connection.target import MAINTENANCE_DATABASE
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
MAX_LOG_BYTES = 10 * 1024 * 1024  # a larger log is renamed to server.log.1, over the previous one
CTYPES = ("C.UTF-8", "UTF-8", "C")  # Linux, macOS, every system (there Ä is no letter to upper() and pg_trgm)


class PortTakenError(ServerError):
    """Another program listens on the port."""


def initialise(spec: ClusterSpec, layout: Layout, distribution: Distribution, account: Account) -> None:
    """Create the data directory: run initdb in a directory beside it, which is renamed when complete (0.5 s).

    The password file contains the SCRAM verifier, which initdb passes on like a password; it is always removed.
    Without a configured `ctype` each of CTYPES is tried, because the system may lack a locale. Raises ServerError.
    """
    from infra.postgres.connection.scram import verifier  # noqa: PLC0415 (imports the driver)

    password_file = layout.conf / "admin-verifier"
    owner = (account.uid, account.gid) if account.switch else None
    write_whole(password_file, verifier(spec.admin_password) + "\n", owner=owner)
    result = spawn.ProcessResult(0, "")
    try:
        for ctype in (spec.ctype,) if spec.ctype else CTYPES:
            directory.recreate_directory(layout.unfinished, account)
            arguments = _initdb_arguments(spec, layout, password_file, ctype)
            result = spawn.run_program(
                distribution.tool("initdb"), arguments, account, directory=layout.unfinished, seconds=INITDB_SECONDS
            )
            if result.status == 0:
                layout.unfinished.rename(layout.data)
                return
    finally:
        password_file.unlink(missing_ok=True)
    raise ServerError(f"initdb failed: {summarise_log(result.output)}", place=str(layout.data))


def _initdb_arguments(spec: ClusterSpec, layout: Layout, password_file: Path, ctype: str) -> list[str]:
    """Return the arguments of initdb (PostgreSQL manual, reference page initdb)."""
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


def start(layout: Layout, distribution: Distribution, account: Account, port: int) -> None:
    """Start the server and wait until it is ready (0.1 s).

    pg_ctl starts the postmaster in a session of its own, so that it outlives the caller. Raises PortTakenError when
    another program listens on the port, else ServerError with the errors in the server's log.
    """
    log_size = _prepare_log(layout.log, account)
    options = shlex.join(configuration.command_line(layout, port))
    arguments = ["start", "-w", "-t", str(START_SECONDS), "-D", str(layout.data), "-l", str(layout.log), "-o", options]
    result = spawn.run_program(
        distribution.tool("pg_ctl"), arguments, account, directory=layout.data, seconds=START_SECONDS + 30
    )
    if result.status == 0:
        return
    if processes.find_postmaster(layout.data, account):
        raise ServerError(
            f"the server is still starting after {START_SECONDS} s",
            place=str(layout.log),
            remedy="follow its progress in that log, and try again when it is ready",
        )
    if not ports.is_free(port):
        raise PortTakenError(str(ports.port_taken_error(port)))
    lines = read_untrusted(layout.log, start=log_size) or result.output
    raise ServerError(f"the server did not start: {summarise_log(lines)}", place=str(layout.log))


def summarise_log(log: str) -> str:
    """Return the errors in a log, with details and hints, on one line; without errors, its last lines."""
    errors = re.findall(r"(?:FATAL|PANIC|ERROR|DETAIL|HINT):  .*", log)
    return " ".join(errors[-4:] or log.strip().splitlines()[-3:]) or "it wrote nothing"


def _prepare_log(log: Path, account: Account) -> int:
    """Create the log file, or rename a large one first, while no server writes to it; return its size in bytes.

    Only the caller may write the base, so the service account cannot replace the file by a link.
    """
    if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
        log.replace(log.with_name("server.log.1"))
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        if account.switch:
            os.fchown(descriptor, account.uid, account.gid)
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def trim_log(log: Path) -> None:
    """Copy a large log to server.log.1 and truncate it; the server, which has it open for appending, writes on."""
    if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
        shutil.copy2(log, log.with_name("server.log.1"))
        os.truncate(log, 0)


def release_shared_memory(layout: Layout, distribution: Distribution, account: Account) -> None:
    """Release the shared memory of a server that crashed and will not be started again (0.06 s).

    Its segments outlive the processes, in /dev/shm and as System V shared memory, whose number is limited (PostgreSQL
    manual, 18.4.1). A start releases those of the crashed server, and so does `postgres --check` (15 and later), which
    initdb uses and which does not write to the data directory.
    """
    if not distribution.tool("postgres").is_file():
        return
    arguments = ["--check", "-D", str(layout.data), "-c", f"config_file={layout.settings}"]
    spawn.run_program(distribution.tool("postgres"), arguments, account, directory=layout.data, seconds=CHECK_SECONDS)


def reset_password(spec: ClusterSpec, layout: Layout, distribution: Distribution, account: Account) -> None:
    """Set the admin's password without the old one, while the server is stopped: single-user mode does not listen.

    The SCRAM verifier is passed on standard input. The output may contain it, so an error shows only the line with its
    severity, whose word is English whatever the stack's lc_messages is (PostgreSQL manual, postgres --single).
    """
    from infra.postgres.connection.scram import verifier  # noqa: PLC0415 (imports the driver)

    statements = (
        "SET default_transaction_read_only = off;\n"
        f"ALTER ROLE \"{spec.admin_user}\" LOGIN PASSWORD '{verifier(spec.admin_password)}' VALID UNTIL 'infinity';\n"
    )
    overrides = {
        "log_statement": "none",
        "log_min_duration_statement": "-1",
        "logging_collector": "off",
        "lc_messages": "C",
    }
    arguments = ["--single", "-D", str(layout.data), *configuration.command_line(layout, ports.FIRST_PORT)]
    arguments += [word for name, value in overrides.items() for word in ("-c", f"{name}={value}")]
    result = spawn.run_program(
        distribution.tool("postgres"),
        [*arguments, MAINTENANCE_DATABASE],
        account,
        directory=layout.data,
        seconds=SINGLE_SECONDS,
        standard_input=statements.encode(),
    )
    error = re.search(r"(?:ERROR|FATAL|PANIC):  .*", result.output)
    if error or result.status != 0:
        message = error[0] if error else f"status {result.status}"
        raise ServerError(f"the admin's password cannot be set: {message}", place=str(layout.data))
