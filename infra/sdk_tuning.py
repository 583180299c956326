"""Processes that are over soon leave their garbage to the system: Python looks for it often, and again at its end."""

from __future__ import annotations

import atexit
import gc
from functools import cache


@cache
def disable_garbage_collection() -> None:
    """Look for no garbage from now on: for a process that is over before its memory counts, as the program's is."""
    gc.disable()
    atexit.register(gc.freeze)  # what is frozen is not looked through at the end either


@cache
def freeze_loaded_objects() -> None:
    """Take what is there for what stays, and look through the rest only: for the providers' host."""
    gc.freeze()
    atexit.register(gc.freeze)
