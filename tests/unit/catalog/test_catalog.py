"""A catalog as a value: its parts, and a fingerprint that is equal exactly for equal schemas."""

from __future__ import annotations

import random

import pytest

from infra.catalog.catalog import ACCESS, NOTES, STRUCTURE, Catalog, ObjectId, catalog_of, fingerprint

ROWS = [
    ("table", "public.a", ""),
    ("column", "public.a.b", "type integer\nnot null"),
    ("column", "public.a.c", "type text"),
    ("index", "public.i", "CREATE INDEX i ON public.a USING btree (b)"),
]
OTHERS = [
    ("owner", "table public.a", "shop_owner"),
    ("privileges", "table public.a to shop_app", "SELECT"),
    ("column order", "public.a", "b, c"),
    ("extension version", "pgcrypto", "1.3"),
]
FINGERPRINT = fingerprint(catalog_of(ROWS))


def test_an_object_is_called_by_kind_and_name() -> None:
    """A message names an object by its kind and its name."""
    assert str(ObjectId("materialized view", 'public."A b"')) == 'materialized view public."A b"'


def test_a_catalog_is_made_of_rows() -> None:
    """Rows of kind, name and definition become objects; two kinds may have the same name."""
    rows = [("index", "public.a", "x"), ("table", "public.a", "")]
    assert catalog_of(rows).objects == {ObjectId("index", "public.a"): "x", ObjectId("table", "public.a"): ""}
    assert catalog_of([]) == Catalog()
    assert Catalog().objects == {}


def test_a_catalog_has_parts() -> None:
    """A part has the objects of some kinds and no others."""
    catalog = catalog_of([*ROWS, *OTHERS])
    assert catalog.of("index", "table") == catalog_of([ROWS[0], ROWS[3]])
    assert catalog.of("view") == catalog.of() == Catalog()
    assert catalog.structure() == catalog_of(ROWS)


def test_every_kind_is_structure_access_or_note() -> None:
    """No kind is in two of the groups, so that each is either compared, compared on its own, or noted."""
    kinds = [*STRUCTURE, *ACCESS, *NOTES]
    assert len(set(kinds)) == len(kinds)
    assert {kind for kind, _, _ in OTHERS} == {*ACCESS, *NOTES}


def test_the_fingerprint_is_the_same_for_ever() -> None:
    """The fingerprint is in states and outputs, so that another algorithm needs another prefix."""
    assert FINGERPRINT == "catalog1:e44fbe7675b248190720cb8cc91334e1a8945ccbe2e7c7bdae19b53ad22fa8ff"
    assert fingerprint(Catalog()) == "catalog1:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_rows_does_not_count(seed: int) -> None:
    """However the rows arrive, the fingerprint is the same."""
    rows = random.Random(seed).sample(ROWS, len(ROWS))
    assert fingerprint(catalog_of(rows)) == FINGERPRINT


@pytest.mark.parametrize("kind", [*ACCESS, *NOTES])
def test_who_owns_and_what_is_only_noted_does_not_count(kind: str) -> None:
    """Owners, privileges, the order of columns and versions of extensions may differ between equal schemas."""
    rows = [row for row in OTHERS if row[0] == kind]
    assert rows
    assert fingerprint(catalog_of([*ROWS, *rows])) == FINGERPRINT


@pytest.mark.parametrize("kind", STRUCTURE)
def test_an_object_more_of_any_kind_of_structure_counts(kind: str) -> None:
    """Each kind of structure is in the fingerprint, an object without a definition as well."""
    assert fingerprint(catalog_of([*ROWS, (kind, "public.x", "")])) != FINGERPRINT


@pytest.mark.parametrize("number", range(len(ROWS)))
def test_every_part_of_every_object_counts(number: int) -> None:
    """An object that is missing, or has another kind, name or definition, makes another fingerprint."""
    kind, name, text = ROWS[number]
    others = [row for row in ROWS if row != ROWS[number]]
    changed = [[], [("view", name, text)], [(kind, f"{name}x", text)], [(kind, name, f"{text} ")]]
    fingerprints = {fingerprint(catalog_of([*others, *rows])) for rows in changed}
    assert len(fingerprints) == len(changed)
    assert FINGERPRINT not in fingerprints


def test_where_a_part_ends_counts() -> None:
    """A character that moves from the name to the definition, or from one object to the next, makes another one."""
    variants = [
        [("table", "ab", "c")],
        [("table", "a", "bc")],
        [("table", "a", "b"), ("table", "c", "")],
        [("table", "a", ""), ("table", "b", "c")],
        [("table", "a", "1:b,")],
    ]
    assert len({fingerprint(catalog_of(rows)) for rows in variants}) == len(variants)
