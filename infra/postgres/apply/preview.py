"""What a run would do with a module, for a preview: read, compared, never written; quick, or not at all."""

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
from infra.postgres.apply.compare import differences_of, effects_of_modules, in_one_line, modules_of
from infra.postgres.apply.drop import created
from infra.postgres.apply.rebuild import to_rebuild
from infra.postgres.apply.runner import ModuleStatus
from infra.postgres.apply.status import DatabaseStatus, read_status
from infra.postgres.connection.error_messages import translate_error
from infra.postgres.connection.target import connect
from infra.postgres.ledger.ledger import RETAINED

if TYPE_CHECKING:
    from infra.modules.module import Module
    from infra.postgres.connection.session import Session
    from infra.postgres.connection.target import Target
    from infra.postgres.ledger.ledger import LedgerEntry

CONNECT_SECONDS = 2
_ANSWER_SECONDS = 10
COUNT_SECONDS = 2

_looked: dict[str, DatabaseStatus | None] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Preview:
    """What a preview shows of a module: the step in words, its drift, or why it is refused; '' for each that is not."""

    change: str = ""
    drift: str = ""
    refused: str = ""


def preview(session: Session, module: Module, digests: Digests) -> Preview:
    """Foresee what a run would do with a module; without an answer from the server only what the file says."""
    live = cached_status(session)
    if live is None:
        return Preview()
    seen, problem = _see(session, module, live)
    change = change_between(digests, seen.entry.digests if seen.entry else None)
    decision = decide(seen.state, change, session.lifecycle)
    place = f"{module.path} in {session.place}"
    if decision.step is Step.VERIFY:
        problem = in_one_line(
            differences_of(live, effects_of_modules(session), module.name, seen.entry.effect if seen.entry else None)
        )
        if problem:
            what = f"{decision.why}, and the database has not followed: {problem}"
            return Preview(refused=f"{place}: {what}; {decision.remedy}")
    if decision.step is Step.REFUSE and not seen.entry:
        return Preview(refused=f"{place}: {decision.why}{': ' if problem else ''}{problem}; {decision.remedy}")
    if not seen.entry:
        return Preview(_in_words(session, module.name, live, decision))
    drift = "" if live.is_foreign() else "\n".join(str(one) for one in live.drift(seen.entry.module))
    return Preview(_in_words(session, seen.entry.module, live, decision), drift)


def detect_drift(session: Session, module: str) -> str | None:
    """Give an applied module's drift, '' for none, or None where the ledger does not hold it or there is no database.

    The database is read once for all its modules; raises ServerError when it cannot be.
    """
    key = f"whole {session.target}"
    with _lock:
        if key not in _looked:
            try:
                with connect(session.target, autocommit=True) as connection:
                    _looked[key] = read_status(connection, session.stack)
            except psycopg.OperationalError as error:
                if f'database "{session.target.database}" does not exist' not in str(error):
                    raise translate_error(error, session.place) from None
                _looked[key] = None
        live = _looked[key]
    if live is None or module not in live.entries:
        return None
    if live.is_foreign():
        raise LedgerError(f"the database {ModuleState.FOREIGN.value}", place=session.place)
    return "\n".join(str(one) for one in live.drift(module))


def cached_status(session: Session) -> DatabaseStatus | None:
    """Look at a database once in a process, if it answers soon; tell once when it does not."""
    key = str(session.target)
    with _lock:
        if key not in _looked:
            try:
                with connect(_impatient(session.target), autocommit=True) as connection:
                    _looked[key] = read_status(connection, session.stack)
            except (psycopg.Error, InfraError) as error:
                _looked[key] = None
                if "does not exist" not in str(error) and "authentication failed" not in str(error):
                    said = (str(error).strip().splitlines() or [type(error).__name__])[0]
                    session.tell(f"live check of {session.place} skipped: {said}")
        return _looked[key]


def _impatient(target: Target) -> Target:
    limits = f"-c statement_timeout={_ANSWER_SECONDS}s -c default_transaction_read_only=on"
    return replace(target, options={**target.options, "connect_timeout": str(CONNECT_SECONDS), "options": limits})


def _see(session: Session, module: Module, live: DatabaseStatus) -> tuple[ModuleStatus, str]:
    """Find a module's state in what was read, and what stands against a module that is new."""
    if live.is_foreign():
        return ModuleStatus(ModuleState.FOREIGN, None, live), ""
    entry = live.entries.get(module.name) or _renamed(session, module, live)
    if entry:
        return ModuleStatus(live.state(entry.module), entry, live), ""
    if module.name in live.begun or not live.unmanaged(session.allowed):
        return ModuleStatus(ModuleState.FRESH, None, live), ""
    made = effects_of_modules(session)
    state = live.state_of_new(made.effects[module.name], made.last)
    return ModuleStatus(state, None, live), in_one_line(differences_of(live, made, module.name, None))


def _renamed(session: Session, module: Module, live: DatabaseStatus) -> LedgerEntry | None:
    """Give the row of the module with this one's number whose file is gone: it is this one, under another name."""
    same = [one for one in live.entries.values() if order(one.module)[0] == module.number]
    files = {one.name for one in modules_of(session)} if same else set[str]()
    return next((one for one in same if one.module not in files and one.outcome != RETAINED), None)


def _in_words(session: Session, module: str, live: DatabaseStatus, decision: Decision) -> str:
    if decision.step in {Step.UNCHANGED, Step.APPLY, Step.REFUSE}:
        return ""
    if decision.step is Step.REBUILD:
        return f"{decision.step.value}: {decision.why}; {_losses(session, live, module)}"
    return f"{decision.step.value}: {decision.why}"


def _losses(session: Session, live: DatabaseStatus, module: str) -> str:
    """Say which modules are made anew, and which tables with how many rows are lost with what they made."""
    dropping = to_rebuild(list(live.entries.values()), module)
    tables = [one.name for entry in dropping for one in created(entry.effect) if one.kind == "table"]
    numbers = [one.module.partition("-")[0] for one in dropping]
    again = f"{numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else module.partition("-")[0]
    if not tables:
        return f"drops and makes anew what {again} made, which is no table"
    rows = _rows(session, [table for table in tables if any(table == one.name for one in live.catalog.objects)])
    lost = ", ".join(f"{last(table)} {count}" for table, count in rows.items() if count != "0")
    count = "1 table" if len(tables) == 1 else f"{len(tables)} tables"
    return f"drops and makes anew {count} of {again}, losing {f'all rows ({lost})' if lost else 'no row'}"


def _rows(session: Session, tables: list[str]) -> dict[str, str]:
    """Count rows as far as that is quick; what is not counted in time is PostgreSQL's estimate, with `about`."""
    counted: dict[str, str] = {}
    with connect(_impatient(session.target), autocommit=True) as connection:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(session.owner)))
        connection.execute(sql.SQL("SET statement_timeout = {}").format(COUNT_SECONDS * 1000))
        for table in tables:
            try:
                row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
                counted[table] = str(row[0]) if row else "0"
            except psycopg.errors.QueryCanceled:
                row = connection.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)", (table,))
                counted[table] = f"about {(row.fetchone() or ('?',))[0]}"
    return counted
