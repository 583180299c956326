"""Runs the statements of a revision on a scratch database, and measures what each does to tables that are in use.

pg_locks has the locks of a transaction until it ends, relfilenode is another one after a rewrite, and the counters of
the transaction say which tables were read whole. That holds for empty tables as for full ones.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from psycopg import sql

from infra.errors import ModuleError
from infra.hazards.allowances import comments_at
from infra.hazards.measured import MeasuredStatement, mode_of, strongest
from infra.migrations.safe_forms import quoted
from infra.modules.restrictions import needs_no_transaction
from infra.modules.statements import parse, place_of
from infra.modules.tree import descendants, enum_value, nodes
from infra.postgres.apply.module_effects import session_on_scratch
from infra.postgres.apply.module_text import (
    check_deferred,
    end_module,
    last_writes,
    refuse_written_privileges,
    run_text,
)
from infra.postgres.connection.connect import connect
from infra.postgres.connection.execute import session_role

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

    from infra.migrations.revision_sql import RevisionSql
    from infra.modules.module import Module
    from infra.modules.statements import Statement
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.scratch_target import ScratchTarget

_RELATIONS = """
SELECT
    c.oid::int8, coalesce(i.indrelid, c.oid)::int8, format('%I.%I', n.nspname, c.relname), c.relkind::text,
    c.relfilenode::int8, coalesce(pg_stat_get_xact_numscans(c.oid), 0),
    a.names, a.types
FROM pg_class c
CROSS JOIN LATERAL (
    SELECT jsonb_object_agg(attnum, format('%I', attname)) AS names,
        jsonb_object_agg(attnum, jsonb_build_array(atttypid::int8, atttypmod)) AS types
    FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
) AS a
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE c.relkind IN ('r', 'p', 'm', 'v', 'i', 'I')
    AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'sqlmodule')
"""
_LOCKS = """
SELECT relation::int8, array_agg(mode) FROM pg_locks
WHERE locktype = 'relation' AND granted AND pid = pg_backend_pid() GROUP BY relation
"""
_WAITS = "SELECT relation::int8, mode FROM pg_locks WHERE pid = %s AND NOT granted"
_GRANTED = "SELECT relation::int8, mode FROM pg_locks WHERE pid = %s AND granted AND locktype = 'relation'"
_POLL_SECONDS = 0.005
_WIDENS = """
SELECT FROM pg_cast
WHERE castsource = %s AND casttarget = %s AND castcontext = 'i'
    AND casttarget NOT IN ('float4'::regtype, 'float8'::regtype)
"""
"""Whether a type has all values of another: PostgreSQL converts between them by itself, and does not round."""


@dataclass(frozen=True)
class _Relation:
    """A table, view or index, as the catalog has it at some moment."""

    table: int
    name: str
    kind: str
    file: int
    scans: int
    columns: Mapping[str, str]
    types: Mapping[str, tuple[int, int]]
    """The type and its modifier of each column, by the column's number."""

    @property
    def is_index(self) -> bool:
        return self.kind in {"i", "I"}

    @property
    def has_rows(self) -> bool:
        """Whether rows are kept in it, or in its partitions."""
        return self.kind in {"r", "p"}


_Relations = dict[int, _Relation]


@dataclass(frozen=True)
class _Moment:
    """The relations and the locks of the own transaction, before or after a statement."""

    relations: _Relations
    locks: Mapping[int, frozenset[str]]


class Measurement:
    """Measures revisions one after the other on a scratch database, against the tables that it has at the beginning."""

    def __init__(self, connection: Connection, scratch: ScratchTarget, *, seconds: float) -> None:
        self.connection = connection
        self.scratch = scratch
        self.session = session_on_scratch(scratch, seconds=seconds)
        self.released = _read_relations(connection)

    def run(self, revision: RevisionSql) -> list[MeasuredStatement]:
        """Run a revision as its own run would, and return what its statements did; raises ModuleError."""
        if not revision.statements:
            return []
        module, lines = revision.module, Path(revision.path).read_text(encoding="utf-8").splitlines()

        def placed(statement: Statement) -> MeasuredStatement:
            line = revision.statement_at(place_of(module.text, module.path, statement.start).line).line
            sql_text = module.text[statement.start : statement.end]
            return MeasuredStatement(sql_text, revision.path, line, comments=comments_at(lines, line))

        try:
            before = self._last_writes()
            measured = self.run_module(module, placed, outside=revision.outside)
            refuse_written_privileges(module, before, self._last_writes())
        except ModuleError as error:
            raise revision.located(error) from None
        return measured

    def _last_writes(self) -> dict[tuple[str, str], str]:
        writes = last_writes(self.connection)
        return {(self.scratch.with_real_names(place), of): transaction for (place, of), transaction in writes.items()}

    def run_module(
        self, module: Module, placed: Callable[[Statement], MeasuredStatement], *, outside: bool
    ) -> list[MeasuredStatement]:
        """Run the statements of a text in one transaction, or each by itself, and return what they did.

        `placed` returns a statement with its place. Raises ModuleError.
        """
        statements = list(enumerate(parse(module.text, module.path)))
        if outside:
            return [self._by_itself(module, part, number, placed(part)) for number, part in statements]
        with self.session.transaction(self.connection):
            found = [self._measured(module, part, number, placed(part)) for number, part in statements]
            end_module(self.connection, self.session, module)
        return [replace(part, commits=part is found[-1]) for part in found]

    def _by_itself(
        self, module: Module, statement: Statement, number: int, placed: MeasuredStatement
    ) -> MeasuredStatement:
        """Run a statement as a transaction of its own, or outside of one."""
        session, connection = self.session, self.connection
        if not needs_no_transaction(statement):
            with session.transaction(connection):
                found = self._measured(module, statement, number, placed)
                check_deferred(connection, session, module)
                return found
        before = _read_relations(connection)
        role = session_role(connection, session.owner, session.lock_timeout, session.statement_timeout)
        with _waiting_locks(self.scratch, connection.info.backend_pid, before) as locks, role:
            self._send(module, statement, number)
        after = _Moment(_read_relations(connection), {relation: frozenset({mode}) for relation, mode in locks})
        return self._difference(_Moment(before, {}), after, statement, placed)

    def _measured(
        self, module: Module, statement: Statement, number: int, placed: MeasuredStatement
    ) -> MeasuredStatement:
        before = self._moment()
        self._send(module, statement, number)
        after = self._moment()
        scanned = {
            after.relations[oid].table
            for oid, old in before.relations.items()
            if oid in after.relations and after.relations[oid].scans > old.scans and not old.is_index
        }
        return self._difference(before, after, statement, placed, scanned)

    def _send(self, module: Module, statement: Statement, number: int) -> None:
        text = module.text[statement.start : statement.end]
        run_text(self.connection, self.session, module, text, first=number)

    def _moment(self) -> _Moment:
        rows = self.connection.execute(_LOCKS)
        locks = {int(relation): frozenset(map(mode_of, modes)) for relation, modes in rows}
        return _Moment(_read_relations(self.connection), locks)

    def _difference(
        self,
        before: _Moment,
        after: _Moment,
        statement: Statement,
        placed: MeasuredStatement,
        scanned: Iterable[int] = (),
    ) -> MeasuredStatement:
        """Return what is different after a statement, of the relations that there were at the beginning."""
        stay = [oid for oid in before.relations if oid in after.relations and oid in self.released]
        moved = [before.relations[oid] for oid in stay if before.relations[oid].file != after.relations[oid].file]
        is_truncated = statement.kind == "truncate_stmt"  # it begins a new file, and writes nothing
        rewritten = {part.table for part in moved if not part.is_index and not is_truncated}
        read = {*scanned, *(part.table for part in moved if part.is_index)} - rewritten
        lost = self._lost(before, after)
        emptied = {part.table for part in moved} if is_truncated else self._deleted_from(statement)
        lost |= {f"rows of {name}": name for name in self._names(emptied)}
        return replace(
            placed,
            locks=self._taken(before, after),
            rewritten=self._names(rewritten),
            scanned=frozenset() if is_truncated else self._names(read),
            lost=lost,
            retyped=self._retyped(before, after, statement, {part.table for part in moved}),
        )

    def _names(self, tables: Iterable[int]) -> frozenset[str]:
        """Return the names that tables had at the beginning, without those that are newer."""
        return frozenset(self.released[oid].name for oid in tables if oid in self.released)

    def _lost(self, before: _Moment, after: _Moment) -> dict[str, str]:
        """Return the tables and columns that are gone, with the table of each."""
        lost: dict[str, str] = {}
        for oid, old in before.relations.items():
            released = self.released.get(oid)
            if released is None or not released.has_rows:
                continue
            if oid not in after.relations:
                lost[f"table {released.name}"] = released.name
                continue
            gone = old.columns.keys() - after.relations[oid].columns.keys()
            columns = [name for number, name in released.columns.items() if number in gone]
            lost |= {f"column {released.name}.{column}": released.name for column in columns}
        return lost

    def _retyped(
        self, before: _Moment, after: _Moment, statement: Statement, rewritten: Iterable[int]
    ) -> dict[str, str]:
        """Return the columns whose values another type may shorten or round, with the table of each.

        Without a rewrite the values stay as they are. With USING, they are what an expression makes of them.
        """
        retyped: dict[str, str] = {}
        converted = _columns_with_using(statement)
        for oid, old in before.relations.items():
            released, new = self.released.get(oid), after.relations.get(oid)
            if released is None or new is None or not (oid in rewritten or released.kind == "p"):
                continue
            for number, (kind, modifier) in old.types.items():
                other = new.types.get(number, (kind, modifier))
                is_converted = old.columns[number] in converted
                if number not in released.columns or not (is_converted or other != (kind, modifier)):
                    continue
                widens = self.connection.execute(_WIDENS, (kind, other[0])).fetchone() is not None
                if is_converted or not widens or other[1] != -1:
                    retyped[f"values of column {released.name}.{released.columns[number]}"] = released.name
        return retyped

    def _deleted_from(self, statement: Statement) -> set[int]:
        """Return the tables of DELETE and of MERGE with DELETE, wherever in a statement they stand."""
        found: set[int] = set()
        for tree in descendants(statement.tree):
            kind = tree.DESCRIPTOR.name
            deletes = (
                [enum_value(when, "command_type") for when in nodes(tree.merge_when_clauses, "merge_when_clause")]
                if kind == "MergeStmt"
                else []
            )
            if kind != "DeleteStmt" and "CMD_DELETE" not in deletes:
                continue
            name = ".".join(quoted(part) for part in (tree.relation.schemaname, tree.relation.relname) if part)
            row = self.connection.execute("SELECT to_regclass(%s)::oid::int8", (name,)).fetchone()
            found |= {int(row[0])} if row and row[0] else set()
        return found

    def _taken(self, before: _Moment, after: _Moment) -> dict[str, str]:
        """Return the strongest new lock on each table, and on an index where it is stronger than that on its table."""
        taken: dict[str, str] = {}
        for oid in sorted(after.locks, key=lambda oid: oid in self.released and self.released[oid].is_index):
            relation, held = self.released.get(oid), before.locks.get(oid, frozenset())
            if relation is None or after.locks[oid] == held:
                continue
            mode = strongest(after.locks[oid])
            if held and strongest(held) == mode:
                continue
            if relation.is_index:
                own = after.locks.get(relation.table, frozenset())
                if own and strongest([mode, *own]) == strongest(own):
                    continue
            taken[relation.name] = mode
        return taken


def _read_relations(connection: Connection) -> _Relations:
    return {
        int(oid): _Relation(int(table), str(name), str(kind), int(file), int(scans), columns or {}, _types(types))
        for oid, table, name, kind, file, scans, columns, types in connection.execute(_RELATIONS)
    }


def _types(found: Mapping[str, tuple[int, int]] | None) -> dict[str, tuple[int, int]]:
    return {number: (int(kind), int(modifier)) for number, (kind, modifier) in (found or {}).items()}


def _columns_with_using(statement: Statement) -> set[str]:
    """Return the columns of which an ALTER TABLE says itself how their values are converted."""
    if statement.kind != "alter_table_stmt":
        return set()
    commands = (command.alter_table_cmd for command in statement.tree.cmds)
    return {
        quoted(command.name)
        for command in commands
        if enum_value(command, "subtype") == "AT_AlterColumnType"
        and getattr(command, "def").column_def.HasField("raw_default")
    }


@contextmanager
def _waiting_locks(scratch: ScratchTarget, pid: int, relations: _Relations) -> Generator[list[tuple[int, str]]]:
    """Yield a list that gets the locks of a statement that commits by itself, and so leaves none to be read.

    Another session holds SHARE UPDATE EXCLUSIVE on all tables, for which every such statement waits (manual, table
    13.2). What it waits for is read, and the other session ends.
    """
    names = [relation.name for relation in relations.values() if relation.has_rows]
    found: list[tuple[int, str]] = []
    done = Event()
    with connect(scratch.target) as holder, ThreadPoolExecutor(1) as threads:
        holder.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(scratch.owner)))
        if names:
            holder.execute(f"LOCK TABLE {', '.join(names)} IN SHARE UPDATE EXCLUSIVE MODE".encode())

        def observe() -> None:
            try:
                while not done.is_set() and not found:
                    waits = holder.execute(_WAITS, (pid,)).fetchall()
                    if waits:
                        rows = [*waits, *holder.execute(_GRANTED, (pid,)).fetchall()]
                        found.extend((int(oid), mode_of(str(mode))) for oid, mode in rows if oid)
                    time.sleep(_POLL_SECONDS)
            finally:
                holder.rollback()

        observer = threads.submit(observe)
        try:
            yield found
        finally:
            done.set()
            observer.result()
