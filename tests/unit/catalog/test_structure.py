"""The tables of a catalog: their parts, in which order, and the module that created each."""

from __future__ import annotations

from infra.catalog.catalog import ObjectId
from infra.catalog.changes import CatalogChange
from infra.catalog.structure import makers, structure_of

TABLE = ObjectId("table", "public.t")
VIEW = ObjectId("view", "public.v")

DEFINITIONS = {
    TABLE: "unlogged\ncomment 'Said.'",
    ObjectId("table", "public.t_longer"): "",
    ObjectId("column order", "public.t"): 'b, "A", c',
    ObjectId("column", "public.t.b"): "type integer",
    ObjectId("column", 'public.t."A"'): "type integer\nnot null",
    ObjectId("column", "public.t.c"): "type integer",
    ObjectId("column", "public.t_longer.x"): "type integer",
    ObjectId("constraint", "public.t.z"): "PRIMARY KEY (b)",
    ObjectId("constraint", "public.t.a"): "CHECK ((c > 0))",
    ObjectId("constraint", "public.t.own"): "FOREIGN KEY (c) REFERENCES public.t(b)",
    ObjectId("constraint", "public.t_longer.f"): "FOREIGN KEY (x) REFERENCES public.t(b)",
    ObjectId("index", "public.i"): 'CREATE UNIQUE INDEX i ON public.t USING btree ("A", c)',
    ObjectId("index", "public.partial"): "CREATE UNIQUE INDEX partial ON public.t USING btree (c) WHERE (b > 0)",
    VIEW: "SELECT 1",
    ObjectId("trigger", "public.t.w"): "CREATE TRIGGER w …",
    ObjectId("column", "public.pair.x"): "attribute 1\ntype integer",
    ObjectId("owner", "table public.t"): "somebody",
    ObjectId("privileges", "table public.t to x"): "SELECT",
}


def test_a_table_has_its_own_parts_in_order() -> None:
    """Columns are in the table's order, constraints by kind; parts of other tables and types are not included."""
    table = structure_of(DEFINITIONS, {}).tables["public.t"]
    assert [column.name for column in table.columns] == ["b", '"A"', "c"]
    assert [constraint.name for constraint in table.constraints] == ["z", "own", "a"]
    assert [index.name for index in table.indexes] == ["public.i", "public.partial"]
    assert (table.shown, table.comment, table.notes) == ("t", "Said.", ("unlogged",))


def test_what_is_no_table_is_kept() -> None:
    """Views, triggers and columns of composite types are other objects; owners and privileges are left out."""
    assert [other.identity for other in structure_of(DEFINITIONS, {}).others] == [
        ("column", "public.pair.x"),
        ("trigger", "public.t.w"),
        VIEW,
    ]


def test_unique_is_what_holds_for_every_row() -> None:
    """Columns are unique if they include a key or unique index; an index on some of the rows does not count."""
    table = structure_of(DEFINITIONS, {}).tables["public.t"]
    assert table.primary_key == ("b",)
    assert table.unique_rules == (('"A"', "c"),)
    assert [table.is_unique(columns) for columns in (["b"], ["c"], ['"A"', "c"], ["b", "c"], [])] == [
        True,
        False,
        True,
        True,
        False,
    ]


def test_references_are_known_from_both_sides() -> None:
    """The foreign keys that reference a table are found, its own included."""
    structure = structure_of(DEFINITIONS, {})
    assert [(table.name, key.name) for table, key in structure.referring("public.t")] == [
        ("public.t", "own"),
        ("public.t_longer", "f"),
    ]


def test_tables_come_as_asked_then_by_module() -> None:
    """The order that is given counts first, then that of the modules, then the name."""
    definitions = {ObjectId("table", f"public.{name}"): "" for name in "abcde"}
    made_by = {
        ObjectId("table", f"public.{name}"): module
        for name, module in zip("edcba", ["1", "1", "2", "2", "1"], strict=True)
    }
    structure = structure_of(definitions, made_by, ["public.c"])
    assert [table.shown for table in structure.tables.values()] == ["c", "a", "d", "e", "b"]
    assert structure.modules() == ["2", "1"]


def test_the_maker_is_who_made_it_last_and_not_who_changed_it() -> None:
    """A change does not count; a dropped object has no maker, and one that is created again has a new one."""
    created, changed, dropped = (
        CatalogChange({TABLE: "x", VIEW: "y"}),
        CatalogChange({TABLE: "z"}, frozenset({TABLE})),
        CatalogChange({VIEW: None}),
    )
    assert makers([("1", created), ("2", changed)]) == {TABLE: "1", VIEW: "1"}
    assert makers([("1", created), ("2", dropped)]) == {TABLE: "1"}
    assert makers([("1", created), ("2", dropped), ("3", CatalogChange({VIEW: "y"}))]) == {TABLE: "1", VIEW: "3"}
