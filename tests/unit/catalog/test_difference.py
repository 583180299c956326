"""Differences between two catalogs, as people read them."""

from __future__ import annotations

import time

import pytest

from infra.catalog.catalog import Catalog, ObjectId, catalog_of
from infra.catalog.difference import Difference, differences

TABLE = ("table", "public.a", "")
COLUMN = ("column", "public.a.b", "type integer\nnot null\ndefault 0")


def shown(expected: str | None, found: str | None) -> list[str]:
    return str(Difference(ObjectId("view", "public.v"), expected, found)).split("\n")


def test_equal_catalogs_do_not_differ() -> None:
    """Equal catalogs have no differences, whatever the order of the rows."""
    assert differences(catalog_of([TABLE, COLUMN]), catalog_of([COLUMN, TABLE])) == []
    assert differences(Catalog(), Catalog()) == []


def test_missing_extra_and_different_objects_are_found_in_order() -> None:
    """Every object that is in one catalog only, or has two definitions, is one difference; kinds and names in order."""
    expected = catalog_of([TABLE, COLUMN, ("index", "public.i", "x"), ("view", "public.v", "")])
    found = catalog_of([TABLE, ("column", "public.a.b", "type bigint"), ("view", "public.v", "y"), ("view", "a.v", "")])
    assert differences(expected, found) == [
        Difference(ObjectId("column", "public.a.b"), COLUMN[2], "type bigint"),
        Difference(ObjectId("index", "public.i"), "x", None),
        Difference(ObjectId("view", "a.v"), None, ""),
        Difference(ObjectId("view", "public.v"), "", "y"),
    ]
    assert [difference.verdict for difference in differences(expected, found)] == [
        "different",
        "missing",
        "extra",
        "different",
    ]


def test_an_object_whose_name_says_it_all_is_missing_or_extra() -> None:
    """An empty definition is a definition: an object that has one is there."""
    assert str(*differences(catalog_of([TABLE]), Catalog())) == "table public.a is missing"
    assert str(*differences(Catalog(), catalog_of([TABLE]))) == "table public.a is extra"


def test_a_missing_object_shows_what_is_expected() -> None:
    """The definition of a missing object has minus signs before its lines."""
    assert str(*differences(catalog_of([COLUMN]), Catalog())) == (
        "column public.a.b is missing\n  - type integer\n  - not null\n  - default 0"
    )


def test_an_extra_object_shows_what_is_found() -> None:
    """The definition of an extra object has plus signs before its lines."""
    assert str(*differences(Catalog(), catalog_of([COLUMN]))) == (
        "column public.a.b is extra\n  + type integer\n  + not null\n  + default 0"
    )


def test_a_different_object_shows_every_line() -> None:
    """Expected and found lines follow each other, between the lines that are equal."""
    found = catalog_of([("column", "public.a.b", "type bigint\nnot null\ndefault 0\ncomment 'x'")])
    assert str(*differences(catalog_of([COLUMN]), found)) == (
        "column public.a.b is different\n"
        "  - type integer\n"
        "  + type bigint\n"
        "    not null\n"
        "    default 0\n"
        "  + comment 'x'"
    )


def test_lines_that_look_like_marks_are_shown_as_they_are() -> None:
    """A line that begins with a sign of a diff keeps it behind the mark."""
    assert shown("? a\n- b\n", "+ a\n- b\n") == ["view public.v is different", "  - ? a", "  + + a", "    - b", "    "]


@pytest.mark.parametrize(
    ("expected", "found", "lines"),
    [
        ("a\r\nb", "a\nb", ["  - a\\r", "  + a", "    b"]),
        ("a\n", "a", ["    a", "  - "]),
        ("a b", "a\xa0b", ["  - a b", "  + a\\xa0b"]),
        ("a\u200b", "a", ["  - a\\u200b", "  + a"]),
        ("a\x0cb", "a\nb", ["  - a\\x0cb", "  + a", "  + b"]),
        ("\ta", "    a", ["  - \ta", "  +     a"]),
        ("ä€😀", "a", ["  - ä€😀", "  + a"]),
    ],
)
def test_what_cannot_be_seen_is_made_visible(expected: str, found: str, lines: list[str]) -> None:
    """Line ends, unusual spaces and control characters are shown as escapes, since they may be all that differs."""
    assert shown(expected, found) == ["view public.v is different", *lines]


def test_long_definitions_are_compared_in_time() -> None:
    """Two functions of some thousand lines that are alike in every line are shown within seconds."""
    before = "\n".join(f"    IF value_{number} > {number} THEN RAISE NOTICE 'a'; END IF;" for number in range(3_000))
    after = before.replace("'a'", "'b'")
    started = time.monotonic()
    assert len(shown(before, after)) == 1 + 2 * 3_000
    assert time.monotonic() - started < 10
