"""The changes that modules make to a catalog, and which module owns each object after all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from infra.catalog.catalog import ACCESS, NOTES, OWNED, SETTING, STRUCTURE, Catalog, ObjectId
from infra.catalog.identifiers import parent

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

PARTS_OF_TABLES = frozenset({"column", "constraint", "trigger", "rule", "policy"})
"""Kinds whose objects are part of a table or view, and have its name before their own."""


@dataclass(frozen=True)
class CatalogChange:
    """What one module did to a catalog: the new definitions, and None for objects that it dropped.

    `changed` are the objects that existed before the module; it created all others.
    """

    objects: Mapping[ObjectId, str | None] = field(default_factory=dict[ObjectId, "str | None"])
    changed: frozenset[ObjectId] = frozenset()

    def as_json(self) -> list[list[object]]:
        """Return rows as the ledger stores them: kind, name, definition, and whether the object existed before."""
        rows = ((*identity, text, identity in self.changed) for identity, text in sorted(self.objects.items()))
        return [list(row) for row in rows]

    @staticmethod
    def of_json(rows: Iterable[Iterable[object]]) -> CatalogChange:
        """Return the change that as_json() returned these rows for."""
        objects: dict[ObjectId, str | None] = {}
        changed: set[ObjectId] = set()
        for kind, name, text, existed_before in rows:
            identity = ObjectId(str(kind), str(name))
            objects[identity] = None if text is None else str(text)
            if existed_before:
                changed.add(identity)
        return CatalogChange(objects, frozenset(changed))


def catalog_change_between(before: Catalog, after: Catalog) -> CatalogChange:
    """Return what changed between two readings of the same part of a catalog."""
    objects: dict[ObjectId, str | None] = {
        identity: text for identity, text in after.objects.items() if before.objects.get(identity) != text
    }
    objects |= dict.fromkeys(before.objects.keys() - after.objects.keys())
    return CatalogChange(objects, frozenset(identity for identity in objects if identity in before.objects))


@dataclass(frozen=True)
class Expected:
    """The catalog after all modules, and for each object the module that created or changed it last."""

    definitions: dict[ObjectId, str]
    writers: dict[ObjectId, str]

    def of(self, module: str) -> dict[ObjectId, str]:
        """Return the objects that a module created or changed last, with their definitions."""
        return self._by_module.get(module, {})

    @cached_property
    def _by_module(self) -> dict[str, dict[ObjectId, str]]:
        by_module: dict[str, dict[ObjectId, str]] = {}
        for identity, text in self.definitions.items():
            by_module.setdefault(self.writers[identity], {})[identity] = text
        return by_module


def fold(effects: Iterable[tuple[str, CatalogChange]]) -> Expected:
    """Return the catalog that results from the changes of modules, in the order in which they ran."""
    definitions: dict[ObjectId, str] = {}
    writers: dict[ObjectId, str] = {}
    for module, effect in effects:
        for identity, text in effect.objects.items():
            if text is None:
                definitions.pop(identity, None)
                writers.pop(identity, None)
            elif identity.kind not in OWNED:
                definitions[identity] = text
                writers[identity] = module
    return Expected(definitions, writers)


def database_settings(effects: Iterable[tuple[str, CatalogChange]]) -> dict[str, tuple[str, str]]:
    """Return what modules leave set for their database, in the order in which they ran.

    By parameter it has the value, and the module that set it last.
    """
    values: dict[str, tuple[str, str]] = {}
    for module, effect in effects:
        for identity, value in effect.objects.items():
            if identity.kind == SETTING and value is None:
                values.pop(identity.name, None)
            elif identity.kind == SETTING and value is not None:
                values[identity.name] = value, module
    return values


def created_objects(effect: CatalogChange) -> dict[ObjectId, str | None]:
    """Return what a module created, with definitions, without what it changed or dropped of other modules."""
    return {
        identity: definition
        for identity, definition in effect.objects.items()
        if identity not in effect.changed and definition is not None
    }


def unmanaged_objects(live: Catalog, expected: Iterable[ObjectId]) -> list[ObjectId]:
    """Return the objects that no module created, without the parts of tables and views that are themselves returned."""
    managed = set(expected)
    extra = {identity for identity in live.objects if identity.kind in STRUCTURE and identity not in managed}
    tables = {identity.name for identity in extra if identity.kind in {"table", "view", "materialized view"}}
    return sorted(identity for identity in extra if not belongs_to(identity, live.objects[identity], tables))


def belongs_to(identity: ObjectId, definition: str, tables: Collection[str]) -> bool:
    """Return whether an object is part of one of these tables, or exists only because of one, as an index does."""
    if identity.kind in PARTS_OF_TABLES:
        return parent(identity.name) in tables
    if identity.kind == "index":
        return any(f" ON {table} " in definition or f" ON ONLY {table} " in definition for table in tables)
    if identity.kind == "constraint index":
        return any(definition.startswith(f"of {table}.") for table in tables)
    if identity.kind == "sequence":
        return any(f"owned by {table}." in definition for table in tables)
    return False


def is_structure(identity: ObjectId) -> bool:
    """Return whether an object is neither an owner or a privilege, nor of a kind that is only noted or owned."""
    return identity.kind not in (*ACCESS, *NOTES, *OWNED)
