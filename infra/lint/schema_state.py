"""State of the schema at a point of the simulation: the objects that exist, and the problems found up to there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infra.modules.tree import Name, readable_name

if TYPE_CHECKING:
    from infra.lint.builtins import Builtins
    from infra.lint.missing_columns import MissingColumn
    from infra.lint.schema import ForeignKey, KeyState, TableState
    from infra.lint.source_file import LocatedStatement, Origin
    from infra.modules.creations import Creation
    from infra.modules.reference_walk import NameReference

NamedObject = tuple[str, Name]  # kind, and name with its schema


@dataclass(frozen=True)
class MissingReference:
    """A reference to what does not exist when its statement runs."""

    reference: NameReference
    origin: Origin


@dataclass(frozen=True)
class DuplicateCreation:
    """A creation of an object that exists already."""

    creation: Creation
    origin: Origin
    first: Origin


@dataclass(frozen=True)
class AddedForeignKey:
    """A foreign key that a statement added to a table, with the keys that its target had at that moment."""

    table: TableState
    key: ForeignKey
    target: TableState | None = None  # None if it did not exist
    target_keys: tuple[KeyState, ...] = ()


@dataclass
class SchemaState:
    """The objects that exist after the statements simulated so far, and the problems that these statements have."""

    builtins: Builtins
    external: frozenset[str] = frozenset()  # objects that no module creates, as in `relation auth.users`

    existing: dict[NamedObject, Origin] = field(default_factory=dict[NamedObject, "Origin"])
    first_created: dict[NamedObject, Origin] = field(default_factory=dict[NamedObject, "Origin"])
    dropped: dict[NamedObject, Origin] = field(default_factory=dict[NamedObject, "Origin"])
    schema_counts: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    """In how many schemas an object of this kind and name exists."""
    extensions: dict[str, Origin] = field(default_factory=dict[str, "Origin"])
    has_unknown_extension: bool = False  # it may have created anything

    tables: dict[Name, TableState] = field(default_factory=dict[Name, "TableState"])
    dropped_tables: list[TableState] = field(default_factory=list["TableState"])

    missing_references: list[MissingReference] = field(default_factory=list[MissingReference])
    duplicate_creations: list[DuplicateCreation] = field(default_factory=list[DuplicateCreation])
    missing_columns: list[MissingColumn] = field(default_factory=list["MissingColumn"])
    added_foreign_keys: list[AddedForeignKey] = field(default_factory=list[AddedForeignKey])

    numbers: dict[LocatedStatement, int] = field(default_factory=dict["LocatedStatement", int])
    """The number of each statement in the order of all."""
    current_schema: str = "public"  # in which objects without a schema are created, the first of search_path

    def find_table(self, name: Name) -> TableState | None:
        """Return the table of a name as written; without a schema, the one in any schema. None if there is none."""
        schema, bare = name
        if schema:
            return self.tables.get(name)
        table = self.tables.get((self.current_schema, bare)) or self.tables.get(("public", bare))
        if table or self.schema_counts.get(("relation", bare), 0) == 0:
            return table
        return next((table for key, table in self.tables.items() if key[1] == bare), None)

    def exists(self, kind: str, name: Name) -> bool:
        """Return whether an object exists at this point of the simulation."""
        schema, bare = name
        if self.builtins.is_builtin(kind, schema, bare) or self._is_external(kind, name):
            return True
        # A table's rows have a type of its name, and a composite type is a relation in pg_class.
        other_kind = {"type": "relation", "relation": "type"}.get(kind, kind)
        if self._is_created(kind, name) or self._is_created(other_kind, name):
            return True
        if kind == "function" and self.builtins.can_be_called(bare):
            return True
        return any(extension in self.extensions for extension in self.builtins.extensions_with(kind, bare))

    def _is_created(self, kind: str, name: Name) -> bool:
        return (kind, name) in self.existing if name[0] else self.schema_counts.get((kind, name[1]), 0) > 0

    def _is_external(self, kind: str, name: Name) -> bool:
        if not self.external:
            return False
        schema, bare = name
        spellings = (
            readable_name(name),
            f"{schema or 'public'}.{bare}",
            f"{schema}.*",
            f"*_{bare.rpartition('_')[2]}",  # role *_app
        )
        return any(f"{kind} {spelling}" in self.external for spelling in spellings)

    def qualified(self, name: Name) -> Name:
        """Return a name with its schema, which is the current one if none is written."""
        return (name[0] or self.current_schema, name[1])
