"""The contents of the documents of a structure, whatever their form."""

from __future__ import annotations

from infra.catalog.catalog import ObjectId
from infra.schema_docs.pages.contents import anchor, count_phrase
from tests.unit.schema_docs.pages.samples import sample_contents, simple


def test_anchors_are_different_for_different_objects() -> None:
    """No two objects share an anchor, whatever characters their names have; all are safe in a link unescaped."""
    names = [
        *(
            ObjectId("table", name)
            for name in ("public.a", "a.b", 'public."a.b"', 'public."A"', "public.a_b", 'public."~22~"')
        ),
        *(
            ObjectId("column", name)
            for name in ("public.a.b", "a.b.c", 'public."a.b".c', 'public.a."b:c"', 'public."a:b".c')
        ),
        *(ObjectId(kind, "public.a") for kind in ("view", "index", "materialized view", "function", "module")),
        ObjectId("function", "public.a(integer)"),
        ObjectId("table", 'public."view-a"'),
    ]
    anchors = [anchor(*name) for name in names]
    assert len(set(anchors)) == len(names)
    assert anchor("table", "public.userbase") == "userbase"
    assert anchor("column", "public.userbase.id") == "userbase:id"
    assert all(
        set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:~-") for name in anchors
    )


def test_counts_are_words() -> None:
    """A single object of a kind is singular, several are plural, in the order in which they come."""
    kinds = ["table", "index", "index", "policy", "policy", "statistics"]
    assert count_phrase(kinds) == "1 table, 2 indexes, 2 policies, 1 statistics"
    assert count_phrase([]) == ""


def test_a_table_is_described_completely() -> None:
    """Columns, constraints, indexes, references and other objects are in the entry that they belong to."""
    contents = sample_contents(simple())
    assert contents.counts == "2 tables, 3 columns, 1 foreign key, 1 index, 1 view"
    (module,) = contents.modules
    assert module.counts == "3 columns, 3 constraints, 1 index, 2 tables, 1 view"
    first, second = module.tables
    assert [column.type for column in first.columns] == ["bigint", "varchar(40)"]
    assert [column.default for column in first.columns] == ["generated always as identity", "'x'::text"]
    assert [(key.table, key.columns, key.own_columns, key.action) for key in first.referred_to_by] == [
        ("b", "a_id", "id", "ON DELETE CASCADE")
    ]
    assert second.columns[0].targets == (("a.id", "a:id"),)
    key, check = second.constraints
    assert (key.before, key.target, key.target_anchor, key.after) == (
        "FOREIGN KEY (a_id) REFERENCES ",
        "a",
        "a",
        "(id) ON DELETE CASCADE",
    )
    assert (check.before, check.target, check.after) == ("CHECK ((a_id > 0))", "", "")
    assert [(other.kind, other.name, other.comment) for other in module.others] == [("view", "v", "Only keys.")]


def test_a_table_has_the_files_that_declare_it() -> None:
    """A table links to each source that has it, and not to a line: that would change with every line before it."""
    first, second = sample_contents(simple()).modules[0].tables
    assert first.declared == ("sql/02-a.sql",)
    assert second.declared == ()
