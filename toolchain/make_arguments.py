"""What a person gives to `make`: STACK and ARGS, read from the environment and checked.

The Makefile passes them there as they were typed, and no shell ever sees them: ARGS is split as a shell would split it,
and nothing in it is run.
"""

from __future__ import annotations

import os
import re
import shlex

from parts import SetupError

STACK_NAME = re.compile(r"(?:[A-Za-z0-9_.][A-Za-z0-9_.-]{0,99}/){0,2}[A-Za-z0-9_.][A-Za-z0-9_.-]{0,99}")
"""A stack as Pulumi names it, in front of it perhaps an organization and a project; never an option or a path."""

_STACK_OPTIONS = re.compile(r"--stack(=.*)?|-s.*|--config-file(=.*)?")


def stack_variable() -> str:
    """Return STACK, by default dev; raises SetupError where it is not the name of a stack."""
    stack = os.environ.get("STACK") or "dev"
    if not STACK_NAME.fullmatch(stack) or ".." in stack:
        raise SetupError(f"STACK={stack!r} is not a valid name; use letters, digits, '_', '.' and '-'")
    return stack


def further_arguments() -> list[str]:
    """Return the words of ARGS; raises SetupError where a quotation is not closed."""
    text = os.environ.get("ARGS") or ""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise SetupError(f"ARGS={text!r}: {str(error).lower()}; close the quotation") from None


def pulumi_arguments() -> list[str]:
    """Return the words of ARGS for `pulumi`; raises SetupError where one names another stack or its settings."""
    arguments = further_arguments()
    for word in arguments:
        if _STACK_OPTIONS.fullmatch(word):
            raise SetupError(f"ARGS has {word}; name the stack by STACK=name instead")
    return arguments
