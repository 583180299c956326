"""Rules on indexes that answer no query which another does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.lint.rule import Hit, at_spot, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.rule import LintProject
    from infra.lint.schema import KeyState, TableState

_REMEDY = "leave it out: it costs at every write and answers nothing that the other does not"


@rule("M504", "An index that is there twice", "warning")
def duplicate(project: LintProject) -> Iterator[Hit]:
    """No two indexes of a table have the same columns; a unique one also answers what a plain one would."""
    for table in project.history.tables.values():
        for number, one in enumerate(table.keys):
            other = next((each for each in table.keys[:number] if _same(one, each)), None)
            if other:
                worse, better = (other, one) if _rank(other) < _rank(one) else (one, other)
                yield _hit(table, worse, better, "has the same columns as")


@rule("M505", "An index that a wider one begins with", "warning")
def prefix(project: LintProject) -> Iterator[Hit]:
    """No index has only the first columns of another one, whose order answers the same queries."""
    for table in project.history.tables.values():
        for one in table.keys:
            other = next((each for each in table.keys if _begins_with(each, one)), None)
            if other:
                yield _hit(table, one, other, "has only the first columns of")


def _hit(table: TableState, one: KeyState, other: KeyState, how: str) -> Hit:
    names = ", ".join(column if not column.startswith("(") else "…" for column in one.columns)
    there = f"{other}, {other.spot}"
    others = (other.spot.place(f"is {other}"),)
    return at_spot(one.spot, f"{one} on {table} ({names}) {how} {there}", _REMEDY, others=others)


def _order(key: KeyState) -> tuple[str, ...]:
    return key.order or ("",) * len(key.columns)


def _same(one: KeyState, other: KeyState) -> bool:
    """Say whether one of two indexes is enough."""
    if "exclude" in {one.kind, other.kind} or one.columns != other.columns or _order(one) != _order(other):
        return False
    unique_alike = not (one.unique and other.unique) or (one.others, one.deferrable) == (other.others, other.deferrable)
    return unique_alike and (one.method, one.predicate, one.include) == (other.method, other.predicate, other.include)


def _rank(key: KeyState) -> int:
    """Say which of two equal ones to keep: the primary key, then a constraint, a unique index, a plain one."""
    return {"primary": 3, "unique": 2}.get(key.kind, 1 if key.unique else 0)


def _begins_with(wide: KeyState, narrow: KeyState) -> bool:
    """Say whether a plain index has only the first columns of another btree."""
    width = len(narrow.columns)
    if (
        narrow.kind != "index"
        or narrow.unique
        or narrow.include
        or wide.kind == "exclude"
        or len(wide.columns) <= width
    ):
        return False
    if {wide.method, narrow.method} != {"btree"} or wide.predicate != narrow.predicate:
        return False
    return wide.columns[:width] == narrow.columns and _order(wide)[:width] == _order(narrow)
