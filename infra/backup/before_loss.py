"""The backup that a run makes before revisions that destroy values: without it, and its proof, they do not run."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from infra.backup.dump import back_up, file_name
from infra.errors import InfraError, RefusedError, system_error_text
from infra.plan.ledger_rows import stack_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.postgres.connection.session import Session

WITHOUT_BACKUP = "no revision ran; correct that, or take `backup.before_destructive` out of the settings, and run again"
_one_at_a_time = threading.Lock()
"""Each proof starts a server of its own, and the databases of a group come in parallel."""


def back_up_before_loss(session: Session, folder: Path, *, keep: int, source: Mapping[str, str]) -> list[str]:
    """Make and prove a backup of a session's database in `folder`, and return what was done, in lines.

    `keep` of the database's backups stay there, 0 for all; `source` has the programs of the private server, as for
    scratch databases. Raises RefusedError where there is no proved backup afterwards.
    """
    bin_dir, root = (Path(source[name]) if source.get(name) else None for name in ("bin_dir", "data_root"))
    home = folder / file_name(session.target.database)
    try:
        with _one_at_a_time:
            lines = back_up(
                [session.target],
                stack=session.stack,
                home=home,
                bin_dir=bin_dir,
                root=root,
                keep=keep,
                must_prove=True,
            )
    except (InfraError, OSError) as error:
        what = system_error_text(error) if isinstance(error, OSError) else str(error)
        raise RefusedError(f"the backup failed: {what}", place=session.place, remedy=WITHOUT_BACKUP) from None
    newest = max(path for path in home.iterdir() if path.is_dir() and not path.name.startswith("."))
    return [*lines, f"to restore it: make restore STACK={stack_name(session.stack)} ARGS={newest}"]
