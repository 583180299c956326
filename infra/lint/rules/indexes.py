"""Rules on indexes that answer no query which another index does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.lint.rule import Violation, rule, violation_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.rule import LintProject
    from infra.lint.schema import KeyState, TableState

_REMEDY = "remove it: it costs time at every write and answers no query that the other one does not"


@rule("M504", "An index that is there twice", "warning")
def duplicate_index(project: LintProject) -> Iterator[Violation]:
    """No two indexes of a table have the same columns; a unique one also answers what a plain one would."""
    for table in project.state.tables.values():
        for number, key in enumerate(table.keys):
            other = next((earlier for earlier in table.keys[:number] if _are_equivalent(key, earlier)), None)
            if other:
                worse, better = (other, key) if _rank(other) < _rank(key) else (key, other)
                yield _redundant(table, worse, better, "has the same columns as")


@rule("M505", "An index that a wider one begins with", "warning")
def prefix_index(project: LintProject) -> Iterator[Violation]:
    """No index has only the first columns of another one, whose order answers the same queries."""
    for table in project.state.tables.values():
        for key in table.keys:
            wider = next((other for other in table.keys if _begins_with(other, key)), None)
            if wider:
                yield _redundant(table, key, wider, "has only the first columns of")


def _redundant(table: TableState, key: KeyState, other: KeyState, relation: str) -> Violation:
    names = ", ".join(column if not column.startswith("(") else "…" for column in key.columns)
    message = f"{key} on {table} ({names}) {relation} {other}, {other.origin}"
    return violation_at(key.origin, message, _REMEDY, others=(other.origin.place(f"is {other}"),))


def _ordering(key: KeyState) -> tuple[str, ...]:
    return key.ordering or ("",) * len(key.columns)


def _are_equivalent(key: KeyState, other: KeyState) -> bool:
    """Return whether one of two indexes is enough."""
    if "exclude" in {key.kind, other.kind}:
        return False
    if key.columns != other.columns or _ordering(key) != _ordering(other):
        return False
    if (key.method, key.predicate, key.include) != (other.method, other.predicate, other.include):
        return False
    both_unique = key.unique and other.unique
    same_uniqueness = (key.nulls_not_distinct, key.deferrable) == (other.nulls_not_distinct, other.deferrable)
    return same_uniqueness or not both_unique


def _rank(key: KeyState) -> int:
    """Return which of two equivalent indexes stays: primary key, then constraint, unique index, plain index."""
    return {"primary": 3, "unique": 2}.get(key.kind, 1 if key.unique else 0)


def _begins_with(wide: KeyState, narrow: KeyState) -> bool:
    """Return whether a plain index has only the first columns of another btree index."""
    if narrow.kind != "index" or narrow.unique or narrow.include or wide.kind == "exclude":
        return False
    if {wide.method, narrow.method} != {"btree"} or wide.predicate != narrow.predicate:
        return False
    width = len(narrow.columns)
    return (
        len(wide.columns) > width
        and wide.columns[:width] == narrow.columns
        and _ordering(wide)[:width] == _ordering(narrow)
    )
