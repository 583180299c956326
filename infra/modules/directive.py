"""The directive in a module's first comment by which it runs statement by statement, outside a transaction."""

from __future__ import annotations

DIRECTIVE = "-- platform-postgres: statement by statement"


def runs_by_statement(text: str) -> bool:
    """Return whether one of the comment lines at the beginning of the module is the directive."""
    for line in text.splitlines():
        if not line.startswith("--"):
            return False
        if line.strip() == DIRECTIVE:
            return True
    return False
