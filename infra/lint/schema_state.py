"""What following the statements of all files has told: what is there, what was lacking, what the tables are like."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infra.lint.schema import ForeignKey, KeyState, Spot, TableState
from infra.lint.tree import Name, dotted

if TYPE_CHECKING:
    from infra.lint.builtins import Builtins
    from infra.lint.creations import Creation
    from infra.lint.missing_columns import MissingColumn
    from infra.lint.references import NameReference
    from infra.lint.source import Located

Object = tuple[str, Name]  # kind, and name with its schema


@dataclass(frozen=True)
class Lack:
    """A reference to what was not there."""

    reference: NameReference
    spot: Spot


@dataclass(frozen=True)
class Twice:
    """An object that was made although it was there."""

    creation: Creation
    spot: Spot
    first: Spot


@dataclass(frozen=True)
class Addition:
    """A foreign key that became part of a table, with the keys that its target had then."""

    table: TableState
    key: ForeignKey
    target: TableState | None = None
    target_keys: tuple[KeyState, ...] = ()


@dataclass
class SchemaState:
    """What following the statements has told."""

    known: Builtins
    given: frozenset[str] = frozenset()
    there: dict[Object, Spot] = field(default_factory=dict[Object, Spot])
    first: dict[Object, Spot] = field(default_factory=dict[Object, Spot])
    gone: dict[Object, Spot] = field(default_factory=dict[Object, Spot])
    names: dict[tuple[str, str], int] = field(
        default_factory=dict[tuple[str, str], int]
    )  # kind, name -> how many schemas
    tables: dict[Name, TableState] = field(default_factory=dict[Name, TableState])
    dropped: list[TableState] = field(default_factory=list[TableState])
    lacks: list[Lack] = field(default_factory=list[Lack])
    twice: list[Twice] = field(default_factory=list[Twice])
    additions: list[Addition] = field(default_factory=list[Addition])
    missing_columns: list[MissingColumn] = field(default_factory=list["MissingColumn"])
    extensions: dict[str, Spot] = field(default_factory=dict[str, Spot])
    unknown_extensions: bool = False  # one may have made anything
    number: dict[Located, int] = field(default_factory=dict["Located", int])  # of each statement, in their order
    path: str = "public"  # the schema in which names without one are made

    def all_tables(self) -> list[TableState]:
        """Give every table that there ever was."""
        return [*self.tables.values(), *self.dropped]

    def find(self, name: Name) -> TableState | None:
        """Find a table by a name as written: without a schema, whichever there is."""
        schema, bare = name
        if schema:
            return self.tables.get(name)
        found = self.tables.get((self.path, bare)) or self.tables.get(("public", bare))
        if found or self.names.get(("relation", bare), 0) == 0:
            return found
        return next((table for key, table in self.tables.items() if key[1] == bare), None)

    def has(self, kind: str, name: Name) -> bool:
        """Say whether an object is there now; a type may also be a table's row."""
        schema, bare = name
        if self.known.is_server_s(kind, schema, bare) or self._is_given(kind, name):
            return True
        other = {"type": "relation", "relation": "type"}.get(kind, kind)  # a row is a type, a composite type a relation
        if self._made(kind, name) or self._made(other, name):
            return True
        if kind == "function" and self.known.is_function_like(bare):
            return True
        return any(one in self.extensions for one in self.known.bringing(kind, bare))

    def _made(self, kind: str, name: Name) -> bool:
        return (kind, name) in self.there if name[0] else self.names.get((kind, name[1]), 0) > 0

    def _is_given(self, kind: str, name: Name) -> bool:
        if not self.given:
            return False
        schema, bare = name
        return any(
            f"{kind} {one}" in self.given for one in (dotted(name), f"{schema or 'public'}.{bare}", f"{schema}.*")
        )

    def by_bare_name(self, among: dict[Object, Spot], kind: str, name: str) -> Spot | None:
        """Give the first of the objects that have a name in some schema."""
        here = among.get((kind, ("public", name)))
        return here or next((spot for (one, (_, bare)), spot in among.items() if one == kind and bare == name), None)

    def in_schema(self, name: Name) -> Name:
        """Give a name the schema in which it is made."""
        return (name[0] or self.path, name[1])
