"""Child processes: PostgreSQL's programs run as the service account, without a fork of the caller."""

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
    """An exit status (negative: the number of the signal that ended it), and standard output and standard error."""

    status: int
    output: str

    def last_lines(self, count: int = 3) -> str:
        """Return the last `count` lines of the output on one line, for the text of an error."""
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
    """Run a program as `account` in `directory`; raise ServerError after `seconds`, its whole process group killed.

    The start of the launcher costs about 0.015 s. Never put a secret into `arguments`: ps(1) shows them to everybody.
    """
    uid, gid = (str(account.uid), str(account.gid)) if account.switch else ("-", "-")
    command = [sys.executable, "-I", "-S", str(LAUNCHER), uid, gid, str(directory), str(tool), *arguments]
    return run_command(command, seconds=seconds, standard_input=standard_input)


def run_command(command: Sequence[str], *, seconds: float, standard_input: bytes = b"") -> ProcessResult:
    """Run a command as the caller; its first word is an absolute path. Raises ServerError as run_program() does.

    None of the arguments that make subprocess fork (user, cwd, umask, preexec_fn, close_fds) is used, so that it calls
    posix_spawn or vfork. The output goes to an unnamed file: a pipe would stay open as long as a daemon holds it.
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
            except BaseException as error:  # also KeyboardInterrupt: no program may outlive the call
                _kill(process)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise ServerError(
                        f"did not end within {seconds:g} s, and was killed", place=_name(command)
                    ) from None
                raise
        output.seek(0)
        return ProcessResult(process.returncode, output.read().decode("utf-8", "replace"))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process group of a launcher, which leads a session of its own; of any other command the process only."""
    with suppress(ProcessLookupError, PermissionError):
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _name(command: Sequence[str]) -> str:
    return command[7] if str(LAUNCHER) in command else command[0]
