"""What modules own: the fold of what each of them made, changed and dropped, in their order."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from infra.catalog.catalog import ACCESS, NOTES, STRUCTURE, Catalog, ObjectId
from infra.catalog.identifiers import parent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PARTS_OF_TABLES = frozenset({"column", "constraint", "trigger", "rule", "policy"})
"""Kinds whose objects are part of a table or view, and named after it."""


@dataclass(frozen=True)
class CatalogChange:
    """What one module did to a catalog: definitions it made or changed, and None for objects it dropped.

    `changed` are the objects that had been there before; all others it made.
    """

    objects: Mapping[ObjectId, str | None] = field(default_factory=dict[ObjectId, "str | None"])
    changed: frozenset[ObjectId] = frozenset()

    def as_json(self) -> list[list[object]]:
        """Give it as it is stored: kind, name, definition, and whether the object had been there."""
        rows = ((*identity, text, identity in self.changed) for identity, text in sorted(self.objects.items()))
        return [list(row) for row in rows]

    @staticmethod
    def of_json(rows: Iterable[Iterable[object]]) -> CatalogChange:
        """Read what as_json() gave."""
        objects: dict[ObjectId, str | None] = {}
        changed: set[ObjectId] = set()
        for kind, name, text, was_there in rows:
            identity = ObjectId(str(kind), str(name))
            objects[identity] = None if text is None else str(text)
            if was_there:
                changed.add(identity)
        return CatalogChange(objects, frozenset(changed))


def catalog_change_between(before: Catalog, after: Catalog) -> CatalogChange:
    """Give what happened between two readings of the same part of a catalog."""
    objects: dict[ObjectId, str | None] = {
        identity: text for identity, text in after.objects.items() if before.objects.get(identity) != text
    }
    objects |= dict.fromkeys(before.objects.keys() - after.objects.keys())
    return CatalogChange(objects, frozenset(identity for identity in objects if identity in before.objects))


@dataclass(frozen=True)
class Expected:
    """The catalog that modules leave, and for each object the module that wrote it last."""

    definitions: dict[ObjectId, str]
    writers: dict[ObjectId, str]

    def of(self, module: str) -> dict[ObjectId, str]:
        """Give the objects that a module wrote last."""
        return self._by_module.get(module, {})

    @cached_property
    def _by_module(self) -> dict[str, dict[ObjectId, str]]:
        found: dict[str, dict[ObjectId, str]] = {}
        for identity, text in self.definitions.items():
            found.setdefault(self.writers[identity], {})[identity] = text
        return found


def fold(effects: Iterable[tuple[str, CatalogChange]]) -> Expected:
    """Put the effects of modules together, in their order."""
    definitions: dict[ObjectId, str] = {}
    writers: dict[ObjectId, str] = {}
    for module, effect in effects:
        for identity, text in effect.objects.items():
            if text is None:
                definitions.pop(identity, None)
                writers.pop(identity, None)
            else:
                definitions[identity] = text
                writers[identity] = module
    return Expected(definitions, writers)


def unmanaged(live: Catalog, expected: Iterable[ObjectId]) -> list[ObjectId]:
    """Name the objects that no module made; what is part of one that is named is left out."""
    known = set(expected)
    extra = {identity for identity in live.objects if identity.kind in STRUCTURE and identity not in known}
    tables = {identity.name for identity in extra if identity.kind in {"table", "view", "materialized view"}}
    named = [one for one in extra if not (one.kind in PARTS_OF_TABLES and parent(one.name) in tables)]
    return sorted(one for one in named if not _belongs(one, live, tables))


def _belongs(identity: ObjectId, live: Catalog, tables: set[str]) -> bool:
    """Say whether an index or a sequence is only there because of a table that is named already."""
    text = live.objects[identity]
    if identity.kind == "index":
        return any(f" ON {table} " in text or f" ON ONLY {table} " in text for table in tables)
    if identity.kind == "constraint index":
        return any(text.startswith(f"of {table}.") for table in tables)
    if identity.kind == "sequence":
        return any(f"owned by {table}." in text for table in tables)
    return False


def is_structure(identity: ObjectId) -> bool:
    """Say whether an object makes the schema what it is, as opposed to who may use it and notes."""
    return identity.kind not in (*ACCESS, *NOTES)
