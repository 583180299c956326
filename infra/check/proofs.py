"""Modules on a scratch database: rolled back without a trace, run, and run again, harmless or refused."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import psycopg
from psycopg import sql

from infra.catalog.changes import fold
from infra.catalog.difference import differences
from infra.check.codes import CHECK_CODES
from infra.check.comparing import named
from infra.check.sources import STATEMENT_SECONDS, Built
from infra.errors import ModuleError
from infra.findings.finding import Finding, Place
from infra.modules.directive import runs_by_statement
from infra.modules.restrictions import find_restricted
from infra.postgres.apply.scratch import run_on_scratch
from infra.postgres.connection import pool
from infra.postgres.connection.execute import execute, set_role
from infra.postgres.connection.simple_query import simple_query
from infra.postgres.connection.target import connect
from infra.postgres.introspection.reader import read_catalog

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from infra.catalog.catalog import Catalog
    from infra.catalog.changes import CatalogChange
    from infra.check.sources import ScratchServer
    from infra.errors import InfraError
    from infra.modules.module import Module
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.target import Target

MOST_NAMED = 20

# What a module can do beside the catalog of its database: what ROLLBACK does not take back, and rows.
BESIDE = """
SELECT format('sequence %I.%I stands at %s', schemaname, sequencename, coalesce(last_value::text, 'its start'))
FROM pg_sequences
UNION ALL SELECT 'role ' || quote_ident(rolname) FROM pg_roles
UNION ALL SELECT 'settings of ' || coalesce(setrole::regrole::text, '') || ' ' || array_to_string(setconfig, ', ')
    FROM pg_db_role_setting
UNION ALL SELECT 'replication slot ' || quote_ident(slot_name) FROM pg_replication_slots
"""
ROWS = r"""
SELECT format('%I.%I', schemaname, relname),
    format('%s inserted, %s updated, %s deleted', n_tup_ins, n_tup_upd, n_tup_del)
FROM pg_stat_xact_user_tables
WHERE schemaname NOT LIKE 'pg\_temp\_%'
"""


class SecondRun(NamedTuple):
    """How a second run of a module ended: its refusal in PostgreSQL's words, '' where nothing happened."""

    module: str
    why: str


class ModuleRun(NamedTuple):
    """What modules made, what was found on the way, and whether all of them ran."""

    built: Built
    findings: list[Finding]
    whole: bool


class ProofState(NamedTuple):
    """Everything that a module may change."""

    catalog: Catalog
    beside: frozenset[str]


def not_run(modules: Sequence[Module]) -> list[Finding]:
    """Give a finding for everything that a stack would refuse before it runs a module."""
    return [_of_error(error) for module in modules for error in find_restricted(module)]


def run_modules(ground: ScratchServer, scratch: Target, modules: Sequence[Module], *, tried: bool = True) -> ModuleRun:
    """Run modules in their order, each rolled back first when it is to be `tried`; stops at the first that fails."""
    effects: dict[str, CatalogChange] = {}
    found: list[Finding] = []
    with pool.connection(scratch) as connection:
        before = _state(connection)
        for module in modules:
            try:
                if tried and not runs_by_statement(module.text):
                    _rolled_back(connection, ground.owner, module)
                    found += _traces(module, before, _state(connection))
                effects[module.name] = run_on_scratch(
                    connection, scratch, module, owner=ground.owner, seconds=STATEMENT_SECONDS
                )
            except ModuleError as error:
                return ModuleRun(Built(before.catalog), [*found, _of_error(error)], whole=False)
            before = _state(connection)
    return ModuleRun(Built(before.catalog, fold(effects.items()).writers), found, whole=True)


def run_again(
    ground: ScratchServer, scratch: Target, modules: Sequence[Module]
) -> tuple[list[Finding], list[SecondRun]]:
    """Run every module once more, in a transaction that is rolled back; it is to be refused, or to change nothing."""
    found: list[Finding] = []
    ended: list[SecondRun] = []
    for module in modules:
        if runs_by_statement(module.text):
            continue
        with connect(scratch, autocommit=True) as connection:
            before, rows = _state(connection), set[tuple[str, str]]()
            simple_query(connection, "BEGIN")
            try:
                set_role(connection, ground.owner, lock_timeout=STATEMENT_SECONDS, statement_timeout=STATEMENT_SECONDS)
                execute(connection, module)
                simple_query(connection, "RESET ROLE")
                after = _state(connection)
                rows = {(str(table), str(done)) for table, done in connection.execute(ROWS.encode())}
            except ModuleError as error:
                ended.append(SecondRun(module.path, error.what))
                continue
            finally:
                with suppress(psycopg.Error):
                    simple_query(connection, "ROLLBACK")
        changed = [
            *_changes(before, after),
            *(f"rows of {table}: {done}" for table, done in sorted(rows) if _any(done)),
        ]
        if changed:
            found.append(_finding("C112", module, "changes something when it is run again", changed, AGAIN))
        else:
            ended.append(SecondRun(module.path, ""))
    return found, ended


AGAIN = "make it refuse, as CREATE without IF NOT EXISTS does, or let it see what is there already"
TRACE = "take out what ROLLBACK does not take back"


def _any(done: str) -> bool:
    return done != "0 inserted, 0 updated, 0 deleted"


def _state(connection: Connection) -> ProofState:
    beside = frozenset(str(row[0]) for row in connection.execute(BESIDE.encode()))
    return ProofState(read_catalog(connection), beside)


def _rolled_back(connection: Connection, owner: str, module: Module) -> None:
    simple_query(connection, "BEGIN")
    try:
        set_role(connection, owner, lock_timeout=STATEMENT_SECONDS, statement_timeout=STATEMENT_SECONDS)
        execute(connection, module)
    finally:
        simple_query(connection, "ROLLBACK")
    connection.execute(sql.SQL("RESET ALL; RESET ROLE"))


def _traces(module: Module, before: ProofState, after: ProofState) -> Generator[Finding]:
    changed = _changes(before, after)
    if changed:
        found = _finding("C113", module, "leaves a trace when it is rolled back", changed, TRACE)
        only_numbers = all(one.startswith("sequence ") for one in changed)  # gaps, as after every failed INSERT
        yield replace(found, severity="note") if only_numbers else found


def _changes(before: ProofState, after: ProofState) -> list[str]:
    in_catalog = [f"{named(one.identity)} is {one.verdict}" for one in differences(before.catalog, after.catalog)]
    return [*in_catalog, *sorted(after.beside - before.beside)]


def _finding(code: str, module: Module, what: str, changed: list[str], remedy: str) -> Finding:
    more = [f"and {len(changed) - MOST_NAMED} more"] if len(changed) > MOST_NAMED else []
    detail = (*changed[:MOST_NAMED], *more)
    return Finding(code, CHECK_CODES[code].severity, Place(module.path, 1), f"{module.path} {what}", remedy, detail)


def _of_error(error: InfraError) -> Finding:
    """Make a finding of what keeps a module from being run."""
    place, detail = Place(error.place), tuple[str, ...]()
    remedy = error.remedy or "mend the statement"
    message = error.what
    if isinstance(error, ModuleError):
        if error.at:
            place = Place(error.at.path, error.at.line, error.at.column, "", error.at.text)
        message = f"{error.what} [{error.sqlstate}]" if error.sqlstate else error.what
        detail = tuple(f"{word}: {text}" for word, text in (("detail", error.detail), ("hint", error.hint)) if text)
    elif error.place.count(":") > 1:
        path, line, column = error.place.rsplit(":", 2)
        place = Place(path, int(line), int(column))
    return Finding("C111", CHECK_CODES["C111"].severity, place, message, remedy, detail)
