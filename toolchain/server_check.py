"""Whether a stack's server answers, asked before a refresh reads what is inside it."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import struct
from pathlib import Path
from typing import Any

from outputs import public_outputs
from parts import report
from run_pulumi import run_pulumi
from stack_names import typed

CONNECT_SECONDS = 3
_ASK_FOR_TLS = struct.pack("!II", 8, 80877103)


def refresh_server(stack: str, command: list[str], variables: dict[str, str]) -> int:
    """Refresh the server alone where it does not answer, and return the exit status, not 0 if it still does not.

    Pulumi reads all resources at once: each of those inside a server that is down would be an error of its own. A
    server of the stack's own is started by this; why another one does not answer is one message.
    """
    if answers(public_outputs(stack, variables)):
        return 0
    status = run_pulumi([*command, "--target", "**::server"], variables)
    if not status and answers(public_outputs(stack, variables)):
        return 0
    report(f"refresh: the server does not answer, so nothing inside it was read; run `{typed('up', stack)}`")
    return status or 1


def follow_primary(stack: str, options: list[str], variables: dict[str, str]) -> int:
    """Write into the state which of several hosts is the primary now, and return the exit status.

    The postgresql plugin is told one host. `destroy` does not run the program, and would use that of the last run.
    """
    targets = ["--target", "**::server", "--target", "**::admin"]
    return run_pulumi(["refresh", "--stack", stack, *options, "--run-program", *targets], variables)


def has_several_hosts(outputs: dict[str, Any]) -> bool:
    """Return whether a stack's outputs name several hosts, of which now this and now that one is the primary."""
    return "," in str(outputs.get("host", ""))


def answers(outputs: dict[str, Any]) -> bool:
    """Return whether the server of a stack's outputs runs: an embedded one by its process, others by their port."""
    if "log_file" not in outputs:
        return _is_listening(outputs)
    return _is_running(Path(str(outputs["log_file"])).parent / "data" / "postmaster.pid", int(outputs["port"]))


def _is_running(pid_file: Path, port: int) -> bool:
    """Return whether a postmaster's process exists, and has this port: its lines 1 and 4 (manual, 73.1, miscinit.h)."""
    try:
        lines = pid_file.read_text("utf-8").splitlines()
        if int(lines[3]) != port:
            return False
        os.kill(int(lines[0]), 0)
    except PermissionError:  # it is there, and another user's
        return True
    except (OSError, ValueError, IndexError):
        return False
    return True


def _is_listening(outputs: dict[str, Any]) -> bool:
    """Return whether a server answers at one of the addresses, or these are not known.

    A paused container's port accepts connections and does not answer, so that it is asked for TLS (manual, 53.2.10).
    """
    host, port = str(outputs.get("host", "")), outputs.get("port")
    if not port or host.startswith("/"):  # before the first `up`; a socket's folder
        return True
    ports = itertools.cycle(str(port).split(","))
    for name, number in zip(host.split(","), ports, strict=False):
        address = name, int(float(number))
        with contextlib.suppress(OSError), socket.create_connection(address, CONNECT_SECONDS) as connection:
            connection.sendall(_ASK_FOR_TLS)
            if connection.recv(1):
                return True
    return False
