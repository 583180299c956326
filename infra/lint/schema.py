"""A model of the tables that modules create: columns, keys, indexes and foreign keys, each with its origin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infra.modules.tree import readable_name

if TYPE_CHECKING:
    from infra.lint.column_types import ColumnType
    from infra.lint.source_file import Origin
    from infra.modules.tree import Name


@dataclass
class ColumnState:
    """A column of a table."""

    name: str
    type: ColumnType | None
    origin: Origin
    not_null: bool = False


@dataclass(frozen=True)
class KeyState:
    """A primary key, a unique constraint, an exclusion constraint or an index: whatever has an index on columns."""

    kind: str  # primary, unique, index or exclude
    name: str  # "" if PostgreSQL generates one
    columns: tuple[str, ...]  # expressions in parentheses
    unique: bool
    origin: Origin
    method: str = "btree"
    predicate: str = ""  # the WHERE of a partial index, as a text that is the same for equal expressions
    ordering: tuple[str, ...] = ()  # of each column: direction, nulls, operator class, collation; "" for the defaults
    include: tuple[str, ...] = ()
    deferrable: bool = False
    nulls_not_distinct: bool = False

    @property
    def can_be_referenced(self) -> bool:
        """Return whether a foreign key may refer to its columns (PostgreSQL manual, CREATE TABLE, REFERENCES)."""
        is_total = not self.predicate and not self.deferrable
        return self.unique and is_total and not any(column.startswith("(") for column in self.columns)

    def __str__(self) -> str:
        if self.kind == "primary":
            return "the primary key"
        noun = {"unique": "unique constraint", "exclude": "exclusion"}.get(self.kind, "index")
        return f"{noun} {self.name}".strip()


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key, as its statement has it."""

    name: str
    columns: tuple[str, ...]
    target: Name
    target_columns: tuple[str, ...]  # () for the primary key
    origin: Origin
    on_delete: str  # the parser's letter: a no action, r restrict, c cascade, n set null, d set default
    on_update: str
    text: str  # its own text in the statement


@dataclass
class TableState:
    """A table; `complete` is False if it has columns whose definition the model does not read (LIKE, INHERITS, AS)."""

    name: Name
    origin: Origin
    columns: dict[str, ColumnState] = field(default_factory=dict[str, ColumnState])
    keys: list[KeyState] = field(default_factory=list[KeyState])
    foreign_keys: list[ForeignKey] = field(default_factory=list[ForeignKey])
    complete: bool = True

    def __str__(self) -> str:
        return readable_name(self.name)

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Return the columns of the primary key, () if there is none."""
        return next((key.columns for key in self.keys if key.kind == "primary"), ())
