"""The order of revisions as their own files say it, read by Alembic; the lock file has to say the same."""

from __future__ import annotations

import warnings
from pathlib import Path

from infra.errors import InfraError

_REMEDY = "name in one the other as its `down_revision`, then run `python -m infra revision --lock`"


def order_of_files(directory: str) -> list[str]:
    """Return the revisions of a folder from the first to the last, as the lock file names them.

    Raises InfraError where they are not one line: several are the last one, or one follows what is not there.
    """
    from alembic.script import ScriptDirectory  # noqa: PLC0415 (a run with nothing to migrate does not import Alembic)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the errors after them say the same
            script = ScriptDirectory(directory)
            heads = script.get_heads()
            names = [f"versions/{Path(part.path).name}" for part in script.walk_revisions()]
    except KeyError as error:
        raise InfraError(f"has a revision after {error}, which is not there", place=directory, remedy=_REMEDY) from None
    except Exception as error:  # noqa: BLE001 (revisions are programs of the project)
        raise InfraError(f"cannot be put in order: {error}", place=directory, remedy=_REMEDY) from None
    if len(heads) != 1:
        what = f"has {len(heads)} heads ({', '.join(sorted(heads))}), and may have one"
        raise InfraError(what, place=directory, remedy=_REMEDY)
    return names[::-1]
