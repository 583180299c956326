"""The variables through which a `make test` would reach the `make` that a test starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping

OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS", "MAKE_TERMOUT", "MAKE_TERMERR")
"""What GNU make exports to a sub-make (manual, 5.7): options, a job server, variables of the command line."""

OF_TARGETS = ("STACK", "ARGS", "DB", "ROLE", "SETUP", "M")
"""What the targets of this Makefile take. Others (PYTHON, FULL, POSTGRES, CI) are about the machine and the tests."""


def drop_make_variables(environment: MutableMapping[str, str]) -> None:
    """Remove from an environment what makes an inner `make` inherit the arguments of the outer one."""
    for name in (*OF_MAKE, *OF_TARGETS):
        environment.pop(name, None)
