"""The effect of a module that runs statement by statement."""

from __future__ import annotations

from infra.catalog.catalog import ObjectId
from infra.catalog.changes import CatalogChange
from infra.postgres.apply.by_statement import combined_effect

A, B = ObjectId("index", "public.a"), ObjectId("table", "public.b")


def test_an_object_that_the_module_created_is_not_changed_by_it() -> None:
    """An object that one statement created and a later one changed is created, with the later definition."""
    effect = combined_effect(CatalogChange({A: "1"}), CatalogChange({A: "2", B: "1"}, frozenset({A, B})))
    assert effect == CatalogChange({A: "2", B: "1"}, frozenset({B}))


def test_an_object_that_existed_before_stays_changed() -> None:
    """An object that existed before the module stays changed, whatever later statements do to it."""
    effect = combined_effect(CatalogChange({A: "1"}, frozenset({A})), CatalogChange({A: None}, frozenset({A})))
    assert effect == CatalogChange({A: None}, frozenset({A}))
