"""Ends the host of the dynamic resources when Pulumi is gone: a killed `pulumi` leaves it running otherwise.

The transaction that it was in ends with it: PostgreSQL checks every second whether its client is still connected.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from functools import cache

ENGINE_CHECK_SECONDS = 1.0
CONNECT_SECONDS = 5.0
FAILURES_BEFORE_EXIT = 2


@cache
def watch_engine() -> None:
    """Start a thread that watches the engine, once in a process; its address is the host's one argument."""
    host, _, port = sys.argv[-1].rpartition(":")
    if host and port.isdigit():
        threading.Thread(target=_watch, args=((host, int(port)),), daemon=True).start()


def _watch(address: tuple[str, int]) -> None:
    failures = 0
    while failures < FAILURES_BEFORE_EXIT:
        time.sleep(ENGINE_CHECK_SECONDS)
        failures = 0 if is_listening(address) else failures + 1
    os._exit(1)


def is_listening(address: tuple[str, int]) -> bool:
    """Return whether a connection to an address succeeds."""
    try:
        socket.create_connection(address, timeout=CONNECT_SECONDS).close()
    except OSError:
        return False
    return True
