"""The tables of a catalog with columns, constraints and indexes, as diagrams and pages show them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infra.catalog.catalog import ObjectId
from infra.catalog.definitions import column_of, constraint_of, index_of, names_in, split_comment
from infra.catalog.identifiers import parent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from infra.catalog.changes import CatalogChange
    from infra.catalog.definitions import ColumnDefinition, ConstraintDefinition, IndexDefinition

NOT_SHOWN = ("owner", "privileges", "column order", "extension version")


@dataclass(frozen=True)
class Other:
    """An object that is neither a table nor part of one: its identity, definition in lines, and comment."""

    identity: ObjectId
    definition: str
    comment: str


@dataclass(frozen=True)
class Table:
    """One table; `name` is qualified and quoted as in SQL, `notes` are the lines of its own definition."""

    name: str
    columns: tuple[ColumnDefinition, ...]
    constraints: tuple[ConstraintDefinition, ...]
    indexes: tuple[IndexDefinition, ...]
    notes: tuple[str, ...]
    comment: str

    @property
    def shown(self) -> str:
        """Return the name as it is displayed: without the schema `public`."""
        return display_type(self.name)

    @property
    def foreign_keys(self) -> tuple[ConstraintDefinition, ...]:
        """Return the foreign keys of this table."""
        return tuple(constraint for constraint in self.constraints if constraint.kind == "foreign key")

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Return the columns of the primary key, () for none."""
        return next((constraint.columns for constraint in self.constraints if constraint.kind == "primary key"), ())

    @property
    def unique_rules(self) -> tuple[tuple[str, ...], ...]:
        """Return the columns of each unique constraint and index over all rows, without the primary key."""
        constraints = [constraint.columns for constraint in self.constraints if constraint.kind == "unique"]
        indexes = [index.columns for index in self.indexes if index.unique and index.columns and not index.predicate]
        return tuple(dict.fromkeys([*constraints, *indexes]))

    def is_unique(self, columns: Iterable[str]) -> bool:
        """Return whether no two rows can have the same values in these columns."""
        names = frozenset(columns)
        return any(rule and names >= frozenset(rule) for rule in (self.primary_key, *self.unique_rules))


@dataclass(frozen=True)
class Structure:
    """The tables of a schema by name, in the order of their creation; other objects; the module that created each."""

    tables: Mapping[str, Table]
    others: tuple[Other, ...]
    makers: Mapping[ObjectId, str]

    def maker(self, table: str) -> str:
        """Return the module that created a table, '' for unknown."""
        return self.makers.get(ObjectId("table", table), "")

    def modules(self) -> list[str]:
        """Return the names of the modules that created tables, in the order of their first table."""
        return list(dict.fromkeys(map(self.maker, self.tables)))

    def referring(self, table: str) -> list[tuple[Table, ConstraintDefinition]]:
        """Return the foreign keys that reference a table, each with the table that has it."""
        return [(other, key) for other in self.tables.values() for key in other.foreign_keys if key.target == table]


def display_type(name: str) -> str:
    """Return a qualified name as it is displayed: without the schema `public`."""
    return name.removeprefix("public.")


def makers(effects: Iterable[tuple[str, CatalogChange]]) -> dict[ObjectId, str]:
    """Return the module that created each object that exists after all modules; changing an object does not count."""
    creators: dict[ObjectId, str] = {}
    for module, effect in effects:
        for identity, text in effect.objects.items():
            if text is None:
                creators.pop(identity, None)
            elif identity not in effect.changed:
                creators[identity] = module
    return creators


def structure_of(
    definitions: Mapping[ObjectId, str], made_by: Mapping[ObjectId, str], order: Iterable[str] = ()
) -> Structure:
    """Return the structure that definitions describe; the tables in `order` come first, others by module and name."""
    modules = {module: position for position, module in enumerate(dict.fromkeys(made_by.values()))}
    positions = {name: position for position, name in enumerate(order)}

    def key(name: str) -> tuple[int, int, str]:
        return positions.get(name, len(positions)), modules.get(made_by.get(ObjectId("table", name), ""), -1), name

    parts = {identity.name: _Parts() for identity in definitions if identity.kind == "table"}
    others: list[Other] = []
    for identity, text in sorted(definitions.items()):
        if identity.kind in NOT_SHOWN or identity.kind == "table":
            continue
        if not _add_to_table(identity, text, parts):
            others.append(Other(identity, *split_comment(text)))
    return Structure(
        {name: _table(name, definitions, parts[name]) for name in sorted(parts, key=key)}, tuple(others), made_by
    )


@dataclass(frozen=True)
class _Parts:
    """The parts of one table, in no particular order."""

    columns: list[ColumnDefinition] = field(default_factory=list["ColumnDefinition"])
    constraints: list[ConstraintDefinition] = field(default_factory=list["ConstraintDefinition"])
    indexes: list[IndexDefinition] = field(default_factory=list["IndexDefinition"])


def _add_to_table(identity: ObjectId, text: str, parts: Mapping[str, _Parts]) -> bool:
    """Add an object to the parts of its table; return False for an object that is not part of a table."""
    own = parts.get(parent(identity.name))
    if identity.kind == "column" and own:
        own.columns.append(column_of(identity.name, text))
    elif identity.kind == "constraint" and own:
        own.constraints.append(constraint_of(identity.name, text))
    elif identity.kind == "index" and (index := index_of(identity.name, text)).table in parts:
        parts[index.table].indexes.append(index)
    else:
        return False
    return True


def _table(name: str, definitions: Mapping[ObjectId, str], own: _Parts) -> Table:
    order = names_in(definitions.get(ObjectId("column order", name), ""))
    positions = {column: position for position, column in enumerate(order)}
    columns = sorted(own.columns, key=lambda column: (positions.get(column.name, len(positions)), column.name))
    numbers = {column.name: number for number, column in enumerate(columns)}
    constraints = sorted(
        own.constraints,
        key=lambda constraint: (
            constraint.rank,
            [numbers.get(column, len(numbers)) for column in constraint.columns],
            constraint.name,
        ),
    )
    definition, comment = split_comment(definitions[ObjectId("table", name)])
    notes = tuple(filter(None, definition.split("\n")))
    return Table(name, tuple(columns), tuple(constraints), tuple(own.indexes), notes, comment)
