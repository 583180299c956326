"""What becomes of a module's objects when its file is gone: they stay, or go and take nothing of others along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.catalog.catalog import NOTES
from infra.catalog.changes import is_structure
from infra.errors import RefusedError
from infra.modules.decision import Lifecycle, ModuleState
from infra.modules.module import order
from infra.postgres.apply.compare import NAMED_DIFFERENCES
from infra.postgres.apply.drop import created, drop_objects
from infra.postgres.apply.rebuild import to_rebuild
from infra.postgres.introspection.reader import read_catalog
from infra.postgres.ledger import ledger

if TYPE_CHECKING:
    from infra.catalog.catalog import Catalog
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session
    from infra.postgres.ledger.ledger import LedgerEntry

NOTHING = "there was nothing to drop"


def retire_module(connection: Connection, session: Session, module: str) -> str:
    """Retain or drop what a module made, and give what was done in a sentence; raises RefusedError and LedgerError."""
    identity = ledger.identity(connection)
    if not identity:
        return NOTHING
    if identity != ledger.here(connection, session.stack):
        raise RefusedError(f"the database {ModuleState.FOREIGN.value}", place=f"module {module} in {session.place}")
    with session.transaction(connection):
        entry = ledger.entry(connection, module) or ledger.begun(connection).get(module)
        if entry is None:
            return NOTHING
        if session.lifecycle is Lifecycle.PERSISTENT:
            ledger.retain(connection, module)
            return f"its objects stay in {session.place}: the ledger says retained"
        _can_be_undone(connection, session, entry)
        before = read_catalog(connection)
        drop_objects(connection, created(entry.effect), place=f"module {module} in {session.place}")
        _took_nothing_else(connection, session, entry, before)
        ledger.forget(connection, [module])
        return f"its objects are dropped from {session.place}"


def _can_be_undone(connection: Connection, session: Session, entry: LedgerEntry) -> None:
    """Refuse where dropping what a module made leaves what it changed of others."""
    others = [
        one.module
        for one in to_rebuild(ledger.entries(connection), entry.module)
        if order(one.module) < order(entry.module)
    ]
    if others:
        changed = ", ".join(sorted(str(one) for one in entry.effect.changed if one.kind not in NOTES))
        raise RefusedError(
            f"changed what {others[0]} made, which cannot be taken back: {changed}",
            place=f"module {entry.module} in {session.place}",
            remedy="put the file back, or destroy the stack and bring it up again",
        )


def _took_nothing_else(connection: Connection, session: Session, entry: LedgerEntry, before: Catalog) -> None:
    """Refuse where what other modules made has gone along: indexes, constraints and triggers go with their table."""
    dropped = before.objects.keys() - read_catalog(connection).objects.keys()
    for other in ledger.entries(connection) if dropped else []:
        gone = created(other.effect).keys() & dropped
        if other.module != entry.module and gone:
            named = ", ".join(sorted(str(one) for one in gone if is_structure(one))[:NAMED_DIFFERENCES])
            raise RefusedError(
                f"cannot be dropped, because {other.module} built on what it made: {named}",
                place=f"module {entry.module} in {session.place}",
                remedy="take that out of the later module too, or put the file back",
            )
