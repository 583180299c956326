"""Proofs on a scratch database: modules run, can be rolled back without a trace, and can be run a second time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import psycopg

from infra.catalog.changes import fold
from infra.catalog.difference import differences
from infra.check.codes import CHECK_CODES
from infra.check.comparing import display_name
from infra.errors import ModuleError
from infra.findings.finding import Finding, Place
from infra.modules.directive import runs_by_statement
from infra.modules.restrictions import find_restricted
from infra.postgres.apply.module_effects import run_on_scratch
from infra.postgres.apply.scratch_names import catalog_with_real_names
from infra.postgres.connection import pool
from infra.postgres.connection.connect import connect
from infra.postgres.connection.execute import execute, set_role
from infra.postgres.connection.session_start import reset_settings
from infra.postgres.connection.simple_query import simple_query
from infra.postgres.introspection.reader import read_catalog
from infra.server.scratch.scratch_server import MODULE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from infra.catalog.catalog import Catalog, ObjectId
    from infra.catalog.changes import CatalogChange
    from infra.errors import InfraError
    from infra.modules.module import Module
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.scratch_target import ScratchTarget

MOST_NAMED = 20  # changes of a module that a finding lists

# What the owner of a database can change outside of its catalog; ROLLBACK does not undo the first.
OUTSIDE_CATALOG = """
SELECT format('sequence %I.%I stands at %s', schemaname, sequencename, coalesce(last_value::text, 'its start'))
FROM pg_sequences
UNION ALL SELECT 'settings ' || array_to_string(setconfig, ', ')
    FROM pg_db_role_setting WHERE setrole::regrole::text = current_user
        OR setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
CHANGED_ROWS = r"""
SELECT format('%I.%I', schemaname, relname),
    format('%s inserted, %s updated, %s deleted', n_tup_ins, n_tup_upd, n_tup_del)
FROM pg_stat_xact_user_tables
WHERE schemaname NOT LIKE 'pg\_temp\_%' AND n_tup_ins + n_tup_upd + n_tup_del > 0
"""

_RUN_AGAIN_REMEDY = (
    "make a second run fail, as CREATE without IF NOT EXISTS does, or let the module check what exists already"
)
_ROLLBACK_REMEDY = "remove the statements that ROLLBACK does not undo"


class SecondRun(NamedTuple):
    """A second run without effect: the path of the module, and PostgreSQL's message if it was refused, else ''."""

    path: str
    refusal: str


class ModuleRun(NamedTuple):
    """A run of modules: the catalog afterwards, the module that wrote each object last, findings, whether all ran."""

    catalog: Catalog
    writers: Mapping[ObjectId, str]
    findings: list[Finding]
    complete: bool


class DatabaseState(NamedTuple):
    """Everything that a module may change: the catalog, and lines about what is outside of it."""

    catalog: Catalog
    outside: frozenset[str]


def restricted_statements(modules: Sequence[Module]) -> list[Finding]:
    """Return a finding for every statement that a stack refuses before it runs a module."""
    return [_finding_of_error(error) for module in modules for error in find_restricted(module)]


def run_modules(
    scratch: ScratchTarget,
    modules: Sequence[Module],
    *,
    roll_back_first: bool = True,
    private_schemas: tuple[str, ...] = (),
) -> ModuleRun:
    """Run modules in their order until one fails; by default each is first run and rolled back, as a proof."""
    effects: dict[str, CatalogChange] = {}
    findings: list[Finding] = []
    with pool.connection(scratch.target) as connection:
        before = _read_state(connection, scratch)
        for module in modules:
            try:
                if roll_back_first and not runs_by_statement(module.text):
                    _run_and_roll_back(connection, scratch.owner, module)
                    findings += _left_after_rollback(module, before, _read_state(connection, scratch))
                effects[module.name] = run_on_scratch(
                    connection, scratch, module, seconds=MODULE_SECONDS, private_schemas=private_schemas
                )
            except ModuleError as error:
                return ModuleRun(before.catalog, {}, [*findings, _finding_of_error(error)], complete=False)
            before = _read_state(connection, scratch)
    return ModuleRun(before.catalog, fold(effects.items()).writers, findings, complete=True)


def run_again(scratch: ScratchTarget, modules: Sequence[Module]) -> tuple[list[Finding], list[SecondRun]]:
    """Run every module once more, in a transaction that is rolled back.

    Returns a finding for each module that changes something, and the second runs that were refused or changed nothing.
    Modules that run statement by statement are left out: they cannot be rolled back.
    """
    findings: list[Finding] = []
    without_effect: list[SecondRun] = []
    for module in modules:
        if runs_by_statement(module.text):
            continue
        try:
            changes = _changes_of_second_run(scratch, module)
        except ModuleError as error:
            without_effect.append(SecondRun(module.path, error.what))
            continue
        if changes:
            what = "changes something when it is run again"
            findings.append(_finding_of_changes("C112", module, what, changes, _RUN_AGAIN_REMEDY))
        else:
            without_effect.append(SecondRun(module.path, ""))
    return findings, without_effect


def _changes_of_second_run(scratch: ScratchTarget, module: Module) -> list[str]:
    """Run a module and roll it back; return what it changed before. Raises ModuleError if PostgreSQL refuses it."""
    with connect(scratch.target, autocommit=True) as connection:
        before = _read_state(connection, scratch)
        simple_query(connection, "BEGIN")
        try:
            set_role(connection, scratch.owner, lock_timeout=MODULE_SECONDS, statement_timeout=MODULE_SECONDS)
            execute(connection, module)
            simple_query(connection, "RESET ROLE")
            after = _read_state(connection, scratch)
            rows = sorted((str(table), str(counts)) for table, counts in connection.execute(CHANGED_ROWS.encode()))
        finally:
            with suppress(psycopg.Error):
                simple_query(connection, "ROLLBACK")
    return [*_changes(before, after), *(f"rows of {table}: {counts}" for table, counts in rows)]


def _read_state(connection: Connection, scratch: ScratchTarget) -> DatabaseState:
    outside = frozenset(str(row[0]) for row in connection.execute(OUTSIDE_CATALOG.encode()))
    return DatabaseState(catalog_with_real_names(scratch, read_catalog(connection)), outside)


def _run_and_roll_back(connection: Connection, owner: str, module: Module) -> None:
    simple_query(connection, "BEGIN")
    try:
        set_role(connection, owner, lock_timeout=MODULE_SECONDS, statement_timeout=MODULE_SECONDS)
        execute(connection, module)
    finally:
        simple_query(connection, "ROLLBACK")
    simple_query(connection, f"RESET ROLE; {reset_settings(connection)}")


def _left_after_rollback(module: Module, before: DatabaseState, after: DatabaseState) -> Generator[Finding]:
    changes = _changes(before, after)
    if changes:
        what = "leaves changes behind when it is rolled back"
        finding = _finding_of_changes("C113", module, what, changes, _ROLLBACK_REMEDY)
        # A sequence that was advanced leaves a gap, as after every failed INSERT: that is worth a note only.
        only_sequences = all(change.startswith("sequence ") for change in changes)
        yield replace(finding, severity="note") if only_sequences else finding


def _changes(before: DatabaseState, after: DatabaseState) -> list[str]:
    in_catalog = [
        f"{display_name(difference.identity)} is {difference.verdict}"
        for difference in differences(before.catalog, after.catalog)
    ]
    return [*in_catalog, *sorted(after.outside - before.outside)]


def _finding_of_changes(code: str, module: Module, what: str, changes: list[str], remedy: str) -> Finding:
    more = [f"and {len(changes) - MOST_NAMED} more"] if len(changes) > MOST_NAMED else []
    detail = (*changes[:MOST_NAMED], *more)
    return Finding(code, CHECK_CODES[code].severity, Place(module.path, 1), f"{module.path} {what}", remedy, detail)


def _finding_of_error(error: InfraError) -> Finding:
    """Return the finding for an error that prevents a module from being run."""
    place, detail = Place(error.place), tuple[str, ...]()
    message = error.what
    if isinstance(error, ModuleError):
        if error.at:
            place = Place.at(error.at)
        message = f"{error.what} [{error.sqlstate}]" if error.sqlstate else error.what
        detail = tuple(f"{label}: {text}" for label, text in (("detail", error.detail), ("hint", error.hint)) if text)
    elif error.place.count(":") > 1:
        path, line, column = error.place.rsplit(":", 2)
        place = Place(path, int(line), int(column))
    remedy = error.remedy or "correct the statement"
    return Finding("C111", CHECK_CODES["C111"].severity, place, message, remedy, detail)
