"""The state of a module, and the drift of a database, given its ledger and catalog."""

from __future__ import annotations

import pytest

from infra.catalog.catalog import Catalog, ObjectId
from infra.catalog.changes import CatalogChange
from infra.catalog.difference import Difference
from infra.modules.decision import Digests, ModuleState
from infra.plan.database_status import DatabaseStatus
from infra.plan.ledger_rows import ORPHANED, LedgerEntry, LedgerIdentity

HERE = LedgerIdentity("stack", "1", 1)
A, B, C = (ObjectId("column", f"public.t.{name}") for name in "abc")
GRANT = ObjectId("privileges", "column public.t.a to r")


def status(
    objects: dict[ObjectId, str],
    *effects: CatalogChange,
    outcome: str = "applied",
    identity: LedgerIdentity | None = HERE,
) -> DatabaseStatus:
    """Return the status of a database whose modules 01-x, 02-x … had these effects."""
    names = [f"{number:02}-x" for number in range(1, len(effects) + 1)]
    entries = {
        name: LedgerEntry(name, Digests("", ""), outcome, effect) for name, effect in zip(names, effects, strict=True)
    }
    return DatabaseStatus(identity, HERE, entries, Catalog(objects))


@pytest.mark.parametrize(
    ("objects", "outcome", "state"),
    [
        ({A: "1", B: "1"}, "applied", ModuleState.APPLIED),
        ({A: "1", B: "1"}, ORPHANED, ModuleState.ORPHANED),
        ({A: "2", B: "1"}, ORPHANED, ModuleState.ORPHANED),
        ({A: "2", B: "1"}, "applied", ModuleState.DRIFTED),
        ({A: "1"}, "adopted", ModuleState.DRIFTED),
        ({C: "1"}, "applied", ModuleState.VANISHED),
        ({C: "1"}, ORPHANED, ModuleState.VANISHED),
    ],
)
def test_the_state_of_a_module_with_a_row(objects: dict[ObjectId, str], outcome: str, state: ModuleState) -> None:
    """It is applied when its objects are as it left them, drifted when some are not, vanished when none exists."""
    assert status(objects, CatalogChange({A: "1", B: "1"}), outcome=outcome).state("01-x") is state


def test_a_ledger_of_another_stack_makes_every_module_foreign() -> None:
    """A database without a ledger is not foreign, one whose ledger names another stack, server or database is."""
    other = LedgerIdentity("other", "1", 1)
    assert status({}, CatalogChange({A: "1"}), identity=other).state("01-x") is ModuleState.FOREIGN
    assert not status({}, identity=None).is_foreign()


def test_drift_is_attributed_to_the_module_that_wrote_last() -> None:
    """An object that a later module changed is compared with that module's definition, and is no drift of the first."""
    database = status({A: "2"}, CatalogChange({A: "1"}), CatalogChange({A: "2", B: "1"}, frozenset({A})))
    assert database.drift("01-x") == []
    assert database.drift("02-x") == [Difference(B, "1", None)]


@pytest.mark.parametrize(
    ("objects", "state"),
    [
        ({}, ModuleState.FRESH),
        ({C: "before"}, ModuleState.FRESH),
        ({A: "1", B: "1", C: "1"}, ModuleState.PRESENT),
        ({A: "last", B: "1", C: "1"}, ModuleState.PRESENT),
        ({A: "1", C: "before"}, ModuleState.CONFLICTING),
        ({A: "other"}, ModuleState.CONFLICTING),
        ({A: "1", B: "1", C: "other"}, ModuleState.CONFLICTING),
    ],
)
def test_the_state_of_a_module_without_a_row(objects: dict[ObjectId, str], state: ModuleState) -> None:
    """A module that creates A and B and changes C is fresh with only C, as it was, and present with all three."""
    effect = CatalogChange({A: "1", B: "1", C: "1"}, frozenset({C}))
    database = status(objects, CatalogChange({C: "before"}))
    assert database.state_without_row(effect, {A: "last", B: "1", C: "1"}) is state


def test_the_recorded_effect_has_the_definitions_of_this_database() -> None:
    """An adopted module's row has what its objects are here, with their privileges, and none that does not exist."""
    database = status({A: "here", C: "1", GRANT: "SELECT"})
    effect = CatalogChange({A: "scratch", B: "1"}, frozenset({A, B}))
    assert database.effect_to_record(effect) == CatalogChange({A: "here", GRANT: "SELECT"}, frozenset({A}))


@pytest.mark.parametrize(
    ("kind", "subject"), [("enum", "type"), ("domain", "type"), ("procedure", "function"), ("aggregate", "function")]
)
def test_the_recorded_effect_has_owners_and_privileges_under_their_general_kind(kind: str, subject: str) -> None:
    """PostgreSQL keeps those of an enum as a type's, and those of a procedure as a function's."""
    made, owner = ObjectId(kind, "public.x"), ObjectId("owner", f"{subject} public.x")
    granted = ObjectId("privileges", f"{subject} public.x to PUBLIC")
    objects: dict[ObjectId, str | None] = {made: "here", owner: "o", granted: "USAGE"}
    database = status({identity: text for identity, text in objects.items() if text})
    assert database.effect_to_record(CatalogChange({made: "scratch"})) == CatalogChange(objects)


def test_unmanaged_objects_can_be_allowed() -> None:
    """Objects that no module created are returned, except the public schema, extensions, and what a pattern allows."""
    tables = [ObjectId("table", "public.a"), ObjectId("table", "public.tmp_b")]
    always = [ObjectId("schema", "public"), ObjectId("extension", "pgcrypto")]
    database = status(dict.fromkeys([*tables, *always], ""))
    assert database.unmanaged() == tables
    assert database.unmanaged(["table public.tmp_*"]) == tables[:1]
