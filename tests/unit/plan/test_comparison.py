"""The comparison of what a module makes with what a database holds."""

from __future__ import annotations

from infra.catalog.catalog import ObjectId
from infra.catalog.changes import CatalogChange, fold
from infra.catalog.difference import Difference
from infra.plan.comparison import compare_module

A, B = ObjectId("column", "public.t.a"), ObjectId("column", "public.t.b")
OWNER, OTHER = ObjectId("owner", "table public.t"), ObjectId("table", "public.other")


def differences(
    effects: dict[str, CatalogChange], objects: dict[ObjectId, str], previous: CatalogChange | None = None
) -> list[Difference]:
    return list(compare_module(fold(effects.items()).definitions, objects, effects["01-t"], previous))


def test_only_the_modules_objects_are_compared() -> None:
    """Objects of others are not compared, nor are owners and privileges."""
    effects = {"01-t": CatalogChange({A: "type text", OWNER: "x"}), "02-o": CatalogChange({OTHER: ""})}
    assert differences(effects, {A: "type text", OWNER: "y"}) == []
    assert differences(effects, {A: "type integer"}) == [Difference(A, "type text", "type integer")]


def test_objects_are_expected_as_all_modules_leave_them() -> None:
    """A later module's change of the definition is expected, and so is that it dropped the object."""
    effects = {"01-t": CatalogChange({A: "old", B: ""}), "02-o": CatalogChange({A: "new", B: None}, frozenset({A, B}))}
    assert differences(effects, {A: "new"}) == []
    assert differences(effects, {A: "old", B: ""}) == [Difference(A, "new", "old"), Difference(B, None, "")]


def test_what_the_module_had_created_before_must_be_gone() -> None:
    """An object that the module no longer makes is extra, unless it had only changed it."""
    effects, objects = {"01-t": CatalogChange({A: ""})}, {A: "", B: ""}
    assert differences(effects, objects, CatalogChange({A: "", B: ""})) == [Difference(B, None, "")]
    assert differences(effects, objects, CatalogChange({A: "", B: ""}, frozenset({B}))) == []
