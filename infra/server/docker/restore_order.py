"""Who restores which entries of a dump of a whole server, and in which order.

What a database's owner made is restored by a login that belongs to that owner alone: PostgreSQL runs functions of the
owner's in checks, generated columns, partitions' bounds, types and foreign keys, as whoever restores them.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from infra.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENTRY = re.compile(r"(\d+); (\d+ \d+ .*)")
_OF_DATABASE = re.compile(r"\d+ \d+ (?:DATABASE |DATABASE PROPERTIES |(?:ACL|COMMENT|SECURITY LABEL) - DATABASE )")
"""The database itself, which `pg_restore --create` makes before it enters it."""
_BY_ADMINISTRATORS = re.compile(
    r"2615 \d+ SCHEMA |3079 \d+ EXTENSION |826 \d+ DEFAULT ACL |0 0 (?:ACL|COMMENT|SECURITY LABEL) |\d+ \d+ BLOB"
)
"""What its owner may not make, or a login that belongs to the owner cannot; PostgreSQL runs nothing for it."""
_USUAL = 1
_RANKS = {
    0: re.compile(r"2615 \d+ SCHEMA |3079 \d+ EXTENSION |0 0 ACL - SCHEMA "),
    2: re.compile(r"0 0 ACL (?!- )"),
    3: re.compile(r"2606 \d+ FK CONSTRAINT "),  # needs privileges on a table of another owner, and to see all rows
    4: re.compile(r"3256 \d+ POLICY |0 \d+ (?:ROW SECURITY|MATERIALIZED VIEW DATA) "),
    5: re.compile(r"826 \d+ DEFAULT ACL |0 0 (?:COMMENT|SECURITY LABEL) "),
    6: re.compile(r"3466 \d+ EVENT TRIGGER "),
}
"""The order, where it is not the dump's: so that runs are few, and each finds what it needs."""


def entries_of_database(listed: str) -> list[str]:
    """Return the entries of `pg_restore --list` that are the database itself, by their numbers."""
    return [number for number, entry in _entries(listed) if _OF_DATABASE.match(entry)]


def restore_runs(listed: str, roles: Sequence[tuple[str, bool]]) -> list[tuple[str, list[str]]]:
    """Return the other entries in runs, each with the role that owns them, '' for administrators.

    `roles` are all roles, and whether they are superusers. Raises RefusedError for an entry that names no role.
    """
    inside = [pair for pair in _entries(listed) if not _OF_DATABASE.match(pair[1])]
    runs = groupby(sorted(inside, key=lambda pair: _rank(pair[1])), key=lambda pair: _role_of(pair[1], roles))
    return [(role, [number for number, _ in run]) for role, run in runs]


def _entries(listed: str) -> list[tuple[str, str]]:
    return [(found[1], found[2]) for found in map(_ENTRY.fullmatch, listed.splitlines()) if found]


def _rank(entry: str) -> int:
    return next((rank for rank, pattern in _RANKS.items() if pattern.match(entry)), _USUAL)


def _role_of(entry: str, roles: Sequence[tuple[str, bool]]) -> str:
    """Return the role that owns an entry, '' where administrators restore it.

    An entry ends with its owner, and the name before may have spaces: what can be read as the entry of one who is no
    superuser is taken for that.
    """
    if _BY_ADMINISTRATORS.match(entry):
        return ""
    owners = [(name, is_superuser) for name, is_superuser in roles if entry.endswith(f" {name}")]
    others = [name for name, is_superuser in owners if not is_superuser]
    if not owners:
        raise RefusedError("belongs to no role that is known", place=f"entry {entry!r} of the dump")
    return max(others, key=len, default="")
