"""Tears down what a plan says, and runs the modules that have to run (ephemeral stacks only)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.catalog.changes import CatalogChange
from infra.catalog.structure import makers
from infra.errors import ModuleError
from infra.modules.decision import Step
from infra.modules.restrictions import adds_enum_value
from infra.modules.statements import statements_digest
from infra.plan.commits import Commit
from infra.plan.ledger_rows import own_rows
from infra.plan.plan import objects_dropped
from infra.postgres.apply.drop import drop_objects
from infra.postgres.apply.execution import Applied, digests_of, run_in_transaction, run_module
from infra.postgres.apply.module_text import reset_session
from infra.postgres.introspection.effects import successive_changes
from infra.postgres.ledger import ledger
from infra.postgres.ledger.identity import read_identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.modules.module import Module
    from infra.plan.ledger_rows import LedgerEntry
    from infra.plan.plan import Plan
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session


UNSAFE_NEW_ENUM_VALUE = "55P04"


class _CommitNeededError(Exception):
    """A module in the transaction of a rebuild has to wait for the commit of those before it."""


def rebuild(connection: Connection, session: Session, plan: Plan, runs: Sequence[Module]) -> dict[str, Applied]:
    """Drop what the plan's teardown names, the last first, then run modules; return what was done with each.

    All of it is one transaction, up to the first module that has to wait for its commit: that one and those after it
    run one by one afterwards. Where the plan has none, and a module needs it, all is rolled back, and begun again with
    a commit before that module. Raises ModuleError, and RefusedError where other objects depend on what is dropped.
    """
    try:
        applied = _rebuild_until_commit(connection, session, plan.teardown, runs, commit=plan.commit)
    except _CommitNeededError as waiting:
        reset_session(connection)
        commit = Commit(str(waiting), "a module before it adds a value to an enum, usable after a commit only")
        session.tell(f"{session.place}: the run {commit}")
        applied = _rebuild_until_commit(connection, session, plan.teardown, runs, commit=commit)
    return applied | finish_rebuild(connection, session)


def _rebuild_until_commit(
    connection: Connection,
    session: Session,
    teardown: Sequence[LedgerEntry],
    runs: Sequence[Module],
    *,
    commit: Commit | None,
) -> dict[str, Applied]:
    """Drop, and run the modules up to the commit; the rows in sqlmodule.resume say which ones run after it."""
    applied: dict[str, Applied] = {}
    dropped = {entry.module for entry in teardown}
    with session.transaction(connection):
        _drop(connection, session, teardown)
        measure = successive_changes(connection, session.target)
        postponed = False
        for number, module in enumerate(runs):
            postponed = postponed or bool(commit and module.name == commit.before)
            if postponed:
                row = session.program.row(module.name)
                ledger.record_progress(
                    connection, row, done=0, digest=statements_digest(""), effect=CatalogChange(), begun=False
                )
                continue
            step = Step.REBUILD if module.name in dropped else Step.APPLY
            try:
                applied[module.name] = run_in_transaction(
                    connection, session, module, digests_of(module), step, measure=measure
                )
            except ModuleError as error:
                if error.sqlstate == UNSAFE_NEW_ENUM_VALUE and number > 0 and not adds_enum_value(module):
                    raise _CommitNeededError(module.name) from error
                raise
    return applied


def finish_rebuild(connection: Connection, session: Session) -> dict[str, Applied]:
    """Run the modules that a rebuild postponed, and return what was done with each.

    They are known by their rows in sqlmodule.resume, so that a rebuild that was killed is finished by the next run.
    """
    unfinished = own_rows(ledger.read_unfinished(connection), session.program) if read_identity(connection) else {}
    return {
        module.name: run_module(connection, session, module, digests_of(module), Step.REBUILD)
        for module in (session.read_modules() if unfinished else ())
        if module.name in unfinished
    }


def _drop(connection: Connection, session: Session, teardown: Sequence[LedgerEntry]) -> None:
    """Drop what modules created and delete their rows, in the current transaction."""
    first, last = teardown[0].module, teardown[-1].module
    names = f"module {first}" if first == last else f"modules {first} to {last}"
    dropped = [entry.module for entry in teardown]
    rows = {*map(session.program.row, dropped)}
    others = makers(
        (entry.module, entry.effect) for entry in ledger.read_entries(connection) if entry.module not in rows
    )
    drop_objects(
        connection, objects_dropped(teardown), place=f"{names} in {session.place}", made_by=others, tell=session.tell
    )
    ledger.delete_entries(connection, dropped, session.program)
    if not session.beside:
        ledger.delete_seed(connection)
