"""What happens to a module whose file is gone: a persistent stack keeps its objects, an ephemeral one drops them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from infra.catalog.catalog import NOTES
from infra.catalog.changes import created_objects
from infra.catalog.structure import makers
from infra.errors import RefusedError
from infra.modules.decision import Lifecycle, ModuleState
from infra.modules.module import order
from infra.plan.ledger_rows import ORPHANED
from infra.plan.row_selection import entries_to_rebuild
from infra.postgres.apply.drop import drop_objects
from infra.postgres.ledger import ledger
from infra.postgres.ledger.identity import current_identity, read_identity

if TYPE_CHECKING:
    from infra.plan.ledger_rows import LedgerEntry
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session

NOTHING_TO_DROP = ""
"""What is said of a module that has no row, because nothing was done: it was dropped before, or was renamed."""


def retire_module(connection: Connection, session: Session, module: str) -> str:
    """Retain or drop what a module created, as the lifecycle says; return what was done as part of a sentence, or ''.

    Raises RefusedError where the ledger is of another stack, or where dropping would take objects of other modules or
    leave changes to them; LedgerError where the ledger cannot be read.
    """
    identity = read_identity(connection)
    if not identity:
        return NOTHING_TO_DROP
    if identity != current_identity(connection, session.program):
        raise RefusedError(f"the database {ModuleState.FOREIGN.value}", place=f"module {module} in {session.place}")
    program, row = session.program, session.program.row(module)
    with session.transaction(connection):
        entry = ledger.read_entry(connection, module, program) or ledger.read_unfinished(connection).get(row)
        if entry is None or entry.outcome == ORPHANED:
            return NOTHING_TO_DROP
        if session.lifecycle is Lifecycle.PERSISTENT:
            ledger.mark_orphaned(connection, module, session.program)
            return f"its objects stay in {session.place}, and the ledger marks it as orphaned"
        _refuse_if_it_changed_others(connection, session, entry)
        others = makers((each.module, each.effect) for each in ledger.read_entries(connection) if each.module != row)
        place = f"module {module} in {session.place}"
        drop_objects(connection, created_objects(entry.effect), place=place, made_by=others, tell=session.tell)
        ledger.delete_entries(connection, [module], session.program)
        own = {identity.name for identity in created_objects(entry.effect) if identity.kind == "table"}
        stay = entry.rows_outside(own)
        rows = f"; the rows that it inserted elsewhere stay ({stay})" if stay else ""
        return f"its objects are dropped from {session.place}{rows}"


def _refuse_if_it_changed_others(connection: Connection, session: Session, entry: LedgerEntry) -> None:
    """Raise RefusedError where a module changed objects of earlier ones: dropping its own does not undo that.

    Rows in their tables are no reason: they stay.
    """
    entries = [row for row in ledger.read_entries(connection) if session.program.module_of(row.module)]
    rows = [replace(row, seeds={}) for row in entries]
    earlier = [row.module for row in entries_to_rebuild(rows, entry.module) if order(row.module) < order(entry.module)]
    if earlier:
        changed = ", ".join(sorted(str(identity) for identity in entry.effect.changed if identity.kind not in NOTES))
        raise RefusedError(
            f"changed objects of {earlier[0]}, and dropping its own objects does not undo that: {changed}",
            place=f"module {entry.module} in {session.place}",
            remedy="restore the file, or destroy the stack and bring it up again",
        )
