"""The texts of a preview, and the snapshots that it reads a database into."""

from __future__ import annotations

import pytest

from infra.catalog.catalog import ObjectId
from infra.catalog.changes import CatalogChange
from infra.modules.decision import Digests
from infra.postgres.apply.preview import Snapshots, created_tables, rebuild_text
from infra.postgres.ledger.ledger import LedgerEntry

A, B, VIEW = ObjectId("table", "public.a"), ObjectId("table", "public.b"), ObjectId("view", "public.v")


@pytest.mark.parametrize(
    ("modules", "counts", "text"),
    [
        (["02-b"], {}, "drops and recreates what module 02 created, no table among it"),
        (["02-b", "10-c"], {}, "drops and recreates what modules 02 to 10 created, no table among it"),
        (["02-b"], {"public.b": "0"}, "drops and recreates 1 table of module 02, losing no row"),
        (["02-b"], {"public.b": "7"}, "drops and recreates 1 table of module 02, losing all rows (b 7)"),
        (
            ["02-b", "03-c", "04-d"],
            {"public.b": "7", 'public."B c"': "about 1000000", "public.d": "0"},
            'drops and recreates 3 tables of modules 02 to 04, losing all rows (b 7, "B c" about 1000000)',
        ),
    ],
)
def test_a_rebuild_names_its_tables_and_the_rows_that_are_lost(
    modules: list[str], counts: dict[str, str], text: str
) -> None:
    """The first and last module are named by number, and each table that has rows with how many."""
    assert rebuild_text(modules, list(counts), counts) == text


def test_a_table_that_is_gone_is_counted_as_a_table_without_rows() -> None:
    """Rows are only counted of tables that exist; the number of tables includes the others."""
    text = "drops and recreates 2 tables of module 02, losing all rows (b 7)"
    assert rebuild_text(["02-b"], ["public.a", "public.b"], {"public.b": "7"}) == text


def test_created_tables_are_those_that_a_rebuild_drops() -> None:
    """Tables that a module only changed, and other objects, lose no rows."""
    entries = [
        LedgerEntry("01-a", Digests("", ""), "applied", CatalogChange({A: "", VIEW: ""})),
        LedgerEntry("02-b", Digests("", ""), "applied", CatalogChange({A: "", B: ""}, frozenset({A}))),
    ]
    assert created_tables(entries) == ["public.a", "public.b"]


def test_a_snapshot_is_read_once() -> None:
    """A key is read once, also when the answer is that there is none, until the snapshots are cleared."""
    reads: list[str] = []
    snapshots = Snapshots()
    for _ in range(2):
        assert snapshots.get("a", lambda: reads.append("a")) is None
    assert reads == ["a"]
    snapshots.clear()
    snapshots.get("a", lambda: reads.append("a"))
    assert reads == ["a", "a"]


def test_a_snapshot_that_could_not_be_read_is_read_again() -> None:
    """An error is raised to the caller, and the next call reads again."""
    snapshots = Snapshots()

    def fail() -> None:
        raise OSError("no answer")

    with pytest.raises(OSError, match="no answer"):
        snapshots.get("a", fail)
    assert snapshots.get("a", lambda: None) is None
