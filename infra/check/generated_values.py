"""Values for generated rows: for each type some that are unusual, and some that differ from each other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from infra.postgres.connection.pool import Connection

DISTINCT = 10
"""How many values of each type are made by a number: so many rows can differ in a unique column."""

_TEXTS = [
    "O'Brien",
    "",
    "naïve ☃ 日本語 👩‍👧",
    "o'brien@example.com",
    "  ",
    "100 % of %s\\\t\n",
    "NULL",
    "https://example.com/a?b=c",
    "x" * 300,
]
_TIMES = ["2024-10-27 02:30:00.999999", "0002-01-01 00:00:00", "9998-12-31 23:59:59", "1970-01-01 00:00:00"]
_VALUES = {
    "S": _TEXTS,
    "N": ["0", "1", "-1", "14", "32767", "2147483647", "-2147483648", "9223372036854775807", "0.5", "NaN"],
    "B": ["true", "false"],
    "D": [*_TIMES, "infinity", "02:30:00.5"],
    "T": ["0", "1 mon -1 day 00:00:00.5", "-1 year"],
    "json": ["{}", "null", '{"deep": [[null, true, {"ü": 1e2}]], "": "O\'B"}', "[]", '"text"', "0.10"],
    "bytea": ["", "\\x00ff"],
}
_OTHER = ["", "0", "1", "{}", "a", "()", "(,)", "(,,)", "(0,0)", "(0,0),(1,1)", "empty", "[1]", "[1,2,3]", "127.0.0.1"]
"""For types that are not known here: each takes some of them, or none."""
_NUMBERED = {
    "S": "{0}",
    "N": "{0}",
    "D": "2024-01-{1:02} 12:00:00",
    "T": "{0} days",
    "json": '{{"n": {0}}}',
    "bytea": "\\x{1:02}",
    "uuid": "00000000-0000-4000-8000-{0:012}",
    "I": "10.0.0.{0}",
}
_TYPE = """
SELECT
    t.typname::text, t.typtype::text, t.typcategory::text, t.typbasetype::oid,
    CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END,
    ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder),
    ARRAY(SELECT pg_catalog.pg_get_constraintdef(c.oid) FROM pg_catalog.pg_constraint c WHERE c.contypid = t.oid)
FROM pg_catalog.pg_type t WHERE t.oid = %s
"""
_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_NUMBER = re.compile(r"(?<![\w.'])-?\d+(?:\.\d+)?(?![\w.'])")


def literals_in(definitions: Iterable[str]) -> list[str]:
    """Return the constants in definitions of checks, and the numbers beside each number: they tend to obey them."""
    found: list[str] = []
    for definition in definitions:
        found += [text.replace("''", "'") for text in _LITERAL.findall(definition)]
        for text in _NUMBER.findall(_LITERAL.sub("", definition)):
            found += [text, *(str(int(text) + step) for step in (1, -1) if "." not in text)]
    return list(dict.fromkeys(found))


def values_of_type(connection: Connection, oid: int, name: str, further: Sequence[str] = ()) -> list[str]:
    """Return values of a type (written as in SQL) as texts, `further` ones first, without those that it does not take.

    A text that is too long for the type is cut.
    """
    candidates = [*further, *_candidates(connection, oid)]
    query = f"SELECT CAST(value AS {name})::text FROM unnest(%s::text[]) AS value"
    found: list[str] = []
    for values in [candidates] if not further else [further, candidates[len(further) :]]:
        try:
            found += _cast(connection, query, values)
        except psycopg.Error:
            for value in values:
                try:
                    found += _cast(connection, query, [value])
                except psycopg.Error:
                    continue
    return list(dict.fromkeys(found))


def _cast(connection: Connection, query: str, values: Sequence[str]) -> list[str]:
    with connection.transaction():
        rows = connection.execute(query.encode(), (list(values),)).fetchall()
    return [str(value) for (value,) in rows if value is not None]


def _candidates(connection: Connection, oid: int) -> list[str]:
    row = connection.execute(_TYPE, (oid,)).fetchone()
    if row is None:
        return []
    name, kind, category, base, element, labels, checks = row
    if kind == "d":
        return [*literals_in(checks), *_candidates(connection, base)]
    if labels:
        return list(labels)
    if element:
        quoted = ['"' + re.sub(r'(["\\])', r"\\\1", value) + '"' for value in _candidates(connection, element)]
        return ["{}", *(f"{{{value}}}" for value in quoted[:DISTINCT]), f"{{{','.join(['NULL', *quoted[:2]])}}}"]
    group = "json" if name in {"json", "jsonb"} else name if name in _NUMBERED else category
    numbered = _NUMBERED.get(group)
    made = [numbered.format(number, number + 1) for number in range(DISTINCT)] if numbered else []
    return [*_VALUES.get(group, [] if made else _OTHER), *made]
