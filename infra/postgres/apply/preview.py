"""What a run would do with a module, for previews and refreshes: reads and compares, never writes.

A preview must be quick: a server that does not answer within a few seconds is left out of it. A refresh, which records
what it finds, waits as long as any other connection does.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from infra.catalog.identifiers import last
from infra.errors import InfraError, LedgerError
from infra.modules.decision import Decision, Digests, ModuleState, Step, change_between, decide
from infra.modules.module import order
from infra.postgres.apply.compare import compare_module, summarize_differences
from infra.postgres.apply.drop import created_objects
from infra.postgres.apply.module_effects import effects_of_modules, modules_of
from infra.postgres.apply.rebuild import entries_to_rebuild
from infra.postgres.apply.status import DatabaseStatus, ModuleStatus, read_status
from infra.postgres.connection.connect import connect
from infra.postgres.connection.error_messages import translate_error
from infra.postgres.connection.failure import ConnectionFailure, classify_connection_error
from infra.postgres.ledger.ledger import ORPHANED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from infra.modules.module import Module
    from infra.postgres.connection.session import Session
    from infra.postgres.connection.target import Target
    from infra.postgres.ledger.ledger import LedgerEntry

_CONNECT_SECONDS = 2
_STATEMENT_SECONDS = 10
_COUNT_SECONDS = 2
"""The time limits of a preview: to connect, for any statement, and for counting the rows of one table."""


@dataclass(frozen=True)
class Preview:
    """What a preview shows of a module: the step with its reason, the drift, the refusal; '' where there is none."""

    change: str = ""
    drift: str = ""
    refused: str = ""


class Snapshots:
    """The status of each database as it was when first read; None where it could not be read.

    A snapshot is valid for the rest of the process: Pulumi starts a provider process for each preview or refresh, which
    asks for every module of a database and changes none. Runs do not use snapshots.
    """

    def __init__(self) -> None:
        self._statuses: dict[str, DatabaseStatus | None] = {}
        self._lock = threading.Lock()

    def get(self, key: str, read: Callable[[], DatabaseStatus | None]) -> DatabaseStatus | None:
        """Return the snapshot for a key, which the first call reads while others wait; an error is not kept."""
        with self._lock:
            if key not in self._statuses:
                self._statuses[key] = read()
            return self._statuses[key]

    def clear(self) -> None:
        """Forget all snapshots."""
        self._statuses.clear()


_snapshots = Snapshots()


def forget_snapshots() -> None:
    """Forget what previews and refreshes read, as a new process would."""
    _snapshots.clear()


def preview(session: Session, module: Module, digests: Digests) -> Preview:
    """Return what a run would do with a module; an empty Preview when the server does not answer soon.

    Raises what comparing with a scratch database raises, such as ModuleError.
    """
    database = cached_status(session.target, session.stack, session.tell)
    if database is None:
        return Preview()
    status, problem = _classify_from_snapshot(session, module, database)
    entry = status.entry
    change = change_between(digests, entry.digests if entry else None)
    decision = decide(status.state, change, session.lifecycle)
    place = f"{module.path} in {session.place}"
    if decision.step is Step.VERIFY:
        problem = summarize_differences(
            compare_module(database, effects_of_modules(session), module.name, entry.effect if entry else None)
        )
        if problem:
            what = f"{decision.why}, but the database does not match: {problem}"
            return Preview(refused=f"{place}: {what}; {decision.remedy}")
    if decision.step is Step.REFUSE and not entry:
        return Preview(refused=f"{place}: {decision.why}{': ' if problem else ''}{problem}; {decision.remedy}")
    if not entry:
        return Preview(_change_text(session, module.name, database, decision))
    drift = "" if database.is_foreign() else "\n".join(map(str, database.drift(entry.module)))
    return Preview(_change_text(session, entry.module, database, decision), drift)


def detect_drift(session: Session, module: str) -> str | None:
    """Return an applied module's drift as changed lines, '' for none, None where its row or the database is missing.

    The database is read once for all its modules. Raises ServerError when it cannot be read, LedgerError when its
    ledger is another stack's.
    """

    def read() -> DatabaseStatus | None:
        try:
            with connect(session.target, autocommit=True) as connection:
                return read_status(connection, session.stack)
        except psycopg.OperationalError as error:
            if classify_connection_error(error) is not ConnectionFailure.NO_DATABASE:
                raise translate_error(error, session.place) from None
            return None

    database = _snapshots.get(f"without limits {session.target}", read)
    if database is None or module not in database.entries:
        return None
    if database.is_foreign():
        raise LedgerError(f"the database {ModuleState.FOREIGN.value}", place=session.place)
    return "\n".join(map(str, database.drift(module)))


def cached_status(target: Target, stack: str, tell: Callable[[str], None]) -> DatabaseStatus | None:
    """Return a database's status as first read in this process, None when the server did not answer soon.

    The reason is reported to `tell` once, except where a database or role does not exist yet, as before the first run.
    """

    def read() -> DatabaseStatus | None:
        try:
            with connect(_with_time_limits(target), autocommit=True) as connection:
                return read_status(connection, stack)
        except (psycopg.Error, InfraError) as error:
            if not _is_before_first_run(error):
                message = (str(error).strip().splitlines() or [type(error).__name__])[0]
                tell(f"live check of database {target.database} skipped: {message}")
            return None

    return _snapshots.get(str(target), read)


def _is_before_first_run(error: Exception) -> bool:
    return isinstance(error, psycopg.Error) and classify_connection_error(error) in {
        ConnectionFailure.NO_DATABASE,
        ConnectionFailure.LOGIN_REFUSED,
    }


def _with_time_limits(target: Target) -> Target:
    limits = f"-c statement_timeout={_STATEMENT_SECONDS}s -c default_transaction_read_only=on"
    return replace(target, options={**target.options, "connect_timeout": str(_CONNECT_SECONDS), "options": limits})


def _classify_from_snapshot(session: Session, module: Module, database: DatabaseStatus) -> tuple[ModuleStatus, str]:
    """Return a module's status from a snapshot, with a summary of what stands against a module without a row.

    `status.classify` does this for runs, from the database itself; it renames rows, which a preview may not.
    """
    if database.is_foreign():
        return ModuleStatus(ModuleState.FOREIGN, None, database), ""
    entry = database.entries.get(module.name) or _entry_of_renamed_file(session, module, database)
    if entry:
        return ModuleStatus(database.state(entry.module), entry, database), ""
    if module.name in database.unfinished or not database.unmanaged(session.allowed):
        return ModuleStatus(ModuleState.FRESH, None, database), ""
    effects = effects_of_modules(session)
    state = database.state_without_row(effects.by_module[module.name], effects.definitions)
    return ModuleStatus(state, None, database), summarize_differences(
        compare_module(database, effects, module.name, None)
    )


def _entry_of_renamed_file(session: Session, module: Module, database: DatabaseStatus) -> LedgerEntry | None:
    """Return the row with this module's number whose file is gone: a run takes it for this module's and renames it."""
    candidates = [entry for entry in database.entries.values() if order(entry.module)[0] == module.number]
    files = {existing.name for existing in modules_of(session)} if candidates else set[str]()
    return next((entry for entry in candidates if entry.module not in files and entry.outcome != ORPHANED), None)


def _change_text(session: Session, module: str, database: DatabaseStatus, decision: Decision) -> str:
    """Return a step with its reason, and what a rebuild loses; '' where nothing is to be pointed out."""
    if decision.step in {Step.UNCHANGED, Step.APPLY, Step.REFUSE}:
        return ""
    if decision.step is not Step.REBUILD:
        return f"{decision.step.value}: {decision.why}"
    entries = entries_to_rebuild(list(database.entries.values()), module)
    tables = created_tables(entries)
    names = {identity.name for identity in database.catalog.objects}
    counts = _row_counts(session, [table for table in tables if table in names]) if tables else {}
    modules = [entry.module for entry in entries]
    return f"{decision.step.value}: {decision.why}; {rebuild_text(modules or [module], tables, counts)}"


def created_tables(entries: Sequence[LedgerEntry]) -> list[str]:
    """Return the names of the tables that modules created, in the order of their rows."""
    return [
        identity.name for entry in entries for identity in created_objects(entry.effect) if identity.kind == "table"
    ]


def rebuild_text(modules: Sequence[str], tables: Sequence[str], counts: Mapping[str, str]) -> str:
    """Return what rebuilding modules drops, and which tables lose how many rows, given as in `_row_counts`."""
    numbers = [module.partition("-")[0] for module in modules]
    rebuilt = f"modules {numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else f"module {numbers[0]}"
    if not tables:
        return f"drops and recreates what {rebuilt} created, no table among it"
    lost = ", ".join(f"{last(table)} {count}" for table, count in counts.items() if count != "0")
    number = "1 table" if len(tables) == 1 else f"{len(tables)} tables"
    return f"drops and recreates {number} of {rebuilt}, losing {f'all rows ({lost})' if lost else 'no row'}"


def _row_counts(session: Session, tables: list[str]) -> dict[str, str]:
    """Return each table's number of rows as text, with `about` before an estimate where counting takes too long."""
    counts: dict[str, str] = {}
    with connect(_with_time_limits(session.target), autocommit=True) as connection:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(session.owner)))
        connection.execute(sql.SQL("SET statement_timeout = {}").format(_COUNT_SECONDS * 1000))
        for table in tables:
            try:
                row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
                counts[table] = str(row[0]) if row else "0"
            except psycopg.errors.QueryCanceled:
                row = connection.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)", (table,))
                counts[table] = f"about {(row.fetchone() or ('?',))[0]}"
    return counts
