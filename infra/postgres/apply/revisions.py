"""Brings an existing database to the last revision: each revision in a transaction of its own, with its record.

A fresh database runs none: its modules make what all revisions lead to, and it is stamped when they have run.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from infra.errors import ModuleError
from infra.migrations.adoption import known_databases
from infra.migrations.history import BASELINE_FOLDER, History, read_history
from infra.migrations.revision_sql import RevisionSql, refuse_restricted, upgrade_sql
from infra.modules.decision import Lifecycle
from infra.modules.digests import text_digest
from infra.modules.module import load_modules
from infra.modules.module_file import ModuleFile
from infra.plan.ledger_rows import own_rows
from infra.postgres.apply.adoption import access_statements, adoption_of, likenesses, refuse_what_is_there
from infra.postgres.apply.by_statement import run_statements
from infra.postgres.apply.module_text import end_module, last_writes, refuse_written_privileges, run_text
from infra.postgres.connection.execute import owner_transaction
from infra.postgres.introspection.reader import is_empty, read_catalog
from infra.postgres.ledger import ledger
from infra.postgres.ledger.identity import create_ledger, current_identity, read_identity
from infra.postgres.ledger.stamp import read_stamp, write_stamp

if TYPE_CHECKING:
    from infra.catalog.catalog import Catalog
    from infra.postgres.apply.adoption import Adoption
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session

_STAMP_SECONDS = 10
MIGRATED = "migrate"
"""The step of a revision's event in the ledger."""


def history_of(session: Session) -> History | None:
    """Return the revisions of a session's folder, None where it has none."""
    return read_history(session.migrations)


@dataclass(frozen=True)
class Due:
    """What a database has to run before its modules: what gives each object to the owner (`access`), then revisions.

    `adoption` is what they belong to in a database that was made elsewhere, `done` how many of its steps were run.
    """

    revisions: tuple[RevisionSql, ...] = ()
    access: tuple[tuple[str, ...], ...] = ()
    adoption: Adoption | None = None
    done: int = 0

    def __bool__(self) -> bool:
        return bool(self.revisions)


def due_revisions(connection: Connection, session: Session) -> Due:
    """Return what a database has to run, as SQL.

    Nothing is due in an ephemeral stack, which rebuilds, and in a database that is empty, or another stack's. One that
    was made elsewhere is brought over where the session says so (`adopt`). Raises RefusedError where the database is at
    an unknown revision, or like no known kind; ModuleError and ModuleFileError for a wrong revision.
    """
    history = history_of(session) if session.runs_revisions else None
    if history is None:
        return Due()
    own = current_identity(connection, session.program)
    identity = read_identity(connection)
    is_own = identity in {own, replace(own, stack=session.formerly)}
    current = None
    if is_own:
        current = read_stamp(connection) or _revision_before_stamps(connection, session, history)
    if current is None:
        may_be_elsewhere = session.adopt and (is_own or (identity is None and not is_empty(connection)))
        return _due_elsewhere(connection, session, history) if may_be_elsewhere else Due()
    for known in known_databases(history.directory):
        done = known.done_at(current)
        if done is not None:
            return _due_of(connection, adoption_of(session, history, known), session, read_catalog(connection), done)
    if session.lifecycle is Lifecycle.EPHEMERAL:
        return Due()
    revisions = tuple(upgrade_sql(history.after(current, session.place)))
    for revision in revisions:
        refuse_restricted(revision)
    return Due(revisions)


def _due_elsewhere(connection: Connection, session: Session, history: History) -> Due:
    """Return what a database has to run that has no stamp: nothing, where no kind is known or its modules made it."""
    live = read_catalog(connection)
    found = likenesses(session, history, live)
    if not found or found[0].lacking or ledger_has_modules(connection):
        return Due()
    return _due_of(connection, adoption_of(session, history, found[0].known), session, live, 0)


def _due_of(connection: Connection, adoption: Adoption, session: Session, live: Catalog, done: int) -> Due:
    checked = done + revision_has_begun(connection, session, adoption.steps[done])
    refuse_what_is_there(adoption, checked, live, session.place)  # of a step that has begun, some is there
    access = access_statements(session, adoption.catalogs[done], live)
    return Due(adoption.after(done), tuple(access), adoption, done)


def revision_has_begun(connection: Connection, session: Session, revision: RevisionSql) -> bool:
    """Return whether an earlier run stopped between the statements of a revision."""
    row = session.program.row(revision.module.name)
    return read_identity(connection) is not None and ledger.has_begun(connection, row)


def ledger_has_modules(connection: Connection) -> bool:
    """Return whether a module was applied to a database, by any stack."""
    return read_identity(connection) is not None and bool(ledger.read_entries(connection))


def _revision_before_stamps(connection: Connection, session: Session, history: History) -> str | None:
    """Return the baseline's id for a database that was made by its modules, before there were revisions.

    A database that has the rows of the current modules is at the last revision, and only waits for its stamp.
    """
    entries = own_rows({entry.module: entry for entry in ledger.read_entries(connection)}, session.program)
    rows = {module: entry.digests.statements for module, entry in entries.items()}
    baseline = _digests_in(f"{history.directory}/{BASELINE_FOLDER}")
    if rows == _digests_in(session.directory):
        return None
    if history.squashed and rows and rows.items() < baseline.items():  # the modules of the first baseline
        return next(iter(history.squashed))
    return history.revisions[0].revision if rows == baseline else None


def _digests_in(directory: str) -> dict[str, str]:
    return {
        module.name: ModuleFile(module).statements_digest
        for module in load_modules(Path(directory), shown_as=directory)
    }


def run_pending(connection: Connection, session: Session, revision: RevisionSql) -> None:
    """Run a revision and write its record, in one transaction; statement by statement where it asks for that.

    Raises ModuleError with the line of the revision's file.
    """
    module = revision.module
    started = time.perf_counter()
    try:
        if revision.outside:
            run_statements(connection, session, module)
            with session.transaction(connection):
                _record(connection, session, revision, started)
        else:
            with session.transaction(connection):
                before = last_writes(connection)
                run_text(connection, session, module)
                end_module(connection, session, module)
                refuse_written_privileges(module, before, last_writes(connection))
                _record(connection, session, revision, started)
    except ModuleError as error:
        _record_failure(connection, session, revision, error)
        raise revision.located(error) from None


def stamp_head(connection: Connection, owner: str, head: str) -> None:
    """Write the last revision into a database whose modules are all as in their files, unless it is there."""
    if read_stamp(connection) == head:
        return
    with owner_transaction(connection, owner, lock_timeout=_STAMP_SECONDS, statement_timeout=_STAMP_SECONDS):
        write_stamp(connection, head)


def _record(connection: Connection, session: Session, revision: RevisionSql, started: float) -> None:
    if not read_identity(connection):
        create_ledger(connection, session.program)
    write_stamp(connection, revision.revision)
    _record_event(connection, session, revision, milliseconds=(time.perf_counter() - started) * 1000)
    row = session.program.row(revision.module.name)
    connection.execute("DELETE FROM sqlmodule.resume WHERE module = %s", (row,))


def _record_event(
    connection: Connection,
    session: Session,
    revision: RevisionSql,
    *,
    milliseconds: float = 0,
    failure: str | None = None,
) -> None:
    module = revision.module
    ledger.record_event(
        connection,
        module.name,
        MIGRATED,
        text_digest(module.text),
        program=session.program,
        milliseconds=milliseconds,
        failure=failure,
    )


def _record_failure(connection: Connection, session: Session, revision: RevisionSql, error: ModuleError) -> None:
    """Write the failure as an event; an error in doing so is ignored, since `error` counts."""
    if connection.broken or not error.sqlstate:
        return
    try:
        with session.transaction(connection):
            _record_event(connection, session, revision, failure=error.sqlstate)
    except psycopg.Error:
        return
