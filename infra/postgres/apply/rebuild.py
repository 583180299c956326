"""Rebuilds a module in an ephemeral stack: what it and the later modules created is dropped, and they run again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from infra.catalog.catalog import NOTES
from infra.catalog.changes import CatalogChange, catalog_change_between
from infra.errors import ModuleError
from infra.modules.decision import Step
from infra.modules.directive import runs_by_statement
from infra.modules.module import order
from infra.modules.restrictions import adds_enum_value
from infra.modules.statements import statements_digest
from infra.postgres.apply.drop import created_objects, drop_objects
from infra.postgres.apply.execution import Applied, digests_of, run_in_transaction, run_module
from infra.postgres.apply.module_effects import modules_of
from infra.postgres.apply.module_text import reset_session
from infra.postgres.introspection.reader import read_catalog
from infra.postgres.ledger import ledger
from infra.postgres.ledger.identity import read_identity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from infra.catalog.catalog import ObjectId
    from infra.modules.module import Module
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session
    from infra.postgres.ledger.ledger import LedgerEntry


ENUM_VERSION = 170_000
"""The first server version where a transaction that creates an enum may use a value that it adds later."""
UNSAFE_NEW_ENUM_VALUE = "55P04"


class Commit(NamedTuple):
    """The point where a rebuild commits: the first module that has to wait for it, and why."""

    before: str
    why: str


class _CommitNeededError(Exception):
    """A module in the transaction of a rebuild has to wait for the commit of those before it."""


def rebuild(connection: Connection, session: Session, module: Module) -> Applied:
    """Drop what this module and the later ones created, in reverse order, and run them again.

    All of it is one transaction, up to the first module that has to wait for its commit: that one and those after it
    run one by one afterwards. Raises ModuleError, and RefusedError where other objects depend on what is dropped.
    """
    try:
        milliseconds = _rebuild_until_commit(connection, session, module)
    except _CommitNeededError as waiting:
        reset_session(connection)
        milliseconds = _rebuild_until_commit(connection, session, module, commit_before=str(waiting))
    return Applied(Step.REBUILD, milliseconds + finish_rebuild(connection, session))


def commit_within(modules: Sequence[Module], server_version: int) -> Commit | None:
    """Return where a rebuild of these modules commits before its end, None where it is one transaction.

    Values that a module adds to an enum are found in its statements. Where it adds them otherwise, as in a DO block,
    and a later module uses them, the rebuild finds that out and begins again.
    """
    for previous, module in zip([None, *modules], modules, strict=False):
        if runs_by_statement(module.text):
            return Commit(module.name, f"{module.name} runs statement by statement")
        if previous and server_version < ENUM_VERSION and adds_enum_value(previous):
            return Commit(module.name, f"{previous.name} adds a value to an enum, usable after its commit only")
    return None


def _rebuild_until_commit(
    connection: Connection, session: Session, module: Module, *, commit_before: str = ""
) -> float:
    """Drop, and run the modules up to the commit; return the time taken by them in milliseconds.

    The rows in sqlmodule.resume say which ones have to run after it.
    """
    milliseconds = 0.0
    with session.transaction(connection):
        names = _drop_for_rebuild(connection, session, module)
        modules = [current for current in modules_of(session) if current.name in names]
        commit = commit_within(modules, connection.info.server_version)
        measure = _successive_changes(connection)
        postponed = False
        for number, current in enumerate(modules):
            postponed = postponed or current.name == commit_before or bool(commit and current.name == commit.before)
            if postponed:
                ledger.record_progress(
                    connection, current.name, done=0, digest=statements_digest(""), effect=CatalogChange(), begun=False
                )
                continue
            try:
                applied = run_in_transaction(
                    connection, session, current, digests_of(current), Step.REBUILD, measure=measure
                )
            except ModuleError as error:
                if error.sqlstate == UNSAFE_NEW_ENUM_VALUE and number > 0 and not adds_enum_value(current):
                    raise _CommitNeededError(current.name) from error
                raise
            milliseconds += applied.milliseconds
    return milliseconds


def finish_rebuild(connection: Connection, session: Session) -> float:
    """Run the modules that a rebuild postponed, and return the time taken in milliseconds.

    They are known by their rows in sqlmodule.resume, so that a rebuild that was killed is finished by the next run.
    """
    unfinished = ledger.read_unfinished(connection) if read_identity(connection) else {}
    return sum(
        run_module(connection, session, later, digests_of(later), Step.REBUILD).milliseconds
        for later in (modules_of(session) if unfinished else [])
        if later.name in unfinished
    )


def _successive_changes(connection: Connection) -> Callable[[Callable[[], None]], CatalogChange]:
    """Return a function that calls its argument and returns what the catalog changed since the call before."""
    before = read_catalog(connection)

    def measure(act: Callable[[], None]) -> CatalogChange:
        nonlocal before
        act()
        earlier, before = before, read_catalog(connection)
        return catalog_change_between(earlier, before)

    return measure


def _drop_for_rebuild(connection: Connection, session: Session, module: Module) -> set[str]:
    """Drop, in the current transaction, and return the names of the modules that have to run again."""
    unfinished = ledger.read_unfinished(connection)
    entries = sorted([*ledger.read_entries(connection), *unfinished.values()], key=lambda entry: order(entry.module))
    rows = entries_to_rebuild(entries, module.name)
    objects: dict[ObjectId, str | None] = {}
    for entry in reversed(rows):
        objects |= created_objects(entry.effect)
    drop_objects(connection, objects, place=f"{module.path} in {session.place}")
    names = {entry.module for entry in rows} | {module.name}
    ledger.delete_entries(connection, sorted(names))
    return names


def entries_to_rebuild(entries: list[LedgerEntry], module: str) -> list[LedgerEntry]:
    """Return the rows of the modules that are rebuilt with `module`, in the order given: itself and the later ones.

    Where one of these changed an object of an earlier module, that module and those after it are rebuilt as well,
    because a change is only undone by creating the object again. Orphaned modules are left out: they have no file.
    """
    creators = {
        identity: entry.module
        for entry in entries
        for identity in entry.effect.objects
        if identity not in entry.effect.changed
    }
    first = module
    while True:
        selection = [
            entry for entry in entries if order(entry.module) >= order(first) and entry.outcome != ledger.ORPHANED
        ]
        changed = (identity for entry in selection for identity in entry.effect.changed if identity.kind not in NOTES)
        earliest = min((creators[identity] for identity in changed if identity in creators), default=first, key=order)
        if order(earliest) >= order(first):
            return selection
        first = earliest
