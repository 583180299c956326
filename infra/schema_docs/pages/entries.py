"""The entries of the documents: modules, tables with the files that declare them, columns, constraints, indexes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class ModuleDescription(NamedTuple):
    """A module: its name, the path of its file, and the first line of its first comment."""

    name: str
    path: str
    description: str


@dataclass(frozen=True)
class ColumnEntry:
    """A column; `notes` are its collation and other properties, `targets` what its foreign keys refer to."""

    name: str
    anchor: str
    type: str
    nullable: bool
    default: str
    keys: tuple[str, ...]
    notes: tuple[str, ...]
    comment: str
    targets: tuple[tuple[str, str], ...]  # each as shown, and as an anchor


@dataclass(frozen=True)
class RuleEntry:
    """A constraint or an index; `before`, `target` (the table referred to) and `after` together are its definition."""

    name: str
    anchor: str
    kind: str
    before: str
    target: str
    target_anchor: str
    after: str
    comment: str
    module: str


@dataclass(frozen=True)
class ReferenceEntry:
    """A foreign key in the entry of the table that it refers to; `own_columns` are those of that table."""

    table: str
    anchor: str
    columns: str
    own_columns: str
    action: str


@dataclass(frozen=True)
class TableEntry:
    """A table with its columns, constraints, indexes, and the foreign keys of others that refer to it.

    `declared` are paths of files, relative to the project. They have no lines: a line further up would change them all.
    """

    name: str
    anchor: str
    comment: str
    notes: tuple[str, ...]
    columns: tuple[ColumnEntry, ...]
    constraints: tuple[RuleEntry, ...]
    indexes: tuple[RuleEntry, ...]
    referred_to_by: tuple[ReferenceEntry, ...]
    declared: tuple[str, ...]


@dataclass(frozen=True)
class OtherEntry:
    """An object that is neither a table nor a part of one."""

    kind: str
    name: str
    anchor: str
    definition: str
    comment: str


@dataclass(frozen=True)
class ModuleEntry:
    """A module with what it creates; `counts` is a phrase such as `2 tables, 1 view`."""

    name: str
    anchor: str
    path: str
    description: str
    counts: str
    tables: tuple[TableEntry, ...]
    others: tuple[OtherEntry, ...]


@dataclass(frozen=True)
class PageContents:
    """The whole content of the documents."""

    title: str
    counts: str
    modules: tuple[ModuleEntry, ...]
