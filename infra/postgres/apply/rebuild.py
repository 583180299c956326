"""Makes a module anew in an ephemeral stack: what it and the later ones made is dropped, and they run again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.catalog.catalog import NOTES
from infra.catalog.changes import CatalogChange, catalog_change_between
from infra.modules.decision import Digests, Step
from infra.modules.digests import text_digest
from infra.modules.directive import runs_by_statement
from infra.modules.module import order
from infra.modules.statements import statements_digest
from infra.postgres.apply.by_statement import run_by_statement
from infra.postgres.apply.compare import modules_of
from infra.postgres.apply.drop import created, drop_objects
from infra.postgres.apply.execution import Applied, run_module
from infra.postgres.introspection.reader import read_catalog
from infra.postgres.ledger import ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.catalog.catalog import ObjectId
    from infra.modules.module import Module
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session
    from infra.postgres.ledger.ledger import LedgerEntry


def run_whole(connection: Connection, session: Session, module: Module, digests: Digests, step: Step) -> Applied:
    """Run a module as it asks to be run: in one transaction, or statement by statement."""
    if runs_by_statement(module.text):
        return run_by_statement(connection, session, module, digests, step)
    with session.transaction(connection):
        if not ledger.exists(connection):
            ledger.create(connection, session.stack)
        return run_module(connection, session, module, digests, step)


def rebuild(connection: Connection, session: Session, module: Module) -> Applied:
    """Drop what this module and the later ones made, in reverse, and run them again.

    All of it is one transaction, but for modules that run statement by statement, which come after it.
    """
    milliseconds = 0.0
    after: list[Module] = []
    with session.transaction(connection):
        names = _drop(connection, session, module)
        watching = _one_after_the_other(connection)
        for one in modules_of(session):
            if one.name in names and (after or runs_by_statement(one.text)):
                after.append(one)
                ledger.note(
                    connection, one.name, done=0, digest=statements_digest(""), effect=CatalogChange(), begun=False
                )
            elif one.name in names:
                again = run_module(connection, session, one, digests_of(one), Step.REBUILD, watching=watching)
                milliseconds += again.milliseconds
    return Applied(Step.REBUILD, milliseconds + finish(connection, session, module))


def finish(connection: Connection, session: Session, module: Module) -> float:
    """Run what a rebuild has still to run of later modules, also one that did not live to do it; in milliseconds."""
    left = ledger.begun(connection) if ledger.identity(connection) else {}
    later = [one for one in modules_of(session) if one.name in left and one.number >= module.number] if left else []
    return sum(run_whole(connection, session, one, digests_of(one), Step.REBUILD).milliseconds for one in later)


def _one_after_the_other(connection: Connection) -> Callable[[Callable[[], None]], CatalogChange]:
    """Watch acts that share a transaction: each is what changed since the one before it."""
    before = read_catalog(connection)

    def watching(act: Callable[[], None]) -> CatalogChange:
        nonlocal before
        act()
        earlier, before = before, read_catalog(connection)
        return catalog_change_between(earlier, before)

    return watching


def digests_of(module: Module) -> Digests:
    """Digest a module's file."""
    return Digests(text_digest(module.text), statements_digest(module.text))


def _drop(connection: Connection, session: Session, module: Module) -> set[str]:
    """Drop, in the current transaction, and give the names of the modules that have to run again."""
    begun = ledger.begun(connection)
    entries = sorted([*ledger.entries(connection), *begun.values()], key=lambda entry: order(entry.module))
    dropping = to_rebuild(entries, module.name)
    objects: dict[ObjectId, str | None] = {}
    for entry in reversed(dropping):
        objects |= created(entry.effect)
    drop_objects(connection, objects, place=f"{module.path} in {session.place}")
    names = {entry.module for entry in dropping} | {module.name}
    ledger.forget(connection, sorted(names))
    return names


def to_rebuild(entries: list[LedgerEntry], module: str) -> list[LedgerEntry]:
    """Give the rows of the modules that are dropped with this one: itself, the later ones, and earlier ones that any of
    these changed, because only making them anew undoes that. What is retained stays.
    """
    makers = {one: entry.module for entry in entries for one in entry.effect.objects if one not in entry.effect.changed}
    first = module
    while True:
        dropping = [one for one in entries if order(one.module) >= order(first) and one.outcome != ledger.RETAINED]
        touched = (one for entry in dropping for one in entry.effect.changed if one.kind not in NOTES)
        needed = min((makers[one] for one in touched if one in makers), default=first, key=order)
        if order(needed) >= order(first):
            return dropping
        first = needed
