"""What a revision uses that the servers of older stacks do not have: it was run on the newest of them only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from infra.lint.rules.versions import newer_features
from infra.lint.stack_settings import read_stacks
from infra.modules.statements import parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.migrations.revision_sql import RevisionSql


def newer_than_stacks(directory: Path, revisions: Iterable[RevisionSql]) -> list[str]:
    """Return a line for each thing that PostgreSQL of a stack with these modules does not have, with its place."""
    stacks = [stack for stack in read_stacks(Path()) if stack.version and stack.directory == directory.resolve()]
    oldest = min(stacks, key=lambda stack: stack.version, default=None)
    if oldest is None:
        return []
    return [
        f"{revision.path}:{statement.line}: {words}: PostgreSQL {since} has it, and the server of {oldest.path} is "
        f"PostgreSQL {oldest.version}; write it otherwise, or move the stack to a newer version"
        for revision in revisions
        for statement in revision.statements
        for part in parse(statement.sql, revision.path)
        for words, since in newer_features(part, oldest.version).items()
    ]
