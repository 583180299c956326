"""SQL for whole tables that no model declares, with columns and partitions, and for what tables and columns set."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from infra.catalog.definitions import column_of, names_in, split_comment
from infra.catalog.identifiers import last, parent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from infra.catalog.definitions import ColumnDefinition
    from infra.catalog.difference import Difference

_BY, _OF = "partition by ", "partition of "
_NO_PLAIN_TABLE = ("of ", "inherits ", "foreign table ", "using ")
_ATTRIBUTES = {
    "row level security enabled": ("ENABLE ROW LEVEL SECURITY", "DISABLE ROW LEVEL SECURITY"),
    "row level security forced": ("FORCE ROW LEVEL SECURITY", "NO FORCE ROW LEVEL SECURITY"),
    "unlogged": ("SET UNLOGGED", "SET LOGGED"),
}
"""Lines of a table's definition: what sets such an attribute, and what takes it back."""
_OPTIONS = re.compile(r"^(?P<toast>toast )?with \((?P<options>.*)\)$", re.MULTILINE)
_REST = {
    "storage": ("STORAGE", "DEFAULT"),
    "compression": ("COMPRESSION", "default"),
    "statistics": ("STATISTICS", "-1"),
}
"""Further lines of a column's definition: what sets one, and the value that takes it back."""
_STORAGES = {
    **dict.fromkeys(
        ("text", "character", "character varying", "bytea", "json", "jsonb", "xml", "tsvector"), "EXTENDED"
    ),
    **dict.fromkeys(("numeric", "inet", "cidr"), "MAIN"),
}
"""What DEFAULT means for types: PostgreSQL 15 does not have that word (release notes of 16)."""


def created_tables(differences: Sequence[Difference]) -> Iterator[str]:
    """Yield the statements that create missing tables, partitions after what they are part of.

    None for a table of another kind, such as a foreign one.
    """
    columns: dict[str, dict[str, ColumnDefinition]] = {}
    orders: dict[str, tuple[str, ...]] = {}
    for difference in differences:
        kind, name = difference.identity
        if kind == "column order" and difference.expected:
            orders[name] = names_in(difference.expected)
        if kind == "column" and difference.verdict == "missing":
            with suppress(ValueError):
                columns.setdefault(parent(name), {})[last(name)] = column_of(name, difference.expected or "")
    missing = {
        difference.identity.name: split_comment(difference.expected or "")[0].splitlines()
        for difference in differences
        if difference.identity.kind == "table" and difference.verdict == "missing"
    }
    for name in sorted(missing, key=lambda name: _depth(name, missing)):
        lines = missing[name]
        if any(line.startswith(_NO_PLAIN_TABLE) for line in lines):
            continue
        by = next((f" PARTITION BY {line.removeprefix(_BY)}" for line in lines if line.startswith(_BY)), "")
        position = next((number for number, line in enumerate(lines) if line.startswith(_OF)), None)
        if position is not None:
            of, bound = lines[position].removeprefix(_OF), lines[position + 1]
            yield f"CREATE TABLE {name} PARTITION OF {of} {bound}{by}"
        else:
            own = columns.get(name, {})
            order = [column for column in orders.get(name, tuple(own)) if column in own]
            texts = [f"{column} {column_clauses(own[column])}" for column in order]
            yield f"CREATE TABLE {name} ({', '.join(texts)}){by}"
            for column in order:
                yield from altered_rest(f"ALTER TABLE {name} ALTER COLUMN {column}", own[column], None)


def dropped_tables(differences: Sequence[Difference]) -> list[str]:
    """Return the statements that drop tables that are not expected, partitions first."""
    extra = {
        difference.identity.name: (difference.found or "").splitlines()
        for difference in differences
        if difference.identity.kind == "table" and difference.verdict == "extra"
    }
    return [f"DROP TABLE {name}" for name in sorted(extra, key=lambda name: -_depth(name, extra))]


def _depth(name: str, tables: dict[str, list[str]]) -> int:
    """Return how many of the tables a table is a partition of, directly or not."""
    above = next((line.removeprefix(_OF) for line in tables.get(name, ()) if line.startswith(_OF)), None)
    return 0 if above is None else 1 + _depth(above, tables)


def column_clauses(column: ColumnDefinition) -> str:
    """Return what follows a column's name where a table or a column is created."""
    generated = column.generated.upper() if column.generated.endswith("identity") else column.generated
    clauses = (
        column.type,
        column.collation and f"COLLATE {column.collation}",
        column.default and f"DEFAULT {column.default}",
        generated,
        "" if column.nullable else "NOT NULL",
    )
    return " ".join(filter(None, clauses))


def altered_rest(alter: str, expected: ColumnDefinition, found: ColumnDefinition | None) -> Iterator[str]:
    """Yield the statements for how a column's values are stored, compressed and counted."""
    before = dict(line.split(" ", 1) for line in found.rest if " " in line) if found else {}
    after = dict(line.split(" ", 1) for line in expected.rest if " " in line)
    for name, (word, default) in _REST.items():
        if before.get(name) != after.get(name):
            yield f"{alter} SET {word} {after.get(name) or _default(name, expected.type) or default}"


def _default(name: str, column_type: str) -> str | None:
    """Return the storage of a built-in type that has a choice of it, None for other types and settings."""
    is_array = column_type.endswith("[]")
    return ("EXTENDED" if is_array else _STORAGES.get(column_type.partition("(")[0])) if name == "storage" else None


def table_attributes(difference: Difference) -> Iterator[str]:
    """Yield the statements for attributes and options of a table that stays or was created."""
    kind, name = difference.identity
    if kind != "table" or difference.expected is None:
        return
    expected, found = difference.expected, difference.found or ""
    for line, (action, opposite) in _ATTRIBUTES.items():
        if (line in expected.splitlines()) != (line in found.splitlines()):
            yield f"ALTER TABLE {name} {action if line in expected.splitlines() else opposite}"
    before, after = _options(found), _options(expected)
    changed = [f"{option} = {value}" for option, value in after.items() if before.get(option) != value]
    gone = [option for option in before if option not in after]
    if changed:
        yield f"ALTER TABLE {name} SET ({', '.join(changed)})"
    if gone:
        yield f"ALTER TABLE {name} RESET ({', '.join(gone)})"


def _options(definition: str) -> dict[str, str]:
    """Return the storage parameters of a table, those of its TOAST table with their prefix."""
    return {
        f"{'toast.' if match['toast'] else ''}{option}": value
        for match in _OPTIONS.finditer(split_comment(definition)[0])
        for option, _, value in (text.partition("=") for text in match["options"].split(", "))
    }
