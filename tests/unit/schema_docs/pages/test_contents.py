"""What the documents say of a structure, whatever their form."""

from __future__ import annotations

from infra.catalog.catalog import ObjectId
from infra.schema_docs.pages.contents import anchor, counted
from infra.schema_docs.pages.entries import SourceLink
from tests.unit.schema_docs.pages.samples import simple, told


def test_anchors_are_different_for_different_objects() -> None:
    """No two objects share an anchor, however their names are made; all are safe in a link as they are."""
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
        set(one) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:~-") for one in anchors
    )


def test_counts_are_words() -> None:
    """One of a kind is singular, several are plural, in the order in which they come."""
    kinds = ["table", "index", "index", "policy", "policy", "statistics"]
    assert counted(kinds) == "1 table, 2 indexes, 2 policies, 1 statistics"
    assert counted([]) == ""


def test_a_table_is_told_whole() -> None:
    """Columns, rules, indexes, references, places and notes are where they belong."""
    found = told(simple())
    assert found.counts == "2 tables, 3 columns, 1 foreign key, 1 index, 1 view"
    (module,) = found.modules
    assert module.counts == "3 columns, 3 constraints, 1 index, 2 tables, 1 view"
    first, second = module.tables
    assert [column.type for column in first.columns] == ["bigint", "varchar(40)"]
    assert [column.default for column in first.columns] == ["generated always as identity", "'x'::text"]
    assert [(one.table, one.columns, one.own_columns, one.action) for one in first.referred_to_by] == [
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


def test_what_has_no_place_of_its_own_has_its_column_s_or_its_table_s() -> None:
    """A key that is declared with its column is found there; a rule about no column is found at its table."""
    first, second = told(simple()).modules[0].tables
    assert first.declared == (SourceLink("sql/02-a.sql", 4),)
    assert [rule.declared for rule in first.constraints] == [(SourceLink("sql/02-a.sql", 4),)]
    assert [rule.declared for rule in second.constraints] == [(SourceLink("sql/02-a.sql", 9),), ()]
