"""Types as people write them: PostgreSQL's own aliases for the long names of the standard (manual, table 8.1)."""

from __future__ import annotations

import re

ALIASES = (
    (re.compile(r"^character varying"), "varchar"),
    (re.compile(r"^character\b"), "char"),
    (re.compile(r"^bit varying"), "varbit"),
    (re.compile(r"^double precision"), "float8"),
    (re.compile(r"^real\b"), "float4"),
    (re.compile(r"^timestamp(\(\d\))? with time zone"), r"timestamptz\1"),
    (re.compile(r"^time(\(\d\))? with time zone"), r"timetz\1"),
    (re.compile(r"^(timestamp|time)(\(\d\))? without time zone"), r"\1\2"),
)


def short(type_name: str) -> str:
    """Give the short name of a type, with its modifiers and brackets; others are given as they are."""
    for pattern, alias in ALIASES:
        if pattern.match(type_name):
            return pattern.sub(alias, type_name, count=1)
    return type_name
