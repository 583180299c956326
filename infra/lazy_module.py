"""Modules that are imported when they are first used."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class LazyModule:
    """A module that is imported when an attribute of it is first used.

    Most runs change nothing. A provider's `check` and `diff` run for every resource of each of them; what is rarely
    needed (the parser, the Docker SDK, what applies a module) is imported by what acts.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:  # noqa: ANN401 (whatever the module has)
        return getattr(import_module(self._name), attribute)
