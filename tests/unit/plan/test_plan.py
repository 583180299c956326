"""Which modules are rebuilt together."""

from __future__ import annotations

from infra.catalog.catalog import ObjectId
from infra.catalog.changes import CatalogChange
from infra.modules.decision import Digests
from infra.plan.ledger_rows import ORPHANED, LedgerEntry
from infra.plan.row_selection import entries_to_rebuild

A, B, ORDER = ObjectId("table", "public.a"), ObjectId("table", "public.b"), ObjectId("column order", "public.a")


def entry(
    module: str, *created: ObjectId, changed: ObjectId | None = None, outcome: str = "applied", wrote: str = ""
) -> LedgerEntry:
    objects = [*created, *([changed] if changed else [])]
    effect = CatalogChange(dict.fromkeys(objects, ""), frozenset([changed] if changed else []))
    return LedgerEntry(module, Digests("", ""), outcome, effect, {wrote: 1} if wrote else {})


def rebuilt(module: str, *entries: LedgerEntry) -> list[str]:
    return [row.module for row in entries_to_rebuild(list(entries), module)]


def test_the_later_modules_are_rebuilt_too() -> None:
    """The module and those after it, by number: 99 before 100."""
    assert rebuilt("99-b", entry("98-a", A), entry("99-b", B), entry("100-c")) == ["99-b", "100-c"]


def test_the_creator_of_a_changed_object_is_rebuilt_too() -> None:
    """A module that a later one changed is rebuilt, with all in between, since that alone undoes the change."""
    entries = (entry("01-a", A), entry("02-b", B), entry("03-c", changed=A))
    assert rebuilt("03-c", *entries) == ["01-a", "02-b", "03-c"]


def test_creators_are_found_through_several_modules() -> None:
    """A module that is only rebuilt for a later one can itself have changed an earlier one."""
    entries = (entry("01-a", A), entry("02-b", B, changed=A), entry("03-c", changed=B))
    assert rebuilt("03-c", *entries) == ["01-a", "02-b", "03-c"]


def test_the_order_of_columns_is_no_reason() -> None:
    """A column that a later module adds changes the column order of the table, which dropping the column undoes."""
    assert rebuilt("02-b", entry("01-a", A, ORDER), entry("02-b", changed=ORDER)) == ["02-b"]


def test_an_object_of_no_module_is_no_reason() -> None:
    """A changed object that no module created leaves the choice as it is."""
    assert rebuilt("02-b", entry("01-a", A), entry("02-b", changed=B)) == ["02-b"]


def test_orphaned_modules_are_not_rebuilt() -> None:
    """A module without a file cannot run again, so that its objects stay."""
    assert rebuilt("01-a", entry("01-a", A), entry("02-b", B, outcome=ORPHANED), entry("03-c")) == ["01-a", "03-c"]


def test_the_creator_of_a_table_is_rebuilt_with_a_module_that_wrote_rows_into_it() -> None:
    """Inserted rows would be there twice else, and changed ones would be changed again."""
    for wrote in ("public.a", "changes of public.a"):
        entries = (entry("01-a", A), entry("02-b", B), entry("03-c", wrote=wrote))
        assert rebuilt("02-b", *entries) == ["01-a", "02-b", "03-c"]


def test_the_rows_of_an_orphaned_module_s_table_stay() -> None:
    """It cannot run again, and its table is not dropped, so that nothing before it has to run again either."""
    entries = (entry("01-a", A, outcome=ORPHANED), entry("02-b", B), entry("03-c", wrote="public.a"))
    assert rebuilt("03-c", *entries) == ["03-c"]
