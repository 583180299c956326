"""The option by which `make preview` writes a draft of the SQL of what databases lack to a file."""

from __future__ import annotations

from pathlib import Path

from parts import SetupError

OPTION = "--missing-sql"
MISSING_SQL = "PLATFORM_POSTGRES_MISSING_SQL"
"""The variable with the file to which a preview writes the SQL."""


def take_option(words: list[str]) -> tuple[list[str], dict[str, str]]:
    """Return the words for `pulumi`, and the variables of the option among them; raises SetupError without a file."""
    left = [word for word in words if word.partition("=")[0] != OPTION]
    files = [word.partition("=")[2] for word in words if word not in left]
    if not files:
        return left, {}
    if not files[-1]:
        raise SetupError(f"ARGS has {OPTION} without a file; write {OPTION}=missing.sql")
    return left, {MISSING_SQL: str(Path(files[-1]).absolute())}
