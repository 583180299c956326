"""A database as it is against what its ledger says: read once, asked for every module."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infra.catalog.catalog import ACCESS, Catalog, ObjectId
from infra.catalog.changes import CatalogChange, Expected, fold, is_structure, unmanaged
from infra.catalog.difference import Difference
from infra.modules.decision import ModuleState
from infra.modules.module import order
from infra.postgres.introspection.reader import read_catalog
from infra.postgres.ledger import ledger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.postgres.connection.pool import Connection
    from infra.postgres.ledger.ledger import LedgerEntry, LedgerIdentity

ALWAYS_THERE = ("schema public", "extension *")
"""What no module needs to have made: PostgreSQL makes the one, the stack declares the others."""


@dataclass(frozen=True)
class DatabaseStatus:
    """The ledger and the catalog of one database at one moment."""

    identity: LedgerIdentity | None
    here: LedgerIdentity
    entries: Mapping[str, LedgerEntry]
    catalog: Catalog
    begun: Mapping[str, LedgerEntry] = field(default_factory=dict[str, "LedgerEntry"])
    expected: Expected = field(init=False)

    def __post_init__(self) -> None:
        known = {**self.entries, **self.begun}
        effects = ((name, known[name].effect) for name in sorted(known, key=order))
        object.__setattr__(self, "expected", fold(effects))

    def is_foreign(self) -> bool:
        """Say whether the ledger is of another stack, server or database than the one connected to."""
        return self.identity is not None and self.identity != self.here

    def unmanaged(self, allowed: Sequence[str] = ()) -> list[ObjectId]:
        """Name the objects that no module made, but for those that match one of the patterns (`table public.tmp_*`)."""
        patterns = (*ALWAYS_THERE, *allowed)
        found = unmanaged(self.catalog, self.expected.definitions)
        return [one for one in found if not any(fnmatch.fnmatchcase(str(one), pattern) for pattern in patterns)]

    def drift(self, module: str) -> list[Difference]:
        """Give the objects of an applied module that are not as it, or a later one, left them."""
        objects = self.expected.of(module)
        found = self.catalog.objects
        pairs = ((one, text, found.get(one)) for one, text in sorted(objects.items()))
        return [Difference(one, text, now) for one, text, now in pairs if text != now]

    def state(self, module: str) -> ModuleState:
        """Say how an applied module's objects are."""
        if self.is_foreign():
            return ModuleState.FOREIGN
        objects = [one for one in self.expected.of(module) if is_structure(one)]
        if objects and not any(one in self.catalog.objects for one in objects):
            return ModuleState.VANISHED
        if self.entries[module].outcome == ledger.RETAINED:
            return ModuleState.RETAINED
        return ModuleState.DRIFTED if self.drift(module) else ModuleState.APPLIED

    def state_of_new(self, made: CatalogChange, last: Mapping[ObjectId, str]) -> ModuleState:
        """Say how the objects of a module without a row are, given what it makes and what all modules leave of that.

        What it changes, and is still as the modules before it left it, says that it was not applied.
        """
        wanted = {one: text for one, text in made.objects.items() if is_structure(one) and text is not None}
        there = {one: self.catalog.objects[one] for one in wanted if one in self.catalog.objects}
        alike = {one for one, text in there.items() if text in {wanted[one], last.get(one)}}
        if not alike and all(self.expected.definitions.get(one) == text for one, text in there.items()):
            return ModuleState.FRESH
        return ModuleState.PRESENT if alike == wanted.keys() else ModuleState.CONFLICTING

    def as_found(self, made: CatalogChange) -> CatalogChange:
        """Give what a module makes with the definitions found here, and with who owns and may use it here."""
        objects: dict[ObjectId, str | None] = {
            one: self.catalog.objects[one] for one in made.objects if one in self.catalog.objects
        }
        subjects = {str(one) for one in objects}
        access = {
            one: text for one, text in self.catalog.objects.items() if one.kind in ACCESS and _subject(one) in subjects
        }
        return CatalogChange(objects | access, made.changed & objects.keys())


def _subject(one: ObjectId) -> str:
    """Give the object that an owner or a privilege is about: `table public.x` of `table public.x to somebody`."""
    return one.name.rpartition(" to ")[0] if one.kind == "privileges" else one.name


def read_status(connection: Connection, stack: str) -> DatabaseStatus:
    """Read ledger and catalog in one transaction, so that they are of one moment."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        here = ledger.here(connection, stack)
        identity = ledger.identity(connection)
        entries = {one.module: one for one in ledger.entries(connection)} if identity else {}
        begun = ledger.begun(connection) if identity else {}
        return DatabaseStatus(identity, here, entries, read_catalog(connection), begun)
