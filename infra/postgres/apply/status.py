"""The status of modules in a database: what its ledger and its catalog, read together, say of each."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infra.catalog.catalog import ACCESS, Catalog, ObjectId
from infra.catalog.changes import CatalogChange, Expected, fold, is_structure, unmanaged_objects
from infra.catalog.difference import Difference
from infra.modules.decision import ModuleState
from infra.modules.module import order
from infra.postgres.apply.module_effects import effects_of_modules, modules_of
from infra.postgres.introspection.effects import prepare_observer
from infra.postgres.introspection.reader import is_empty, read_catalog
from infra.postgres.ledger import ledger
from infra.postgres.ledger.identity import current_identity, read_identity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.modules.decision import Digests
    from infra.modules.module import Module
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.session import Session
    from infra.postgres.connection.target import Target
    from infra.postgres.ledger.identity import LedgerIdentity
    from infra.postgres.ledger.ledger import LedgerEntry

ALWAYS_THERE = ("schema public", "extension *")
"""Objects that no module needs to have created: PostgreSQL creates the schema, the stack declares the extensions."""


@dataclass(frozen=True)
class DatabaseStatus:
    """The ledger and the catalog of one database at one moment.

    `current` is the identity that a ledger created now in this database would have. `entries` and `unfinished` have the
    modules' names as keys; `unfinished` has what is done of modules that run statement by statement.
    """

    identity: LedgerIdentity | None
    current: LedgerIdentity
    entries: Mapping[str, LedgerEntry]
    catalog: Catalog
    unfinished: Mapping[str, LedgerEntry] = field(default_factory=dict[str, "LedgerEntry"])
    expected: Expected = field(init=False)

    def __post_init__(self) -> None:
        entries = {**self.entries, **self.unfinished}
        effects = ((name, entries[name].effect) for name in sorted(entries, key=order))
        object.__setattr__(self, "expected", fold(effects))

    def is_foreign(self) -> bool:
        """Return whether the ledger is of another stack, server or database than the one connected to."""
        return self.identity is not None and self.identity != self.current

    def unmanaged(self, allowed: Sequence[str] = ()) -> list[ObjectId]:
        """Return the objects that no module created and that match none of the patterns (`table public.tmp_*`)."""
        patterns = (*ALWAYS_THERE, *allowed)
        return [
            identity
            for identity in unmanaged_objects(self.catalog, self.expected.definitions)
            if not any(fnmatch.fnmatchcase(str(identity), pattern) for pattern in patterns)
        ]

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
        if self.entries[module].outcome == ledger.ORPHANED:
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
        """Return a module's effect with the definitions, owners and privileges of its objects in this database."""
        objects: dict[ObjectId, str | None] = {
            identity: self.catalog.objects[identity] for identity in effect.objects if identity in self.catalog.objects
        }
        subjects = {str(identity) for identity in objects}
        access = {
            identity: definition
            for identity, definition in self.catalog.objects.items()
            if identity.kind in ACCESS and _subject(identity) in subjects
        }
        return CatalogChange(objects | access, effect.changed & objects.keys())


def _subject(identity: ObjectId) -> str:
    """Return the object that an owner or privileges are about: `table public.x` of `table public.x to a_role`."""
    return identity.name.rpartition(" to ")[0] if identity.kind == "privileges" else identity.name


@dataclass(frozen=True)
class ModuleStatus:
    """What a decision about a module rests on: its state, its row, and the database where that had to be read."""

    state: ModuleState
    entry: LedgerEntry | None
    database: DatabaseStatus | None = None


class _ManagedDatabases:
    """Databases in which this process found no object but those that modules created, or none at all.

    In such a database a module without a row was not applied, and nothing has to be compared. A database stays in this
    set for the rest of the process, since the process adds only what modules create. If another session creates an
    object of the same name meanwhile, the module's own statement fails and its transaction is undone.
    """

    def __init__(self) -> None:
        self._targets: set[str] = set()

    def add(self, target: Target) -> None:
        """Record that a database holds nothing but what modules created."""
        self._targets.add(str(target))

    def __contains__(self, target: Target) -> bool:
        return str(target) in self._targets

    def clear(self) -> None:
        """Forget all of them."""
        self._targets.clear()


_managed = _ManagedDatabases()


def forget_managed_databases() -> None:
    """Forget which databases hold only what modules created; required when a database is replaced under its name."""
    _managed.clear()


def read_status(connection: Connection, stack: str) -> DatabaseStatus:
    """Read ledger and catalog in one transaction, so that both are of one moment; raises LedgerError."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        current = current_identity(connection, stack)
        identity = read_identity(connection)
        entries = {entry.module: entry for entry in ledger.read_entries(connection)} if identity else {}
        unfinished = ledger.read_unfinished(connection) if identity else {}
        return DatabaseStatus(identity, current, entries, read_catalog(connection), unfinished)


def classify(
    connection: Connection, session: Session, module: Module, digests: Digests, *, check_drift: bool
) -> ModuleStatus:
    """Return a module's status in its database, reading no more than that needs.

    The catalog of a module with a row is read only with `check_drift`, or where the module was orphaned. A module
    without a row is compared with what it makes on a scratch database where the database holds unmanaged objects. A row
    of the module under its file's former name is renamed.
    """
    identity = read_identity(connection)
    if identity and identity != current_identity(connection, session.stack):
        return ModuleStatus(ModuleState.FOREIGN, None)
    entry = _find_entry(connection, session, module, digests) if identity else None
    if entry and not check_drift and entry.outcome != ledger.ORPHANED:
        return ModuleStatus(ModuleState.APPLIED, entry)
    if entry is None:
        prepare_observer(session.target)
    if identity is None and is_empty(connection):
        _managed.add(session.target)
    if entry is None and session.target in _managed:
        return ModuleStatus(ModuleState.FRESH, None)
    database = read_status(connection, session.stack)
    if entry:
        return ModuleStatus(database.state(module.name), entry, database)
    if not database.unmanaged(session.allowed):
        _managed.add(session.target)
    if module.name in database.unfinished or session.target in _managed:
        return ModuleStatus(ModuleState.FRESH, None, database)
    effects = effects_of_modules(session)
    state = database.state_without_row(effects.by_module[module.name], effects.definitions)
    return ModuleStatus(state, None, database)


def _find_entry(connection: Connection, session: Session, module: Module, digests: Digests) -> LedgerEntry | None:
    """Return a module's row, or None.

    A row of the same statements, or else of the same number, whose file is gone is the module's under its file's former
    name: it is renamed and returned.
    """
    entry, candidates = ledger.read_entry_and_candidates(connection, module.name, digests.statements)
    if entry or not candidates:
        return entry
    files = {existing.name for existing in modules_of(session)}
    for name in candidates:
        if name not in files:
            with session.transaction(connection):
                ledger.rename_entry(connection, name, module.name)
            return ledger.read_entry(connection, module.name)
    return None
