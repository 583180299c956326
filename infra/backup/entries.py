"""Which entries of a dump are restored, by pg_restore's list of them (PostgreSQL manual, pg_restore, --use-list)."""

from __future__ import annotations

import re
from contextlib import contextmanager
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from infra.backup.programs import run_client

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

EXTENSIONS = re.compile(r"\d+; \d+ \d+ (?:EXTENSION - |COMMENT - EXTENSION |SCHEMA - public )")
"""What an administrator creates before a restore, with schema public, which every database has."""

DECLARED = re.compile(EXTENSIONS.pattern + r"|\d+; \d+ \d+ (?:(?:ACL|COMMENT) - SCHEMA public |DEFAULT ACL - )")
"""The same, and what else a stack declares itself."""

DECLARED_AND_IDENTITY = re.compile(
    DECLARED.pattern
    + r"|\d+; \d+ \d+ (?:(?:SCHEMA -|(?:ACL|COMMENT) - SCHEMA) sqlmodule |(?:TABLE|TABLE DATA|CONSTRAINT) sqlmodule"
    r" identity |(?:ACL|COMMENT) sqlmodule TABLE identity )"
)
"""The same, and what says whose the ledger is: it stays that of a database which is the stack's already."""

ALL_BUT_PRIVILEGES_OF_SEQUENCES = re.compile(r"(?!\d+; \d+ \d+ ACL .* SEQUENCE )")


@contextmanager
def list_without(pattern: re.Pattern[str], dump: Path, programs: Path) -> Generator[str]:
    """Yield the option of pg_restore that restores all of a dump but what matches."""
    entries = run_client(programs / "pg_restore", None, ["--list", str(dump)]).splitlines()
    with NamedTemporaryFile("w", prefix="restore-", suffix=".list") as listed:
        listed.write("\n".join(line for line in entries if not pattern.match(line)))
        listed.flush()
        yield f"--use-list={listed.name}"
