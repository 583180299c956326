"""Qualified names as SQL writes them, quoted where necessary, and their parts."""

from __future__ import annotations

import re

PART = re.compile(r'"(?:[^"]|"")*"|[^."]+')


def name_parts(name: str) -> list[str]:
    """Return the parts of a qualified name, each quoted as it was: `a` and `"b.c"` for `a."b.c"`."""
    return PART.findall(name)


def parent(name: str) -> str:
    """Return the qualified name of the table that a column, constraint, trigger, rule or policy belongs to."""
    return ".".join(name_parts(name)[:-1])


def last(name: str) -> str:
    """Return the last part of a qualified name, quoted as it was."""
    return name_parts(name)[-1]


def raw(name: str) -> tuple[str, ...]:
    """Return the parts of a qualified name without quotes, as pg_catalog stores them."""
    return tuple(unquoted(part) for part in name_parts(name))


def unquoted(identifier: str) -> str:
    """Return one identifier without its quotes (PostgreSQL manual, 4.1.1: a quote inside is written twice)."""
    return identifier[1:-1].replace('""', '"') if identifier.startswith('"') else identifier
