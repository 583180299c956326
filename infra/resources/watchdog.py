"""Ends the host of the dynamic resources when Pulumi is gone: a killed `pulumi` leaves it running otherwise.

The transaction that it was in ends with it: PostgreSQL looks every second whether its client is still there.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from functools import cache

EVERY_SECONDS = 1.0
_ANSWER_SECONDS = 5.0
_PATIENCE = 2


@cache
def watch_the_engine() -> None:
    """Start watching, once in a process; the engine's address is the host's one argument."""
    host, _, port = sys.argv[-1].rpartition(":")
    if host and port.isdigit():
        threading.Thread(target=_watch, args=((host, int(port)),), daemon=True).start()


def _watch(address: tuple[str, int]) -> None:
    misses = 0
    while misses < _PATIENCE:
        time.sleep(EVERY_SECONDS)
        misses = 0 if is_open(address) else misses + 1
    os._exit(1)


def is_open(address: tuple[str, int]) -> bool:
    """Say whether somebody listens at an address."""
    try:
        socket.create_connection(address, timeout=_ANSWER_SECONDS).close()
    except OSError:
        return False
    return True
