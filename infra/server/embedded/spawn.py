"""Starts a PostgreSQL program as the service account, without forking the caller, and waits for its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.server.embedded.account import Account

LAUNCHER = Path(__file__).with_name("launcher.py")
ENVIRONMENT = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class ProcessResult:
    """How a program ended (negative: by that signal) and what it wrote to standard output and standard error."""

    status: int
    output: str

    def last_lines(self, count: int = 3) -> str:
        """Give the end of the output on one line, for an error's text."""
        return " ".join(line.strip() for line in self.output.strip().splitlines()[-count:]) or f"status {self.status}"


def run_program(
    tool: Path | str,
    arguments: Sequence[str],
    account: Account,
    *,
    directory: Path,
    seconds: float,
    standard_input: bytes = b"",
) -> ProcessResult:
    """Run a program as `account` in `directory`; after `seconds` its whole process group is killed (ServerError).

    The trampoline's own start costs about 0.015 s. Never put a secret into `arguments`: they are public (ps).
    """
    uid, gid = (str(account.uid), str(account.gid)) if account.switch else ("-", "-")
    command = [sys.executable, "-I", "-S", str(LAUNCHER), uid, gid, str(directory), str(tool), *arguments]
    return run_command(command, seconds=seconds, standard_input=standard_input)


def run_command(command: Sequence[str], *, seconds: float, standard_input: bytes = b"") -> ProcessResult:
    """Run a command as the caller; its first word is an absolute path.

    Everything that makes subprocess fork (user, cwd, umask, preexec_fn, close_fds) stays unused, so that it takes
    posix_spawn or vfork. Output goes to a file without a name: a pipe would stay open as long as any daemon holds it.
    """
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=output, stderr=output, env=ENVIRONMENT, close_fds=False
            )
        except OSError as error:
            raise ServerError(f"cannot be run: {error.strerror}", place=command[0]) from None
        with process:
            try:
                process.communicate(standard_input, timeout=seconds)
            except BaseException as error:  # KeyboardInterrupt too: nothing may be left running
                _kill(process)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise ServerError(
                        f"did not end within {seconds:g} s, and was killed", place=_name(command)
                    ) from None
                raise
        output.seek(0)
        return ProcessResult(process.returncode, output.read().decode("utf-8", "replace"))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a trampoline's process group (it leads a session of its own), and any other command alone."""
    with suppress(ProcessLookupError, PermissionError):
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _name(command: Sequence[str]) -> str:
    return command[7] if str(LAUNCHER) in command else command[0]
