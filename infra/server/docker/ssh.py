"""The connection to a Docker engine on another machine: its socket, forwarded by the system's `ssh`.

The SDK's own support of ssh:// is not used. It needs paramiko even where it starts `ssh`, logs in again for every
request, has no timeouts, and fails when a command ends (https://github.com/docker/docker-py/issues/2966 and 3218).
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from infra.errors import ServerError

_REMOTE_SOCKET = "/var/run/docker.sock"
_OPTIONS = {
    "BatchMode": "yes",  # an error instead of a question for a password or a host key
    "ConnectTimeout": "30",  # seconds
    "ServerAliveInterval": "15",  # seconds; after three intervals without an answer the connection ends
    "ExitOnForwardFailure": "yes",
}
_READY = "ready"
_COMMAND = f"echo {_READY} && exec cat"
"""The remote command: `cat` reads the end of its input, and so `ssh` ends, when this process ends in any way."""
_FORWARD = """"$@"; if [ -e "$0/used" ]; then rm -rf "$0"; fi"""
"""What runs `ssh`, and then removes the socket's folder: Pulumi kills the host of the providers, which cannot do so."""
_END_SECONDS = 5


@functools.cache
def forward_socket(host: str) -> str:
    """Return the path of a Unix socket that is connected to the engine of an ssh:// address until this process ends.

    `ssh` uses the user's configuration, keys and agent. The engine's socket is /var/run/docker.sock unless the address
    has a path. Raises ServerError with the message of `ssh` if it cannot log in.
    """
    parts = urlsplit(host)
    if not shutil.which("ssh"):
        raise _error(host, "ssh is not installed")
    directory = Path(tempfile.mkdtemp(prefix="platform-postgres-ssh-"))  # only this user may enter it
    local_socket, log = directory / "docker.sock", directory / "log"
    command = [
        "sh",
        "-c",
        _FORWARD,
        str(directory),
        "ssh",
        "-T",
        "-L",
        f"{local_socket}:{parts.path.rstrip('/') or _REMOTE_SOCKET}",
    ]
    command += [word for name, value in _OPTIONS.items() for word in ("-o", f"{name}={value}")]
    command += ["-l", parts.username] if parts.username else []
    command += ["-p", str(parts.port)] if parts.port else []
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*command, "--", parts.hostname or "", _COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,  # Ctrl-C reaches this process, which may still need the connection
        )
    assert process.stdout
    if not any(line.strip() == _READY for line in process.stdout):  # a profile may write lines of its own
        message = " ".join(log.read_text(errors="replace").split())
        _end(process, directory)
        raise _error(host, message or "ssh ended without a message")
    (directory / "used").touch()
    atexit.register(_end, process, directory)
    return str(local_socket)


def _error(host: str, reason: str) -> ServerError:
    return ServerError(
        f"cannot be reached: {reason}",
        place=f"Docker at {host}",
        remedy="make sure that `ssh` opens this machine without asking for a password or a host key",
    )


def _end(process: subprocess.Popen[str], directory: Path) -> None:
    """End `ssh` by the end of its input, and remove the folder where it has not been removed."""
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    shutil.rmtree(directory, ignore_errors=True)
