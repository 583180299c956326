"""What is between the statements of a dump that psql runs: its own commands, and the rows of COPY."""

from __future__ import annotations

import re

PSQL_COMMANDS = re.compile(r"^\\(?:un)?restrict .*$|^\\connect .*$", re.MULTILINE)
COPY_ROWS = re.compile(r"^COPY (?P<table>\S+) .*FROM stdin;\n(?P<rows>(?:.*\n)*?)\\\.$", re.MULTILINE)


def blank_lines(found: re.Match[str]) -> str:
    """Return as many empty lines as were found, so that places in the rest of a file stay right."""
    return "\n" * found[0].count("\n")
