"""The hazards of measured statements: which lock stops whom while how much is read or written, and what is lost.

A lock is held until its transaction ends. So a lock that is taken in a moment stops others for as long as the
statements after it take, and the hazard is named at the statement that takes long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.hazards.allowances import FORM, hazard_allowances
from infra.hazards.measured import HazardKind, blocks_writers, strongest
from infra.hazards.safe import safe_statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from infra.hazards.measured import MeasuredStatement
    from infra.hazards.sizes import TableSize


@dataclass(frozen=True)
class Hazard:
    """One hazard of a statement, in words, with the statements of its safe form.

    `reason` is why it is allowed, '' where it is not; `problem` why a comment does not allow it. It counts where the
    size of its table is known, and is not small.
    """

    kind: HazardKind
    path: str
    line: int
    text: str
    safe: tuple[str, ...] = ()
    reason: str = ""
    problem: str = ""
    counts: bool = True

    @property
    def is_refused(self) -> bool:
        """Whether a persistent stack may not run the statement."""
        return self.counts and not self.reason

    def comment(self, today: date) -> str:
        """Return the comment that allows it until the end of the next year."""
        sign = "#" if self.path.endswith(".py") else "--"
        return f"{sign} {FORM.format(kind=self.kind.value, until=f'{today.year + 1}-12-31')}"


@dataclass(frozen=True)
class _Lock:
    """A lock that a transaction holds: the mode, and how many statements it is held through."""

    mode: str
    through: int

    def on(self, table: str) -> str:
        """Return the lock in words."""
        return f"{self.mode} on {shown(table)}{_held(self.through)}"


def _held(through: int) -> str:
    return f", held through {through} statements" if through > 1 else ""


def hazards_of(statements: Sequence[MeasuredStatement], sizes: Mapping[str, TableSize], *, today: date) -> list[Hazard]:
    """Return the hazards of statements, in their order.

    `sizes` are those of the live database's tables. Where one is missing, what a hazard costs is not known, and it is
    named without refusing anything.
    """
    return [
        hazard
        for transaction in _transactions(statements)
        for position, statement in enumerate(transaction)
        for hazard in _hazards(statement, _locks(transaction, position), sizes, today)
    ]


def lock_notes(statements: Sequence[MeasuredStatement]) -> list[str]:
    """Return the locks that make writers or readers wait, each mode in a line with its tables, the strongest first."""
    tables: dict[tuple[str, int], list[str]] = {}
    for transaction in _transactions(statements):
        for table, lock in _locks(transaction, len(transaction) - 1).items():
            if blocks_writers(lock.mode):
                tables.setdefault((lock.mode, lock.through), []).append(shown(table))
    return [
        f"{mode} on {', '.join(dict.fromkeys(names))}{_held(through)}"
        for (mode, through), names in sorted(tables.items(), key=lambda item: (item[0][0] != "ACCESS EXCLUSIVE", item))
    ]


def shown(table: str) -> str:
    """Return the name of a table without the schema public."""
    return table.removeprefix("public.")


def _transactions(statements: Sequence[MeasuredStatement]) -> Iterator[list[MeasuredStatement]]:
    transaction: list[MeasuredStatement] = []
    for statement in statements:
        transaction.append(statement)
        if statement.commits:
            yield transaction
            transaction = []
    if transaction:
        yield transaction


def _locks(transaction: Sequence[MeasuredStatement], position: int) -> dict[str, _Lock]:
    """Return the locks that a transaction holds while its statement at a position runs, by table."""
    locks: dict[str, _Lock] = {}
    for number, statement in enumerate(transaction[: position + 1]):
        for table, mode in statement.locks.items():
            held = locks.get(table)
            if held is None or strongest([held.mode, mode]) != held.mode:
                locks[table] = _Lock(mode, len(transaction) - number)
    return locks


def _hazards(
    statement: MeasuredStatement, locks: Mapping[str, _Lock], sizes: Mapping[str, TableSize], today: date
) -> Iterator[Hazard]:
    blocking = {table: lock for table, lock in locks.items() if blocks_writers(lock.mode)}
    for table in sorted(statement.rewritten | statement.scanned):
        size = sizes.get(table)
        if size is not None and size.is_small:
            continue
        is_rewritten = table in statement.rewritten
        others = [lock.on(other) for other, lock in sorted(blocking.items()) if other != table]
        work = f"{'rewrites' if is_rewritten else 'reads'} {_size_as_text(size, table, named=table not in blocking)}"
        if table in blocking:
            kind = HazardKind.REWRITE if is_rewritten else HazardKind.SCAN
            text = f"{blocking[table].on(table)}, {work}"
            text += f"; meanwhile {' and '.join(others)}" if others else ""
        elif others:
            kind, text = HazardKind.HELD, f"{' and '.join(others)}, while the statement {work}"
        else:
            continue
        yield _hazard(kind, statement, text, table=table, counts=size is not None, today=today)
    for what, table in statement.lost.items():
        size = sizes.get(table)
        if size is None or size.rows or size.bytes:
            lost = "" if size is None else f", {size}"
            text = f"loses {what}{lost}"
            yield _hazard(HazardKind.LOSS, statement, text, table=table, counts=size is not None, today=today)


def _size_as_text(size: TableSize | None, table: str, *, named: bool) -> str:
    of_table = f" of {shown(table)}" if named else ""
    return f"all rows{of_table}, whose number is not known here" if size is None else f"{size}{of_table}"


def _hazard(
    kind: HazardKind, statement: MeasuredStatement, text: str, *, table: str, counts: bool, today: date
) -> Hazard:
    reason = problem = ""
    for allowance in hazard_allowances(statement.comments, today=today):
        if allowance.problem:
            problem = allowance.problem if not allowance.kinds or kind.value in allowance.kinds else problem
        elif kind.value in allowance.kinds:
            reason = allowance.reason
    safe = tuple(safe_statements(kind, statement.sql, table))
    return Hazard(kind, statement.path, statement.line, text, safe, reason, "" if reason else problem, counts)
