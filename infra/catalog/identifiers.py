"""Names as SQL writes them: qualified and quoted, taken apart and put together."""

from __future__ import annotations

import re

PART = re.compile(r'"(?:[^"]|"")*"|[^."]+')


def name_parts(name: str) -> list[str]:
    """Take a qualified name apart at its dots, leaving each part quoted as it was: `a."b.c"` is `a` and `"b.c"`."""
    return PART.findall(name)


def parent(name: str) -> str:
    """Give the qualified name of the table that a column, constraint, trigger, rule or policy belongs to."""
    return ".".join(name_parts(name)[:-1])


def last(name: str) -> str:
    """Give the last part of a qualified name, quoted as it was."""
    return name_parts(name)[-1]


def raw(name: str) -> tuple[str, ...]:
    """Give the parts of a qualified name as they are stored, without quotes."""
    return tuple(part[1:-1].replace('""', '"') if part.startswith('"') else part for part in name_parts(name))
