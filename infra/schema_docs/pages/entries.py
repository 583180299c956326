"""What the documents show, entry by entry: modules, tables, columns, rules, and where each is declared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class SourceLink(NamedTuple):
    """A line of a file, by its path in the project."""

    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


class Described(NamedTuple):
    """A module: its name, its file, and what its first comment says of it."""

    name: str
    path: str
    description: str


@dataclass(frozen=True)
class ColumnEntry:
    """A column as the documents show it."""

    name: str
    anchor: str
    type: str
    nullable: bool
    default: str
    keys: tuple[str, ...]
    notes: tuple[str, ...]
    comment: str
    targets: tuple[tuple[str, str], ...]  # what its foreign keys refer to: as shown, and as an anchor
    declared: tuple[SourceLink, ...]


@dataclass(frozen=True)
class RuleEntry:
    """A constraint or an index as the documents show it; `before`, `target` and `after` are parts of its definition."""

    name: str
    anchor: str
    kind: str
    before: str
    target: str
    target_anchor: str
    after: str
    comment: str
    module: str
    declared: tuple[SourceLink, ...]


@dataclass(frozen=True)
class ReferenceEntry:
    """A foreign key seen from the table that it refers to."""

    table: str
    anchor: str
    columns: str
    own_columns: str
    action: str


@dataclass(frozen=True)
class TableEntry:
    """A table as the documents show it."""

    name: str
    anchor: str
    comment: str
    notes: tuple[str, ...]
    columns: tuple[ColumnEntry, ...]
    constraints: tuple[RuleEntry, ...]
    indexes: tuple[RuleEntry, ...]
    referred_to_by: tuple[ReferenceEntry, ...]
    declared: tuple[SourceLink, ...]


@dataclass(frozen=True)
class OtherEntry:
    """An object that is no table, as the documents show it."""

    kind: str
    name: str
    anchor: str
    definition: str
    comment: str
    declared: tuple[SourceLink, ...]


@dataclass(frozen=True)
class ModuleEntry:
    """A module as the documents show it; `counts` says in words what it makes."""

    name: str
    anchor: str
    path: str
    description: str
    counts: str
    tables: tuple[TableEntry, ...]
    others: tuple[OtherEntry, ...]


@dataclass(frozen=True)
class PageContents:
    """All that the documents say."""

    title: str
    counts: str
    modules: tuple[ModuleEntry, ...]
