"""Rules on foreign keys: what they refer to, that the types are the same, an index, and the action written out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from infra.lint.rule import Hit, at_spot, rule
from infra.lint.schema import SERIAL, SPOKEN, ForeignKey, KeyState, TableState
from infra.lint.tree import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.rule import LintProject
    from infra.lint.schema import ColumnState, ColumnType
    from infra.lint.schema_state import Addition

NOT_NULL_WHERE = re.compile(r"null_test.*IS_NOT_NULL", re.DOTALL)


def _foreign_keys(project: LintProject) -> Iterator[tuple[Addition, TableState, ForeignKey, TableState]]:
    """Give every foreign key whose target is known; a table that is missing is the order's business."""
    for one in project.history.additions:
        if one.target:
            yield one, one.table, one.key, one.target


def _target_columns(key: ForeignKey, one: Addition) -> tuple[str, ...]:
    if key.target_columns:
        return key.target_columns
    return next((each.columns for each in one.target_keys if each.kind == "primary"), ())


@rule("M301", "A foreign key to what is not unique")
def target(project: LintProject) -> Iterator[Hit]:
    """The columns that a foreign key refers to are a primary key or unique at that moment, without a condition."""
    for one, _, key, to in _foreign_keys(project):
        columns = _target_columns(key, one)
        if not columns:
            if to.complete:
                remedy = "name a unique column of it, or give it a primary key"
                yield at_spot(key.spot, f"refers to {to}, which has no primary key", remedy)
            continue
        if not to.complete or not set(columns) <= set(to.columns):
            continue
        if any(each.is_target and set(each.columns) == set(columns) for each in one.target_keys):
            continue
        later = next((each for each in to.keys if each.is_target and set(each.columns) == set(columns)), None)
        names = ", ".join(columns)
        if later:
            what = f"refers to {to} ({names}), which is unique only from {later.spot} on"
            yield at_spot(key.spot, what, "make it unique first", others=(later.spot.place("makes it unique"),))
        else:
            what = f"refers to {to} ({names}), which is neither unique nor the primary key"
            others = (to.spot.place("is the table"),)
            yield at_spot(key.spot, what, "refer to the primary key, or make it unique", others=others)


def _pairs(project: LintProject) -> Iterator[tuple[ForeignKey, TableState, ColumnState, TableState, ColumnState]]:
    """Give the pairs of columns of every foreign key."""
    for one, table, key, to in _foreign_keys(project):
        columns = _target_columns(key, one) or to.primary_key
        for own, other in zip(key.columns, columns, strict=False):
            if own in table.columns and other in to.columns:
                yield key, table, table.columns[own], to, to.columns[other]


def _plain(kind: ColumnType) -> tuple[str, int]:
    return SERIAL.get(kind.name, kind.name), kind.dimensions


@rule("M302", "A foreign key between different types")
def types(project: LintProject) -> Iterator[Hit]:
    """Both sides have the same type: PostgreSQL refuses some pairs, and compares others with a cast on every row."""
    for key, table, own, to, other in _pairs(project):
        if own.type and other.type and _plain(own.type) != _plain(other.type):
            what = f"{table}.{own.name} is {own.type}, but {to}.{other.name} is {other.type}"
            others = (own.spot.place(f"is {own.type}"), other.spot.place(f"is {other.type}"))
            yield at_spot(key.spot, what, f"give both the type {_shown(other.type)}", others=others)


def _shown(kind: ColumnType) -> str:
    return SPOKEN[SERIAL[kind.name]] if kind.name in SERIAL else str(kind)


@rule("M303", "A foreign key between different lengths", "warning")
def lengths(project: LintProject) -> Iterator[Hit]:
    """Both sides have the same length: a value that one takes, the other takes too."""
    for key, table, own, to, other in _pairs(project):
        if (
            own.type
            and other.type
            and _plain(own.type) == _plain(other.type)
            and own.type.modifiers != other.type.modifiers
        ):
            what = f"{table}.{own.name} is {own.type}, but {to}.{other.name} is {other.type}"
            others = (own.spot.place(f"is {own.type}"), other.spot.place(f"is {other.type}"))
            yield at_spot(key.spot, what, f"give both the type {other.type}", others=others)


@rule("M304", "A foreign key without an index", "warning")
def index(project: LintProject) -> Iterator[Hit]:
    """An index begins with the referring columns: without one, every DELETE on the other side reads the whole table."""
    for table in project.history.tables.values():
        for key in table.foreign_keys:
            if not any(_serves(each, key) for each in table.keys):
                names = ", ".join(key.columns)
                remedy = f"CREATE INDEX ON {dotted(table.name)} ({names})"
                yield at_spot(key.spot, f"no index of {table} begins with {names}", remedy)


def _serves(index: KeyState, key: ForeignKey) -> bool:
    """Say whether an index finds the rows that refer to one: btree or hash, over all of them or those not null."""
    whole = not index.predicate or NOT_NULL_WHERE.search(index.predicate) is not None
    first = set(index.columns[: len(key.columns)])
    return whole and index.method in {"btree", "hash"} and index.kind != "exclude" and first == set(key.columns)


@rule("M305", "A foreign key without its action", "warning")
def action(project: LintProject) -> Iterator[Hit]:
    """What happens on DELETE is written out, so that nobody has to guess whether it was meant."""
    for one in project.history.additions:
        key = one.key
        if key.on_delete == "a" and not re.search(r"\bON\s+DELETE\b", key.text, re.IGNORECASE):
            remedy = "write ON DELETE NO ACTION, or what is meant"
            yield at_spot(key.spot, "does not say what happens ON DELETE", remedy)


@rule("M306", "SET NULL on a column that is not null")
def set_null(project: LintProject) -> Iterator[Hit]:
    """An action that sets null needs columns that may be null: else each such DELETE fails."""
    for one in project.history.additions:
        key = one.key
        if "n" in {key.on_delete, key.on_update}:
            strict = [name for name in key.columns if name in one.table.columns and one.table.columns[name].not_null]
            if strict and "SET NULL (" not in " ".join(key.text.upper().split()).replace("SET NULL(", "SET NULL ("):
                what = f"sets {', '.join(strict)} null, which is NOT NULL"
                yield at_spot(key.spot, what, "choose another action, or let the column be null")
