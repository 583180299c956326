"""Which revisions were released: those that the last tag of version control has."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from infra.migrations.history import LOCK_FILE, parse_history

if TYPE_CHECKING:
    from infra.migrations.history import History, Revision


def unreleased_revisions(history: History) -> tuple[Revision, ...]:
    """Return the revisions after the baseline that the last tag does not have: all of them where there is no tag."""
    folder = Path(history.directory)
    tag = git(folder, "describe", "--tags", "--abbrev=0")
    text = git(folder, "show", f"{tag}:./{LOCK_FILE}") if tag else None
    released = parse_history(history.directory, text.splitlines()).positions if text else {}
    return tuple(revision for revision in history.revisions[1:] if revision.revision not in released)


def git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints, None where it fails or is not there."""
    try:
        result = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return result.stdout.strip() if result.returncode == 0 else None
