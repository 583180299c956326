"""Runs the statements of a revision on a scratch database, and measures what each does to tables that are in use."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import ModuleError
from infra.hazards.allowances import comments_at
from infra.hazards.measured import MeasuredStatement, strongest
from infra.modules.restrictions import needs_no_transaction
from infra.modules.safe_forms import quoted
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
from infra.postgres.apply.moment import TransactionMoment, read_moment, read_relations, waiting_locks
from infra.postgres.connection.execute import session_role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from infra.migrations.revision_sql import RevisionSql
    from infra.modules.module import Module
    from infra.modules.statements import Statement
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.scratch_target import ScratchTarget

_WIDENS = """
SELECT FROM pg_cast
WHERE castsource = %s AND casttarget = %s AND castcontext = 'i'
    AND casttarget NOT IN ('float4'::regtype, 'float8'::regtype)
"""
"""Whether a type has all values of another: PostgreSQL converts between them by itself, and does not round."""


class Measurement:
    """Measures revisions one after the other on a scratch database, against the tables that it has at the beginning."""

    def __init__(self, connection: Connection, scratch: ScratchTarget, *, seconds: float) -> None:
        self.connection = connection
        self.scratch = scratch
        self.session = session_on_scratch(scratch, seconds=seconds)
        self.released = read_relations(connection)

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
        before = read_relations(connection)
        role = session_role(connection, session.owner, session.lock_timeout, session.statement_timeout)
        with waiting_locks(self.scratch, connection.info.backend_pid, before) as locks, role:
            self._send(module, statement, number)
        after = TransactionMoment(read_relations(connection), {relation: frozenset({mode}) for relation, mode in locks})
        return self._difference(TransactionMoment(before, {}), after, statement, placed)

    def _measured(
        self, module: Module, statement: Statement, number: int, placed: MeasuredStatement
    ) -> MeasuredStatement:
        before = read_moment(self.connection)
        self._send(module, statement, number)
        after = read_moment(self.connection)
        scanned = {
            after.relations[oid].table
            for oid, old in before.relations.items()
            if oid in after.relations and after.relations[oid].scans > old.scans and not old.is_index
        }
        return self._difference(before, after, statement, placed, scanned)

    def _send(self, module: Module, statement: Statement, number: int) -> None:
        text = module.text[statement.start : statement.end]
        run_text(self.connection, self.session, module, text, first=number)

    def _difference(
        self,
        before: TransactionMoment,
        after: TransactionMoment,
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

    def _lost(self, before: TransactionMoment, after: TransactionMoment) -> dict[str, str]:
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
        self, before: TransactionMoment, after: TransactionMoment, statement: Statement, rewritten: Iterable[int]
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

    def _taken(self, before: TransactionMoment, after: TransactionMoment) -> dict[str, str]:
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
