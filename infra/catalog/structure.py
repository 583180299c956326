"""A catalog's tables as values: columns, keys, foreign keys, indexes; what a picture or a page is made of."""

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

LEFT_OUT = ("owner", "privileges", "column order", "extension version")


@dataclass(frozen=True)
class Other:
    """An object that is no table: what it is called, its definition in lines, its comment."""

    identity: ObjectId
    definition: str
    comment: str


@dataclass(frozen=True)
class Table:
    """One table; `name` is qualified and quoted as SQL would have it, `notes` is what else is said of it, in lines."""

    name: str
    columns: tuple[ColumnDefinition, ...]
    constraints: tuple[ConstraintDefinition, ...]
    indexes: tuple[IndexDefinition, ...]
    notes: tuple[str, ...]
    comment: str

    @property
    def shown(self) -> str:
        """Give its name as people say it: without the schema that is everybody's."""
        return display_type(self.name)

    @property
    def foreign_keys(self) -> tuple[ConstraintDefinition, ...]:
        """Give what refers to other tables."""
        return tuple(one for one in self.constraints if one.kind == "foreign key")

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Give the columns of the primary key, () when there is none."""
        return next((one.columns for one in self.constraints if one.kind == "primary key"), ())

    @property
    def unique_rules(self) -> tuple[tuple[str, ...], ...]:
        """Give the columns of each unique rule that holds for every row, the primary key left out."""
        constraints = [one.columns for one in self.constraints if one.kind == "unique"]
        indexes = [one.columns for one in self.indexes if one.unique and one.columns and not one.predicate]
        return tuple(dict.fromkeys([*constraints, *indexes]))

    def is_unique(self, columns: Iterable[str]) -> bool:
        """Say whether no two rows can have the same values in these columns."""
        wanted = frozenset(columns)
        return any(rule and wanted >= frozenset(rule) for rule in (self.primary_key, *self.unique_rules))


@dataclass(frozen=True)
class Structure:
    """The tables of a schema by name, in the order in which they were made; what else there is; who made it."""

    tables: Mapping[str, Table]
    others: tuple[Other, ...]
    makers: Mapping[ObjectId, str]

    def maker(self, table: str) -> str:
        """Give the module that made a table, '' when that is not known."""
        return self.makers.get(ObjectId("table", table), "")

    def modules(self) -> list[str]:
        """Name the modules that made tables, in their order."""
        return list(dict.fromkeys(map(self.maker, self.tables)))

    def referring(self, table: str) -> list[tuple[Table, ConstraintDefinition]]:
        """Give the foreign keys that refer to a table, each with the table that has it."""
        return [(one, key) for one in self.tables.values() for key in one.foreign_keys if key.target == table]


def display_type(name: str) -> str:
    """Give a qualified name as people say it: without the schema `public`."""
    return name.removeprefix("public.")


def makers(effects: Iterable[tuple[str, CatalogChange]]) -> dict[ObjectId, str]:
    """Give the module that made each object there is after all modules, in the order of the modules."""
    found: dict[ObjectId, str] = {}
    for module, effect in effects:
        for identity, text in effect.objects.items():
            if text is None:
                found.pop(identity, None)
            elif identity not in effect.changed:
                found[identity] = module
    return found


def structure_of(
    definitions: Mapping[ObjectId, str], made_by: Mapping[ObjectId, str], order: Iterable[str] = ()
) -> Structure:
    """Read the definitions of a catalog; `order` names tables in the order wanted, others follow by module and name."""
    modules = {module: place for place, module in enumerate(dict.fromkeys(made_by.values()))}
    places = {name: place for place, name in enumerate(order)}

    def key(name: str) -> tuple[int, int, str]:
        return places.get(name, len(places)), modules.get(made_by.get(ObjectId("table", name), ""), -1), name

    found: dict[str, _Parts] = {one.name: _Parts() for one in definitions if one.kind == "table"}
    others: list[Other] = []
    for identity, text in sorted(definitions.items()):
        if identity.kind in LEFT_OUT or identity.kind == "table":
            continue
        if not _taken(identity, text, found):
            others.append(Other(identity, *split_comment(text)))
    return Structure(
        {name: _table(name, definitions, found[name]) for name in sorted(found, key=key)}, tuple(others), made_by
    )


@dataclass(frozen=True)
class _Parts:
    """What was found of one table."""

    columns: list[ColumnDefinition] = field(default_factory=list["ColumnDefinition"])
    constraints: list[ConstraintDefinition] = field(default_factory=list["ConstraintDefinition"])
    indexes: list[IndexDefinition] = field(default_factory=list["IndexDefinition"])


def _taken(identity: ObjectId, text: str, found: Mapping[str, _Parts]) -> bool:
    """Give a table what is a part of it; False for what is none."""
    own = found.get(parent(identity.name))
    if identity.kind == "column" and own:
        own.columns.append(column_of(identity.name, text))
    elif identity.kind == "constraint" and own:
        own.constraints.append(constraint_of(identity.name, text))
    elif identity.kind == "index" and (index := index_of(identity.name, text)).table in found:
        found[index.table].indexes.append(index)
    else:
        return False
    return True


def _table(name: str, definitions: Mapping[ObjectId, str], own: _Parts) -> Table:
    order = names_in(definitions.get(ObjectId("column order", name), ""))
    positions = {column: position for position, column in enumerate(order)}
    columns = sorted(own.columns, key=lambda one: (positions.get(one.name, len(positions)), one.name))
    place = {column.name: number for number, column in enumerate(columns)}
    constraints = sorted(
        own.constraints, key=lambda one: (one.rank, [place.get(column, len(place)) for column in one.columns], one.name)
    )
    definition, comment = split_comment(definitions[ObjectId("table", name)])
    notes = tuple(filter(None, definition.split("\n")))
    return Table(name, tuple(columns), tuple(constraints), tuple(own.indexes), notes, comment)
