"""The status of a database: its ledger and its catalog at one moment, and what they say of each module."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from infra.catalog.access import objects_of, subject_of, unmanaged_privileges
from infra.catalog.catalog import ACCESS, SETTING, Catalog, ObjectId
from infra.catalog.changes import CatalogChange, Expected, fold, is_structure, unmanaged_objects
from infra.catalog.difference import Difference
from infra.modules.decision import ModuleState
from infra.modules.module import order
from infra.plan.ledger_rows import ORPHANED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.plan.ledger_rows import LedgerEntry, LedgerIdentity

ALWAYS_THERE = ("schema public", "extension *")
"""Objects that no module needs to have created: PostgreSQL creates the schema, the stack declares the extensions."""


@dataclass(frozen=True)
class DatabaseStatus:
    """The ledger and the catalog of one database at one moment.

    `current` is the identity that a ledger created now in this database would have. `entries` and `unfinished` have the
    modules' names as keys; `unfinished` has what is done of modules that run statement by statement. `others`
    are the rows of other programs in the same ledger. `server_version` is as libpq has it, 170010 for 17.10.
    """

    identity: LedgerIdentity | None
    current: LedgerIdentity
    entries: Mapping[str, LedgerEntry]
    catalog: Catalog
    unfinished: Mapping[str, LedgerEntry] = field(default_factory=dict[str, "LedgerEntry"])
    server_version: int = 0
    others: Mapping[str, LedgerEntry] = field(default_factory=dict[str, "LedgerEntry"])
    expected: Expected = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "expected", _expected({**self.entries, **self.unfinished}))

    @property
    def of_others(self) -> dict[ObjectId, str]:
        """What other programs' modules made, and no module of this one."""
        made = self.expected.definitions
        return {key: text for key, text in _expected(self.others).definitions.items() if key not in made}

    @property
    def own_catalog(self) -> Catalog:
        """The catalog without what other programs' modules made."""
        if not self.others:
            return self.catalog
        others = self.of_others
        return Catalog({key: text for key, text in self.catalog.objects.items() if key not in others})

    def is_foreign(self) -> bool:
        """Return whether the ledger is of another stack, server or database than the one connected to."""
        return self.identity is not None and self.identity != self.current

    def unmanaged(self, allowed: Sequence[str] = ()) -> list[ObjectId]:
        """Return the objects that no module created, then the privileges on modules' objects that no module granted.

        Left out is what matches one of the patterns (`table public.tmp_*`, `privileges * to reporting`).
        """
        patterns = (*ALWAYS_THERE, *allowed)
        return [
            identity
            for identity in self._made_by_no_module
            if not any(fnmatch.fnmatchcase(str(identity), pattern) for pattern in patterns)
        ]

    @cached_property
    def _made_by_no_module(self) -> tuple[ObjectId, ...]:
        expected = {**self.of_others, **self.expected.definitions}
        return (*unmanaged_objects(self.catalog, expected), *unmanaged_privileges(self.catalog, expected))

    def in_sentences(self, unmanaged: Sequence[ObjectId]) -> tuple[str, ...]:
        """Return a sentence for each thing that no module made: an object, or what a role may do."""
        return tuple(
            f"no module granted {self.catalog.objects[identity]} on {identity.name}"
            if identity.kind == "privileges" and self.catalog.objects[identity] != "none"
            else f"no module made {identity}"
            for identity in unmanaged
        )

    def drift(self, module: str) -> list[Difference]:
        """Return the objects of an applied module that are not as the last module that wrote them left them."""
        expected, actual = self.expected.of(module), self.catalog.objects
        return [
            Difference(identity, definition, actual.get(identity))
            for identity, definition in sorted(expected.items())
            if definition != actual.get(identity)
        ]

    def state(self, module: str) -> ModuleState:
        """Return the state of a module that has a row in the ledger."""
        if self.is_foreign():
            return ModuleState.FOREIGN
        objects = [identity for identity in self.expected.of(module) if is_structure(identity)]
        if objects and not any(identity in self.catalog.objects for identity in objects):
            return ModuleState.VANISHED
        if self.entries[module].outcome == ORPHANED:
            return ModuleState.ORPHANED
        return ModuleState.DRIFTED if self.drift(module) else ModuleState.APPLIED

    def state_without_row(self, effect: CatalogChange, definitions: Mapping[ObjectId, str]) -> ModuleState:
        """Return the state of a module without a row, given its effect and the definitions that all modules leave.

        An object is equal if it is as this module makes it or as all modules leave it. Where no object is equal, and
        all that exist are as the modules before left them (this one only changes them), the module was not applied.
        """
        required = {
            identity: definition
            for identity, definition in effect.objects.items()
            if is_structure(identity) and definition is not None
        }
        existing = {
            identity: self.catalog.objects[identity] for identity in required if identity in self.catalog.objects
        }
        equal = {
            identity
            for identity, definition in existing.items()
            if definition in {required[identity], definitions.get(identity)}
        }
        before = self.expected.definitions
        if not equal and all(before.get(identity) == definition for identity, definition in existing.items()):
            return ModuleState.FRESH
        return ModuleState.PRESENT if equal == required.keys() else ModuleState.CONFLICTING

    def effect_to_record(self, effect: CatalogChange) -> CatalogChange:
        """Return a module's effect with the definitions, owners and privileges of its objects in this database.

        What it sets for the database is in no catalog, and recorded as it is.
        """
        objects: dict[ObjectId, str | None] = {
            identity: self.catalog.objects[identity] for identity in effect.objects if identity in self.catalog.objects
        }
        objects |= {identity: text for identity, text in effect.objects.items() if identity.kind == SETTING}
        subjects = {str(identity) for identity in objects}
        access = {
            identity: definition
            for identity, definition in self.catalog.objects.items()
            if identity.kind in ACCESS and not subjects.isdisjoint(objects_of(subject_of(identity)))
        }
        return CatalogChange(objects | access, effect.changed & objects.keys())


def _expected(entries: Mapping[str, LedgerEntry]) -> Expected:
    """Return the catalog that modules left, by their rows."""
    return fold((name, entries[name].effect) for name in sorted(entries, key=order))
