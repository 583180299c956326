"""A small model of what modules create: tables with columns, keys, indexes and foreign keys, each with its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infra.lint.tree import constant, dotted, name_in, node, strings

if TYPE_CHECKING:
    from infra.findings.finding import Place
    from infra.lint.source import Located
    from infra.lint.tree import Name, Tree

SERIAL = {
    "serial": "int4",
    "serial4": "int4",
    "bigserial": "int8",
    "serial8": "int8",
    "smallserial": "int2",
    "serial2": "int2",
}
SPOKEN = {
    "int4": "integer",
    "int8": "bigint",
    "int2": "smallint",
    "bool": "boolean",
    "bpchar": "char",
    "float8": "double precision",
    "float4": "real",
}


@dataclass(frozen=True)
class Spot:
    """A statement, and a location of the parser in it; -1 for its beginning."""

    located: Located
    location: int = -1

    def place(self, label: str = "") -> Place:
        """Give it as a place in the file."""
        return self.located.place(self.location, label=label)

    def __str__(self) -> str:
        place = self.place()
        return f"{place.path}:{place.line}"


@dataclass(frozen=True)
class ColumnType:
    """A type as the parser reads it: the name PostgreSQL gives it, what stands in parentheses, how many dimensions."""

    schema: str
    name: str
    modifiers: tuple[str, ...] = ()
    dimensions: int = 0

    def __str__(self) -> str:
        inner = f"({', '.join(self.modifiers)})" if self.modifiers else ""
        schema = "" if self.schema in {"", "pg_catalog", "public"} else f"{self.schema}."
        return f"{schema}{SPOKEN.get(self.name, self.name)}{inner}{'[]' * self.dimensions}"


def type_of(type_name: Tree) -> ColumnType:
    """Read a TypeName."""
    schema, name = name_in(strings(type_name.names))
    modifiers: list[str] = []
    for one in type_name.typmods:
        kind, value = node(one)
        if kind == "a_const" and value.HasField("ival"):
            modifiers.append(str(value.ival.ival))
        else:
            modifiers.append(constant(one) or "…")
    return ColumnType(schema, name, tuple(modifiers), len(type_name.array_bounds))


@dataclass
class ColumnState:
    """A column of a table."""

    name: str
    type: ColumnType | None
    spot: Spot
    not_null: bool = False


@dataclass(frozen=True)
class KeyState:
    """A primary key, a unique constraint, an index or an exclusion: what makes an index over columns."""

    kind: str  # primary, unique, index or exclude
    name: str  # "" where PostgreSQL chooses one
    columns: tuple[str, ...]  # expressions in parentheses
    unique: bool
    spot: Spot
    method: str = "btree"
    predicate: str = ""  # as a text that two equal ones have in common
    order: tuple[str, ...] = ()  # of each column: direction, nulls, operator class and collation, "" for the usual
    include: tuple[str, ...] = ()
    deferrable: bool = False
    others: str = ""  # what else makes it different, such as NULLS NOT DISTINCT

    @property
    def is_target(self) -> bool:
        """Say whether a foreign key may refer to its columns (PostgreSQL manual, CREATE TABLE, REFERENCES)."""
        whole = not self.predicate and not self.deferrable
        return self.unique and whole and not any(one.startswith("(") for one in self.columns)

    def __str__(self) -> str:
        what = {"primary": "the primary key", "unique": "unique constraint", "exclude": "exclusion"}.get(
            self.kind, "index"
        )
        return f"{what} {self.name}".strip() if self.kind != "primary" else what


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key, as its statement has it."""

    name: str
    columns: tuple[str, ...]
    target: Name
    target_columns: tuple[str, ...]  # () for the primary key
    spot: Spot
    on_delete: str  # the parser's letter: a no action, r restrict, c cascade, n set null, d set default
    on_update: str
    text: str  # from here to the next part of the statement


@dataclass
class TableState:
    """A table; `complete` is False where columns come from somewhere that the model does not follow."""

    name: Name
    spot: Spot
    columns: dict[str, ColumnState] = field(default_factory=dict[str, ColumnState])
    keys: list[KeyState] = field(default_factory=list[KeyState])
    foreign_keys: list[ForeignKey] = field(default_factory=list[ForeignKey])
    complete: bool = True
    partition_of: Name | None = None

    def __str__(self) -> str:
        return dotted(self.name)

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Give the columns of the primary key."""
        return next((key.columns for key in self.keys if key.kind == "primary"), ())
