"""How a program ends with an error that is shown once."""

from __future__ import annotations

import atexit
import os
import threading
from typing import NoReturn

import pulumi

MESSAGE_WAS_SHOWN = 32
"""The exit status that tells Pulumi's language host to add nothing of its own."""


def has_own_process() -> bool:
    """Return whether Pulumi runs the program in a process of its own, and not in a thread of the Automation API's."""
    return threading.current_thread() is threading.main_thread()


def end_program(message: str) -> NoReturn:
    """End the program with an error: Pulumi shows it, and would explain the exit status 1 in a second one."""
    if has_own_process():
        atexit.register(os._exit, MESSAGE_WAS_SHOWN)
    raise pulumi.RunError(message)
