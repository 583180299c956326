"""What a module may declare in its first comment: that it runs statement by statement, outside a transaction."""

from __future__ import annotations

DIRECTIVE = "-- platform-postgres: statement by statement"


def runs_by_statement(text: str) -> bool:
    """Say whether a line of the module's first comment is the directive."""
    for line in text.splitlines():
        if not line.startswith("--"):
            return False
        if line.strip() == DIRECTIVE:
            return True
    return False
