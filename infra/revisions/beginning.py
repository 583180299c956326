"""Begins a history: the modules as they are become the baseline, from which the first revision will lead on."""

from __future__ import annotations

from pathlib import Path

from infra.errors import RefusedError
from infra.migrations.history import BASELINE_FOLDER, file_digests, read_history, write_lock
from infra.modules.module import load_modules

BASELINE_REVISION = '''"""The schema as the modules in {directory}/baseline/ make it{which}.

Revision ID: {revision}
"""

from alembic.util import CommandError

revision = "{revision}"
down_revision = None


def upgrade() -> None:
    """Refuse: modules fill an empty database, and no revision leads here from an older one."""
    raise CommandError("a database cannot be brought to the baseline by revisions; `make up` fills an empty one")


def downgrade() -> None:
    """Refuse: {why}."""
    raise CommandError("there is no revision before the baseline{which_has}")
'''
"""The file of the revision that is the baseline."""


def begin_history(directory: str, sql: Path) -> list[str]:
    """Write the baseline of a project without revisions, and return the files that were written, as lines.

    Databases whose ledger has the modules as they are now are at this baseline. Raises InfraError where there are
    revisions already, and for modules that cannot be read.
    """
    modules = load_modules(sql, shown_as=str(sql))
    folder, versions = Path(directory, BASELINE_FOLDER), Path(directory, "versions")
    if read_history(directory) or any(folder.glob("*.sql")) or any(versions.glob("*.py")):
        raise RefusedError(
            "has revisions already", place=f"{directory}/", remedy='`make revision M="…"` writes the next'
        )
    texts = {folder / f"{module.name}.sql": module.text for module in modules}
    first = versions / "0001_baseline.py"
    why = "there is nothing before the baseline"
    texts[first] = BASELINE_REVISION.format(directory=directory, which="", revision="0001", why=why, which_has="")
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    write_lock(directory, file_digests(directory, [f"versions/{first.name}"]))
    return [f"{path}: written" for path in texts]
