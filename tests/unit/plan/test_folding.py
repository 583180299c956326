"""Differences as a person reads them: tables first, with what only follows from them."""

from __future__ import annotations

from infra.catalog.catalog import ObjectId
from infra.catalog.difference import Difference
from infra.plan.folding import explained_findings, fold_changes, fold_findings


def gone(kind: str, name: str, text: str = "") -> Difference:
    return Difference(ObjectId(kind, name), text, None)


def new(kind: str, name: str, text: str = "") -> Difference:
    return Difference(ObjectId(kind, name), None, text)


def table(name: str) -> list[tuple[str, str, str]]:
    return [
        ("column", f"public.{name}.id", "type integer\nnot null"),
        ("column", f"public.{name}.note", "type text"),
        ("column order", f"public.{name}", "id, note"),
        ("constraint", f"public.{name}.{name}_pkey", "PRIMARY KEY (id)"),
        ("index", f"public.{name}_note_idx", f"CREATE INDEX {name}_note_idx ON public.{name} USING btree (note)"),
        ("owner", f"table public.{name}", "x"),
        ("privileges", f"table public.{name} to app", "SELECT"),
        ("table", f"public.{name}", ""),
    ]


def test_a_table_that_is_gone_is_one_line_with_what_went_with_it() -> None:
    """Its columns, constraints and indexes are counted behind it; its owner and privileges are not named."""
    differences = [gone(*part) for part in table("a")]
    assert fold_changes(differences) == ["- table public.a, with 2 columns, 1 constraint, 1 index"]


def test_findings_say_what_is_wrong_in_words() -> None:
    """In a refusal an object is missing, extra or different, with the lines of its definition."""
    assert fold_findings([gone(*part) for part in table("a")]) == [
        "table public.a is missing, with 2 columns, 1 constraint, 1 index"
    ]
    assert fold_findings([new("view", "public.v", "SELECT 1")]) == ["view public.v is extra", "  + SELECT 1"]


def test_signs_are_explained_where_there_are_any() -> None:
    """A legend comes before lines with signs, and not before others."""
    assert explained_findings([new("view", "public.v", "SELECT 1")], "(+ there)")[:2] == [
        "(+ there)",
        "view public.v is extra",
    ]
    assert explained_findings([gone(*part) for part in table("a")], "(+ there)")[0].startswith("table public.a")


def test_a_table_with_the_same_columns_under_another_name_looks_renamed() -> None:
    """Both tables are one line; with other columns they are two."""
    differences = [gone(*part) for part in table("a")] + [new(*part) for part in table("b")]
    assert fold_changes(differences) == ["~ table public.a looks renamed to public.b (the same 2 columns)"]
    other = [difference for difference in differences if difference.identity.name != "public.b.note"]
    assert fold_changes(other) == [
        "- table public.a, with 2 columns, 1 constraint, 1 index",
        "+ table public.b, with 1 column, 1 constraint, 1 index",
    ]


def test_a_changed_table_comes_before_its_columns_with_the_changed_lines() -> None:
    """What differs in a table that stays is shown object by object, with the lines of its definition."""
    differences = [
        Difference(ObjectId("column", "public.a.id"), "type integer\nnot null", "type bigint\nnot null"),
        Difference(ObjectId("table", "public.a"), "", "comment 'x'"),
        new("view", "public.v", "SELECT 1"),
        new("enum", "public.mood", "a"),
    ]
    assert fold_changes(differences) == [
        "+ enum public.mood",
        "  + a",
        "~ table public.a",
        "  + comment 'x'",
        "~ column public.a.id",
        "  - type integer",
        "  + type bigint",
        "    not null",
        "+ view public.v",
        "  + SELECT 1",
    ]
