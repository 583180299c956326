"""Proves a revision with rows: up, down and up again in a database of generated rows, and what undoing it loses."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from infra.check.codes import CHECK_CODES
from infra.check.generated_rows import FILLED_TABLES, fill_tables, insert_statement
from infra.errors import ModuleError
from infra.findings.finding import Finding, Place
from infra.migrations.revision_sql import RevisionRefusalError, downgrade_sql, upgrade_sql
from infra.modules.safe_forms import in_transaction, quoted
from infra.modules.module import Module
from infra.modules.statements import parse
from infra.modules.tree import descendants
from infra.postgres.apply.module_effects import run_on_scratch, session_on_scratch
from infra.postgres.apply.module_text import run_text
from infra.postgres.connection import pool
from infra.server.scratch.scratch_server import MODULE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from infra.migrations.history import Revision
    from infra.migrations.revision_sql import RevisionSql
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.scratch_target import ScratchTarget
    from infra.postgres.connection.session import Session

_COLUMNS = """
SELECT a.attnum, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attgenerated <> ''
FROM pg_catalog.pg_attribute a WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_LONGEST_VALUE = 40
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
class _Rows:
    """The rows of a table: each is a tuple of texts, in the order of the columns (number: name and type)."""

    name: str
    columns: dict[int, tuple[str, str]]
    rows: list[tuple[str | None, ...]]
    generated: frozenset[int] = frozenset()

    def values(self, position: int) -> Counter[str]:
        """Return how often a column has each of its values, null left out."""
        return Counter(value for row in self.rows if (value := row[position]) is not None)

    def shown(self, row: Sequence[str | None]) -> str:
        """Return a row as a message has it."""
        cells = zip((name for name, _ in self.columns.values()), row, strict=True)
        return ", ".join(f"{name} {_shown(value)}" for name, value in cells)


@dataclass(frozen=True)
class _Refusal:
    """The rows of a table that a statement refuses, and those that it takes."""

    table: _Rows
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
    _rows_before: dict[int, _Rows] = field(default_factory=dict[int, "_Rows"])

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
        lost = _losses(before, _read_all(scratch))
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
        more = [text for text in _losses(before, _read_all(scratch)) if text not in lost]
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
                    now = _read(connection, tables[refusal.table.name], refusal.table.name)
                    _replace(connection, refusal.table, refusal.kept, {name for name, _ in now.columns.values()})
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
        is_of_some = refusal is not None and bool(refusal.kept)
        rows = "generated rows"
        if refusal:
            number = len(refusal.refused) + len(refusal.kept)
            which = f"{len(refusal.refused)} of {number}" if is_of_some else f"each of {number}"
            example = refusal.table.shown(refusal.refused[0])
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


def _read_all(scratch: ScratchTarget) -> dict[int, _Rows]:
    """Return the rows of all tables by the table's oid."""
    with pool.connection(scratch.target) as connection, _session(scratch).transaction(connection):
        tables = connection.execute(FILLED_TABLES.encode()).fetchall()
        return {oid: _read(connection, oid, name) for oid, name in tables}


def _read(connection: Connection, oid: int, name: str) -> _Rows:
    found = connection.execute(_COLUMNS, (oid,)).fetchall()
    columns = {number: (column, kind) for number, column, kind, _ in found}
    generated = frozenset(number for number, *_, is_generated in found if is_generated)
    texts = ", ".join(f"{quoted(column)}::text" for column, _ in columns.values())
    rows = connection.execute(f"SELECT {texts} FROM {name}".encode()).fetchall() if columns else []
    return _Rows(name, columns, rows, generated)


def _losses(before: dict[int, _Rows], after: dict[int, _Rows]) -> list[str]:
    """Return which rows and values are gone; a table or column counts as the same after a rename, or by its name."""
    by_name = {table.name: table for table in after.values()}
    lost: list[str] = []
    for oid, table in before.items():
        other = after.get(oid) or by_name.get(table.name)
        gone = len(table.rows) - (len(other.rows) if other else 0)
        if gone > 0:
            lost.append(f"{gone} rows of {table.name}")
        elif other:
            lost += [f"values of {table.name}.{quoted(column)}" for column in _lost_columns(table, other)]
    return lost


def _lost_columns(before: _Rows, after: _Rows) -> Iterator[str]:
    numbers = list(after.columns)
    names = {column: number for number, (column, _) in after.columns.items()}
    for position, (number, (column, kind)) in enumerate(before.columns.items()):
        other = number if number in after.columns else names.get(column)
        values = before.values(position)
        if other is None:
            if values:
                yield column
        elif after.columns[other][1] == kind and values - after.values(numbers.index(other)):
            yield column


def _replace(
    connection: Connection,
    table: _Rows,
    rows: Sequence[Sequence[str | None]],
    only: Collection[str] | None = None,
) -> None:
    """Empty a table, with those that refer to it, and insert rows, of them only these columns."""
    connection.execute(f"TRUNCATE {table.name} CASCADE".encode())
    columns = table.columns.items()
    written = [
        at
        for at, (number, (column, _)) in enumerate(columns)
        if number not in table.generated and (only is None or column in only)
    ]
    names = [name for name, _ in table.columns.values()]
    statement = insert_statement(table.name, [names[at] for at in written])
    for row in rows:
        connection.execute(statement, [row[at] for at in written])


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


def _tables_in(connection: Connection, statement: str) -> Iterator[_Rows]:
    tables = dict(connection.execute(FILLED_TABLES.encode()).fetchall())
    for parsed in parse(statement, ""):
        for tree in descendants(parsed.tree):
            if tree.DESCRIPTOR.name == "RangeVar":
                name = ".".join(quoted(part) for part in (tree.schemaname, tree.relname) if part)
                row = connection.execute("SELECT to_regclass(%s)::oid::int8", (name,)).fetchone()
                if row and row[0] in tables:
                    yield _read(connection, row[0], tables[row[0]])


def _refused_rows(connection: Connection, table: _Rows, run: Callable[[], None]) -> _Refusal:
    """Try the statement with one row more each time, and leave out those with which it fails.

    A constraint that is not valid yet refuses such rows when they are inserted.
    """
    found = _Refusal(table, [], [])
    for row in table.rows:
        try:
            with connection.transaction(force_rollback=True):
                _replace(connection, table, [*found.kept, row])
                run()
        except (ModuleError, psycopg.Error):
            found.refused.append(row)
        else:
            found.kept.append(row)
    return found


def _shown(value: str | None) -> str:
    if value is None:
        return "NULL"
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
