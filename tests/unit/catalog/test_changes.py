"""The objects that modules own after their changes."""

from __future__ import annotations

from typing import Any

from infra.catalog.catalog import SETTING, ObjectId
from infra.catalog.changes import CatalogChange, Expected, created_objects, database_settings, fold

TABLE, VIEW = ObjectId("table", "public.t"), ObjectId("view", "public.v")


class Counted(dict[ObjectId, str]):
    """A dict that counts how often all of its items are read."""

    times = 0

    def items(self) -> Any:  # noqa: ANN401 (dict's own type has no public name)
        self.times += 1
        return super().items()


def test_an_object_is_of_the_module_that_wrote_it_last() -> None:
    """An object belongs to the last module that changed it; a dropped object belongs to none."""
    expected = fold(
        [
            ("1", CatalogChange({TABLE: "a", VIEW: "b"})),
            ("2", CatalogChange({VIEW: "c"})),
            ("3", CatalogChange({TABLE: None})),
        ]
    )
    assert (expected.of("1"), expected.of("2"), expected.of("3")) == ({}, {VIEW: "c"}, {})


def test_a_module_that_did_nothing_owns_nothing() -> None:
    """A module without changes has no objects, and is no error."""
    assert fold([]).of("1") == {}


def test_the_objects_are_gone_through_once_for_all_modules() -> None:
    """Objects are sorted into modules once: a preview asks for two hundred modules and twenty thousand objects."""
    definitions = Counted({ObjectId("table", f"public.t{number}"): "" for number in range(5)})
    expected = Expected(definitions, {identity: identity.name for identity in definitions})
    assert [len(expected.of(f"public.t{number}")) for number in range(5)] == [1] * 5
    assert definitions.times == 1


def test_only_created_objects_are_a_modules_own() -> None:
    """What a module changed or dropped belongs to the module that created it."""
    column = ObjectId("column", "public.t.a")
    effect = CatalogChange({TABLE: "", column: "type text", VIEW: None}, frozenset({column}))
    assert created_objects(effect) == {TABLE: ""}


def test_a_large_object_is_owned_and_never_expected() -> None:
    """It has another number in each database, so that it is in no comparison."""
    blob = ObjectId("large object", "16400")
    effect = CatalogChange({blob: "", TABLE: ""})
    assert fold([("1", effect)]).definitions == {TABLE: ""}
    assert blob in created_objects(effect)


def test_a_setting_is_of_the_module_that_set_it_last_until_one_resets_it() -> None:
    """It is in no comparison of objects; each value is known with its module."""
    memory, path = ObjectId(SETTING, "work_mem"), ObjectId(SETTING, "search_path")
    effects = [
        ("1", CatalogChange({memory: "8MB", path: "a", TABLE: ""})),
        ("2", CatalogChange({memory: "16MB"}, frozenset({memory}))),
        ("3", CatalogChange({path: None}, frozenset({path}))),
    ]
    assert database_settings(effects) == {"work_mem": ("16MB", "2")}
    assert fold(effects).definitions == {TABLE: ""}
