"""A new module makes what one without a file has made, because statements moved from one file to another.

Pulumi creates before it deletes, so the new module runs while what the old one made is still there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.errors import ModuleError
from infra.modules.decision import Lifecycle
from infra.postgres.apply.compare import modules_of
from infra.postgres.apply.retire import retire_module
from infra.postgres.ledger import ledger

if TYPE_CHECKING:
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session

THERE = frozenset({"42P06", "42P07", "42710", "42723"})
"""Duplicate schema, duplicate table (or index, sequence, view), duplicate object, duplicate function."""


def drop_orphans(connection: Connection, session: Session, error: ModuleError) -> bool:
    """Let modules without a file go, where one of them may be why a new module failed; say whether to try it again.

    What they made is dropped in an ephemeral stack, as their deletion would; raises RefusedError where something else
    depends on it. In a persistent one nothing is dropped; raises the error with their names.
    """
    if error.sqlstate not in THERE or not ledger.identity(connection):
        return False
    files = {one.name for one in modules_of(session)}
    gone = [entry for entry in ledger.entries(connection) if entry.module not in files]
    if gone and session.lifecycle is Lifecycle.PERSISTENT:
        raise _hinted(error, [entry.module for entry in gone])
    leaving = [entry.module for entry in reversed(gone) if entry.outcome != ledger.RETAINED]
    for name in leaving:
        session.tell(f"{name} was removed: {retire_module(connection, session, name)}")
    return bool(leaving)


def _hinted(error: ModuleError, gone: list[str]) -> ModuleError:
    """Give the error with the modules that may have made what is there."""
    hint = (
        error.hint or f"what modules without a file made stays: {', '.join(gone)}; a file that comes back is compared"
    )
    return ModuleError(
        error.what, sqlstate=error.sqlstate, at=error.at, path=error.place, detail=error.detail, hint=hint
    )
