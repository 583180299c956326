"""Short names of types: PostgreSQL's own aliases for the long names of the SQL standard (manual, table 8.1)."""

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


def short_type(type_name: str) -> str:
    """Return the alias of a type, with its modifiers and brackets; a type without an alias is returned unchanged."""
    for pattern, alias in ALIASES:
        if pattern.match(type_name):
            return pattern.sub(alias, type_name, count=1)
    return type_name
