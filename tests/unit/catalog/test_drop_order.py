"""The order of drops, and what is dropped along, from dependencies as pg_depend has them."""

from __future__ import annotations

import random

from infra.catalog.catalog import ObjectId
from infra.catalog.drop_order import Dependant, Dependency, DropList, Droppable, ObjectAddress, drop_list_of


def identity(name: str) -> ObjectId:
    return ObjectId(*name.rsplit(" ", 1))


def listed(names: str, links: str, owned: str) -> DropList:
    """Return what dropping objects means; the statement of each object is its name, and names end at commas.

    An object `column t.2` is part 2 of `table t`. Links are `dependent code on`, with the codes of pg_depend.
    """
    objects = names.split(", ")
    addresses = {name: ObjectAddress(1, number, 0) for number, name in enumerate(objects, 1)}
    for name in objects:
        if name.startswith("column "):
            table, part = name.removeprefix("column ").split(".")
            addresses[name] = ObjectAddress(1, addresses[f"table {table}"].oid, int(part))
    dependencies = [
        Dependency(addresses[dependent], addresses[on], code)
        for dependent, code, on in (link.split(" - ") for link in links.split(", ") if link)
    ]
    return drop_list_of(
        {address: Droppable(identity(name), name) for name, address in addresses.items()},
        dependencies,
        {identity(name) for name in owned.split(", ")},
    )


def test_dependent_objects_come_first() -> None:
    """A view is dropped before its table, and the table before the type of its column; parts have no statement."""
    found = listed(
        "enum e, table t, column t.1, view v, query q",
        "column t.1 - n - enum e, query q - i - view v, query q - n - column t.1",
        "enum e, table t, column t.1, view v",
    )
    assert found.statements == ("view v", "table t", "enum e")
    assert found.dependants == ()


def test_a_column_is_dropped_from_a_table_that_stays() -> None:
    """A part has a statement where its container is not dropped; what depends on the table is not in the way."""
    names, links = "table t, column t.1, column t.2, view v", "view v - n - column t.2"
    assert listed(names, links, "column t.1").statements == ("column t.1",)
    (dependant,) = listed(names, links, "column t.2").dependants
    assert dependant == Dependant(ObjectId("view", "v"), ObjectId("column", "t.2"), blocks=True)


def test_a_circle_is_cut_at_its_parts() -> None:
    """A policy that calls a function on its own table is dropped by itself, and so is no part beside the circle."""
    found = listed(
        "table t, function f, policy p, table u, constraint c, index i",
        "policy p - a - table t, policy p - n - function f, function f - n - table t, "
        "constraint c - a - table u, constraint c - n - table t, index i - a - table t",
        "table t, function f, policy p, table u, constraint c, index i",
    )
    assert found.statements == ("table u", "policy p", "function f", "table t")


def test_a_generated_column_is_the_part_that_is_cut() -> None:
    """What a part cannot be without goes with it: the expression of a column has no DROP of its own."""
    found = listed(
        "table t, column t.1, default d, function f",
        "default d - i - column t.1, default d - n - function f, function f - n - table t",
        "table t, column t.1, function f",
    )
    assert found.statements == ("column t.1", "function f", "table t")


def test_a_circle_without_parts_is_dropped_as_a_whole() -> None:
    """A base type and its functions need CASCADE, which drops nothing but them: all else is dropped or in the way."""
    names = "type b, function f, table t, column t.1"
    links = "function f - n - type b, type b - n - function f, column t.1 - n - type b"
    assert listed(names, links, "type b, function f, table t").statements == ("table t", "type b CASCADE", "function f")
    (dependant,) = listed(names, links, "type b, function f").dependants
    assert dependant == Dependant(ObjectId("column", "t.1"), ObjectId("type", "b"), blocks=True)


def test_parts_of_others_are_listed_once_and_without_their_own_parts() -> None:
    """Of a partition that no module made neither its columns nor its indexes are listed, nor what PostgreSQL makes."""
    found = listed(
        "table t, column t.1, table p, column p.1, index i, row type r, constraint k, index x",
        "table p - a - table t, index i - a - column p.1, row type r - i - table t, constraint k - a - column t.1, "
        "index x - i - constraint k",
        "table t, column t.1, constraint k",
    )
    assert found.dependants == (Dependant(ObjectId("table", "p"), ObjectId("table", "t"), blocks=False),)
    assert found.statements == ("table t",)


def test_what_is_in_the_way_is_named_as_the_catalog_names_it() -> None:
    """A view stands for its query, and a table for its row type."""
    found = listed(
        "table t, row type r, view v, query q, function f",
        "row type r - i - table t, query q - i - view v, query q - n - table t, function f - n - row type r",
        "table t",
    )
    assert [(str(dependant.identity), str(dependant.on)) for dependant in found.dependants] == [
        ("function f", "table t"),
        ("view v", "table t"),
    ]


def test_an_event_trigger_is_dropped_first() -> None:
    """It would see, and may refuse, the statements that drop the other objects."""
    names = "event trigger e, function f, table t"
    assert listed(names, "event trigger e - n - function f", names).statements == (
        "event trigger e",
        "table t",
        "function f",
    )


def test_what_does_not_exist_has_no_statement() -> None:
    """An object that was dropped by hand is neither listed nor dropped."""
    assert listed("table t", "", "table t, view v") == DropList((ObjectId("table", "t"),), (), ("table t",))


def test_any_dependencies_have_an_order() -> None:
    """Whatever depends on what, nothing depends on an object any more when it is dropped, or it is in a circle."""
    for seed in range(300):
        chance = random.Random(seed)
        tables = [f"table t{number}" for number in range(chance.randint(1, 8))]
        parts = {f"policy p{number}": chance.choice(tables) for number in range(chance.randint(0, 8))}
        names = [*tables, *parts]
        pairs = [(chance.choice(names), chance.choice(names)) for _ in range(chance.randint(0, 20))]
        links = [f"{dependent} - n - {on}" for dependent, on in pairs if dependent != on]
        links += [f"{part} - a - {table}" for part, table in parts.items()]
        found = listed(", ".join(names), ", ".join(links), ", ".join(names))
        remaining = set(names)
        for statement in found.statements:
            within = {part for part in remaining if statement in {part, parts.get(part)}}
            if statement.endswith(" CASCADE"):
                break
            assert within, seed
            assert {
                dependent for dependent, on in pairs if on in within and dependent in remaining - within
            } == set(), seed
            remaining -= within
        else:
            assert remaining == set(), seed
