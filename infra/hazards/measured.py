"""What one statement did in a scratch database, as it was measured there: locks, rewrites, scans, what it dropped."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MODES = (
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
)
"""The modes of locks on tables, the strongest last (manual, 13.3.1)."""

_BLOCKS_WRITERS = MODES.index("SHARE")


class HazardKind(Enum):
    """What a hazard is; the values are the words in comments that allow one."""

    REWRITE = "rewrite"
    SCAN = "scan"
    HELD = "held"
    LOSS = "loss"


@dataclass(frozen=True)
class MeasuredStatement:
    """One statement, its place, and what it did to the tables that the released schema has, by their names there.

    `locks` has the strongest mode that it took on each table, where the transaction did not hold that before; `lost`
    are tables and columns that are gone, and `rows of …` that it deletes; `retyped` are columns whose values the other
    type may shorten or round. With `commits` its transaction ends after it. `comments` are those at the statement.
    """

    sql: str
    path: str
    line: int
    locks: Mapping[str, str] = field(default_factory=dict[str, str])
    rewritten: frozenset[str] = frozenset()
    scanned: frozenset[str] = frozenset()
    lost: Mapping[str, str] = field(default_factory=dict[str, str])
    retyped: Mapping[str, str] = field(default_factory=dict[str, str])
    commits: bool = True
    comments: tuple[str, ...] = ()


def mode_of(name: str) -> str:
    """Return a mode as SQL writes it, given as pg_locks does: `AccessExclusiveLock`."""
    return " ".join(re.findall("[A-Z][a-z]+", name.removesuffix("Lock"))).upper()


def strongest(modes: Iterable[str]) -> str:
    """Return the strongest of some modes."""
    return max(modes, key=MODES.index)


def blocks_writers(mode: str) -> bool:
    """Return whether a lock of this mode makes statements wait that write to the table; '' is no lock."""
    return mode in MODES[_BLOCKS_WRITERS:]
