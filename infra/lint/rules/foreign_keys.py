"""Rules on foreign keys: what they refer to, that the types are the same, an index, and the action written out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from infra.lint.column_types import SQL_TYPE_NAMES
from infra.lint.rule import Violation, rule, violation_at
from infra.modules.creations import SERIAL_TYPES
from infra.modules.tree import readable_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.column_types import ColumnType
    from infra.lint.rule import LintProject
    from infra.lint.schema import ColumnState, ForeignKey, KeyState, TableState
    from infra.lint.schema_state import AddedForeignKey

NOT_NULL_PREDICATE = re.compile(r"null_test.*IS_NOT_NULL", re.DOTALL)


def _with_targets(project: LintProject) -> Iterator[tuple[AddedForeignKey, TableState]]:
    """Yield every foreign key whose target exists, with the target; M201 and M202 report the others."""
    for added in project.state.added_foreign_keys:
        if added.target:
            yield added, added.target


def _target_columns(added: AddedForeignKey) -> tuple[str, ...]:
    """Return the columns that a foreign key refers to, those of the primary key if it names none."""
    if added.key.target_columns:
        return added.key.target_columns
    return next((key.columns for key in added.target_keys if key.kind == "primary"), ())


@rule("M301", "A foreign key to what is not unique")
def foreign_key_target(project: LintProject) -> Iterator[Violation]:
    """The columns that a foreign key refers to are a primary key or unique at that moment, without a condition."""
    for added, target in _with_targets(project):
        columns = _target_columns(added)
        if not target.complete or not set(columns) <= set(target.columns):
            continue
        if not columns:
            message = f"refers to {target}, which has no primary key"
            yield violation_at(added.key.origin, message, "name a unique column of it, or give it a primary key")
        elif not any(_is_key_of(key, columns) for key in added.target_keys):
            yield _not_unique(added.key, target, columns)


def _is_key_of(key: KeyState, columns: tuple[str, ...]) -> bool:
    return key.can_be_referenced and set(key.columns) == set(columns)


def _not_unique(key: ForeignKey, target: TableState, columns: tuple[str, ...]) -> Violation:
    names = ", ".join(columns)
    later = next((other for other in target.keys if _is_key_of(other, columns)), None)
    if later:
        message = f"refers to {target} ({names}), which is unique only from {later.origin} on"
        others = (later.origin.place("makes it unique"),)
        return violation_at(key.origin, message, "make it unique first", others=others)
    message = f"refers to {target} ({names}), which is neither unique nor the primary key"
    others = (target.origin.place("is the table"),)
    return violation_at(key.origin, message, "refer to the primary key, or make it unique", others=others)


class _ColumnPair(NamedTuple):
    """A column of a foreign key, and the one that it refers to, with their types."""

    key: ForeignKey
    table: TableState
    column: ColumnState
    type: ColumnType
    target: TableState
    target_column: ColumnState
    target_type: ColumnType

    def have_same_type(self) -> bool:
        return _without_modifiers(self.type) == _without_modifiers(self.target_type)

    def violation(self, required: str) -> Violation:
        own, other = f"{self.table}.{self.column.name}", f"{self.target}.{self.target_column.name}"
        message = f"{own} is {self.type}, but {other} is {self.target_type}"
        others = (
            self.column.origin.place(f"is {self.type}"),
            self.target_column.origin.place(f"is {self.target_type}"),
        )
        return violation_at(self.key.origin, message, f"give both the type {required}", others=others)


def _column_pairs(project: LintProject) -> Iterator[_ColumnPair]:
    """Yield the pairs of columns of every foreign key whose types are both in the model."""
    for added, target in _with_targets(project):
        columns = _target_columns(added) or target.primary_key
        for name, target_name in zip(added.key.columns, columns, strict=False):
            column, target_column = added.table.columns.get(name), target.columns.get(target_name)
            if column and target_column and column.type and target_column.type:
                yield _ColumnPair(
                    added.key, added.table, column, column.type, target, target_column, target_column.type
                )


def _without_modifiers(column_type: ColumnType) -> tuple[str, int]:
    """Return name and dimensions; a serial type counts as the integer type that it stands for."""
    return SERIAL_TYPES.get(column_type.name, column_type.name), column_type.dimensions


@rule("M302", "A foreign key between different types")
def foreign_key_types(project: LintProject) -> Iterator[Violation]:
    """Both sides have the same type: PostgreSQL refuses some pairs, and compares others with a cast on every row."""
    for pair in _column_pairs(project):
        if not pair.have_same_type():
            serial = SERIAL_TYPES.get(pair.target_type.name)
            yield pair.violation(SQL_TYPE_NAMES[serial] if serial else str(pair.target_type))


@rule("M303", "A foreign key between different lengths", "warning")
def foreign_key_lengths(project: LintProject) -> Iterator[Violation]:
    """Both sides have the same length, so that a value that fits into one fits into the other."""
    for pair in _column_pairs(project):
        if pair.have_same_type() and pair.type.modifiers != pair.target_type.modifiers:
            yield pair.violation(str(pair.target_type))


@rule("M304", "A foreign key without an index", "warning")
def foreign_key_index(project: LintProject) -> Iterator[Violation]:
    """An index begins with the referring columns: without one, every DELETE on the other side reads the whole table."""
    for table in project.state.tables.values():
        for key in table.foreign_keys:
            if not any(_finds_referring_rows(index, key) for index in table.keys):
                names = ", ".join(key.columns)
                remedy = f"CREATE INDEX ON {readable_name(table.name)} ({names})"
                yield violation_at(key.origin, f"no index of {table} begins with {names}", remedy)


def _finds_referring_rows(index: KeyState, key: ForeignKey) -> bool:
    """Return whether an index finds the rows that refer to a row: btree or hash, on all rows or those not null."""
    is_sufficient = not index.predicate or NOT_NULL_PREDICATE.search(index.predicate) is not None
    first_columns = set(index.columns[: len(key.columns)])
    has_equality = index.method in {"btree", "hash"} and index.kind != "exclude"
    return is_sufficient and has_equality and first_columns == set(key.columns)


@rule("M305", "A foreign key without its action", "warning")
def foreign_key_action(project: LintProject) -> Iterator[Violation]:
    """What happens on DELETE is written out, so that nobody has to guess whether it was meant."""
    for added in project.state.added_foreign_keys:
        key = added.key
        if key.on_delete == "a" and not re.search(r"\bON\s+DELETE\b", key.text, re.IGNORECASE):
            remedy = "write ON DELETE NO ACTION, or the action that is meant"
            yield violation_at(key.origin, "does not say what happens ON DELETE", remedy)


@rule("M306", "SET NULL on a column that is not null")
def set_null_on_not_null(project: LintProject) -> Iterator[Violation]:
    """An action that sets null needs columns that may be null: else each such DELETE fails."""
    for added in project.state.added_foreign_keys:
        key, columns = added.key, added.table.columns
        if "n" in {key.on_delete, key.on_update} and not re.search(r"\bSET\s+NULL\s*\(", key.text, re.IGNORECASE):
            not_null = [name for name in key.columns if name in columns and columns[name].not_null]
            if not_null:
                message = f"sets {', '.join(not_null)} null, which is NOT NULL"
                yield violation_at(key.origin, message, "choose another action, or let the column be null")
