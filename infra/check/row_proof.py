"""Proves a revision with rows: up, down and up again in a database of generated rows, and what undoing it loses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from infra.check.codes import CHECK_CODES
from infra.check.generated_rows import FILLED_TABLES, fill_tables
from infra.check.table_rows import TableRows, read_rows, replace_rows, row_losses
from infra.errors import ModuleError
from infra.findings.finding import Finding, Place
from infra.migrations.revision_sql import RevisionRefusalError, downgrade_sql, upgrade_sql
from infra.modules.module import Module
from infra.modules.safe_forms import in_transaction, quoted
from infra.modules.statements import parse
from infra.modules.tree import descendants
from infra.postgres.apply.module_effects import run_on_scratch, session_on_scratch
from infra.postgres.apply.module_text import run_text
from infra.postgres.connection import pool
from infra.server.scratch.scratch_server import MODULE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.migrations.history import Revision
    from infra.migrations.revision_sql import RevisionSql
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.scratch_target import ScratchTarget
    from infra.postgres.connection.session import Session

_MOST_FINDINGS = 5
_REPAIR = "write what changes such rows before the statement (`UPDATE …`), or leave it where no database has them"
_CORRECT = "write what gives existing rows a value that it takes, in the revision"
_CORRECT_BACK = 'correct it, or have it refuse by name: `raise CommandError("…")`'


@dataclass(frozen=True)
class RowProof:
    """What became of generated rows: findings for rows that a revision refuses, and notes, sentences about the rest."""

    findings: list[Finding] = field(default_factory=list[Finding])
    notes: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class _Refusal:
    """The rows of a table that a statement refuses, and those that it takes."""

    table: TableRows
    refused: list[tuple[str | None, ...]]
    kept: list[tuple[str | None, ...]]


def prove_with_rows(revision: Revision, fresh: Callable[[], ScratchTarget]) -> RowProof:
    """Run a revision up, down and up in a database of generated rows that is at the revision before.

    `fresh` creates such a database without rows. Rows that a statement refuses are named, and left out afterwards.
    """
    return _Proof(revision, fresh, upgrade_sql([revision])[0]).run()


@dataclass
class _Proof:
    """A proof while it runs; `kept` are the rows of tables that had some that the upgrade refused."""

    revision: Revision
    fresh: Callable[[], ScratchTarget]
    upgrade: RevisionSql
    kept: dict[str, _Refusal] = field(default_factory=dict[str, _Refusal])
    result: RowProof = field(default_factory=RowProof)
    _rows_before: dict[int, TableRows] = field(default_factory=dict[int, "TableRows"])

    def run(self) -> RowProof:
        """Return what was found."""
        scratch = self._filled()
        while error := _failure(scratch, self.upgrade):
            scratch = self._filled()
            refusal = _refusal(scratch, self.upgrade, error)
            self._add("upgrade", self.upgrade, error, refusal)
            if refusal is None or not refusal.kept or len(self.result.findings) == _MOST_FINDINGS:
                return self.result
            self.kept[refusal.table.name] = refusal
            if not self._leave_out(scratch):
                return self.result
        try:
            downgrade = downgrade_sql(self.revision)
        except RevisionRefusalError:
            return self.result
        self._undo(scratch, downgrade)
        return self.result

    def _undo(self, scratch: ScratchTarget, downgrade: RevisionSql) -> None:
        """Run the downgrade and the upgrade once more, then the downgrade with rows of the new schema."""
        before = self._rows_before
        if error := _failure(scratch, downgrade):
            scratch = self._filled()
            _failure(scratch, self.upgrade)
            self._add("downgrade", downgrade, error, _refusal(scratch, downgrade, error))
            return
        lost = row_losses(before, _read_all(scratch))
        if lost:
            self.result.notes.append(f"upgrade and downgrade lose {', '.join(lost)}")
        if error := _failure(scratch, self.upgrade):
            self._add("upgrade after downgrade", self.upgrade, error, None)
            return
        with pool.connection(scratch.target) as connection, _session(scratch).transaction(connection):
            fill_tables(connection)
        before = _read_all(scratch)
        if error := _failure(scratch, downgrade):
            what = downgrade.located(error).what
            self.result.notes.append(f"downgrade fails with rows that only the new schema takes: {what}")
            return
        more = [text for text in row_losses(before, _read_all(scratch)) if text not in lost]
        if more:
            self.result.notes.append(f"downgrade loses what was written after the upgrade: {', '.join(more)}")

    def _filled(self) -> ScratchTarget:
        """Return a new database of generated rows, without those that were refused."""
        scratch = self.fresh()
        with pool.connection(scratch.target) as connection, _session(scratch).transaction(connection):
            problems = fill_tables(connection)
        self.result.notes[:] = problems
        self._leave_out(scratch)
        return scratch

    def _leave_out(self, scratch: ScratchTarget) -> bool:
        """Leave only the kept rows in their tables, and return whether that could be done.

        It cannot where statements before the one that refused others have renamed the table, or changed the rows.
        """
        try:
            with pool.connection(scratch.target) as connection, _session(scratch).transaction(connection):
                tables = {name: oid for oid, name in connection.execute(FILLED_TABLES.encode()).fetchall()}
                for refusal in self.kept.values():
                    now = read_rows(connection, tables[refusal.table.name], refusal.table.name)
                    replace_rows(connection, refusal.table, refusal.kept, {name for name, _ in now.columns.values()})
                if self.kept:
                    fill_tables(connection, self.kept)
        except (psycopg.Error, KeyError):
            return False
        self._rows_before = _read_all(scratch)
        return True

    def _add(self, function: str, revision: RevisionSql, error: ModuleError, refusal: _Refusal | None) -> None:
        located = revision.located(error)
        place = Place.at(located.at) if located.at else Place(revision.path)
        detail = f" ({error.detail})" if error.detail else ""
        about = f"{error.what} {located.detail}"
        is_of_some = refusal is not None and bool(refusal.kept)
        rows = "generated rows"
        if refusal:
            number = len(refusal.refused) + len(refusal.kept)
            which = f"{len(refusal.refused)} of {number}" if is_of_some else f"each of {number}"
            example = refusal.table.shown(refusal.refused[0], about)
            rows = f"{which} generated rows of {refusal.table.name}, such as ({example})"
        code = "C136" if is_of_some else "C135"
        message = f"{function} fails with {rows}: {error.what}{detail}"
        remedy = _REPAIR if is_of_some else _CORRECT if function == "upgrade" else _CORRECT_BACK
        self.result.findings.append(Finding(code, CHECK_CODES[code].severity, place, message, remedy))


def _session(scratch: ScratchTarget) -> Session:
    return session_on_scratch(scratch, seconds=MODULE_SECONDS)


def _failure(scratch: ScratchTarget, revision: RevisionSql) -> ModuleError | None:
    """Run a revision, and return its error, with the place in the revision's SQL."""
    if revision.statements:
        try:
            with pool.connection(scratch.target) as connection:
                run_on_scratch(connection, scratch, revision.module, seconds=MODULE_SECONDS)
        except ModuleError as error:
            return error
    return None


def _read_all(scratch: ScratchTarget) -> dict[int, TableRows]:
    """Return the rows of all tables by the table's oid."""
    with pool.connection(scratch.target) as connection, _session(scratch).transaction(connection):
        tables = connection.execute(FILLED_TABLES.encode()).fetchall()
        return {oid: read_rows(connection, oid, name) for oid, name in tables}


def _refusal(scratch: ScratchTarget, revision: RevisionSql, error: ModuleError) -> _Refusal | None:
    """Find the rows that the failed statement refuses, None where no table in it has such rows; nothing is changed."""
    if error.at is None:
        return None
    failed = revision.statement_at(error.at.line)
    position = revision.statements.index(failed)
    session = _session(scratch)

    def run(statement: str) -> None:
        module = Module(0, revision.revision, revision.path, in_transaction(statement))
        run_text(connection, session, module)

    with pool.connection(scratch.target) as connection:
        try:
            with session.transaction(connection), connection.transaction(force_rollback=True):
                for statement in revision.statements[:position]:
                    run(statement.sql)
                for table in _tables_in(connection, failed.sql):
                    found = _refused_rows(connection, table, lambda: run(failed.sql))
                    if found.refused:
                        return found
        except (ModuleError, psycopg.Error):  # the rows cannot be told, the error can
            return None
    return None


def _tables_in(connection: Connection, statement: str) -> Iterator[TableRows]:
    tables = dict(connection.execute(FILLED_TABLES.encode()).fetchall())
    for parsed in parse(statement, ""):
        for tree in descendants(parsed.tree):
            if tree.DESCRIPTOR.name == "RangeVar":
                name = ".".join(quoted(part) for part in (tree.schemaname, tree.relname) if part)
                row = connection.execute("SELECT to_regclass(%s)::oid::int8", (name,)).fetchone()
                if row and row[0] in tables:
                    yield read_rows(connection, row[0], tables[row[0]])


def _refused_rows(connection: Connection, table: TableRows, run: Callable[[], None]) -> _Refusal:
    """Try the statement with one row more each time, and leave out those with which it fails.

    A constraint that is not valid yet refuses such rows when they are inserted.
    """
    found = _Refusal(table, [], [])
    for row in table.rows:
        try:
            with connection.transaction(force_rollback=True):
                replace_rows(connection, table, [*found.kept, row])
                run()
        except (ModuleError, psycopg.Error):
            found.refused.append(row)
        else:
            found.kept.append(row)
    return found
