"""Modules, databases and stacks go away: at once where data may be lost, and only when asked for by name elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.program.project import Project


pytestmark = pytest.mark.every_kind


@pytest.mark.full
def test_a_removed_module_is_dropped_where_data_may_be_lost(project: Project) -> None:
    """An ephemeral stack drops what a removed module made, unless a later module needs it: then it refuses."""
    before = project.fingerprint()
    constraints, indexes = (project.folder / f"sql/0{name}.sql" for name in ("8-init-constraints", "7-init-indexes"))
    kept = constraints.read_text()
    constraints.unlink()
    assert "08-init-constraints was removed: its objects are dropped from database app_db" in project.up()
    assert project.ledger()[-1] == "07"
    assert project.sql("SELECT count(*) FROM pg_constraint WHERE contype = 'f'") == [(0,)]
    moved = project.folder / "sql/06-init-indexes.sql"
    shipping = project.folder / "sql/06-init-shipping.sql"
    made = shipping.read_text()
    shipping.unlink()
    indexes.rename(moved)
    text = project.refused("up")
    assert "because other objects depend on what it created: index public.idx_shipping_" in text
    assert "of 06-init-indexes depends on table public.shipping_" in text
    assert project.tables("shipping_methods") == ["public.shipping_methods"]
    moved.rename(indexes)
    shipping.write_text(made)
    constraints.write_text(kept)
    project.up()
    assert project.fingerprint() == before


@pytest.mark.full
def test_a_persistent_stack_loses_nothing_unasked(project: Project) -> None:
    """Removed modules leave their objects; removing a database or the stack is refused, and the way out is shown."""
    project.configure(lifecycle="persistent")
    (project.folder / "sql/08-init-constraints.sql").unlink()
    text = project.up()
    assert "08-init-constraints was removed: its objects stay in database app_db, and the ledger marks it" in text
    assert project.sql("SELECT outcome FROM sqlmodule.ledger ORDER BY module DESC LIMIT 1") == [("orphaned",)]
    assert project.sql("SELECT count(*) > 5 FROM pg_constraint WHERE contype = 'f'") == [(True,)]
    before = project.exported()["deployment"]["resources"]
    text = project.refused("destroy")
    assert "schema-plan" in text
    assert "protect" in text
    assert [resource["urn"] for resource in project.exported()["deployment"]["resources"]] == [
        resource["urn"] for resource in before
    ]
    assert (project.folder / ".env.test").exists()
    project.configure(databases=["another"])
    text = project.refused("preview")
    assert "database app_db is gone from the settings, and this stack is persistent" in text
    assert "drop_databases" in text
    assert project.ledger()[0] == "01"


@pytest.mark.full
def test_a_persistent_stack_drops_a_database_that_is_named_first(project: Project) -> None:
    """Named in `drop_databases` and brought up, then taken out of the settings: the database goes, in two steps.

    Not while somebody is connected to it, whom the error names; in an ephemeral stack that is no obstacle.
    """
    project.configure(databases=["app_db", "another"])
    project.up()
    _refuses_to_lose_rows_unasked(project)
    project.configure(lifecycle="persistent", databases=["app_db", "another"], drop_databases=["app_db"])
    project.up()
    project.configure(databases=["another"])
    with project.connect("app_db", "nightly report") as other:
        text = project.refused("up")
        assert f"database app_db: is in use by pid {other.info.backend_pid} (nightly report, role postgres)" in text
        assert other.execute("SELECT 1").fetchone() == (1,)
    project.up()
    found = project.admin("SELECT datname::text FROM pg_database ORDER BY 1", database="postgres")
    assert ("another",) in found
    assert ("app_db",) not in found
    assert project.admin("SELECT rolname FROM pg_roles WHERE rolname LIKE 'app_db%'", database="postgres") == []


def _refuses_to_lose_rows_unasked(project: Project) -> None:
    """Remove a database with rows from an ephemeral stack: the preview shows them, and `make up` has to ask first."""
    project.sql("INSERT INTO customers VALUES ('lost', 'x@y')")
    project.configure(databases=["another"])
    text = project.preview()
    assert "warning: `up` will lose 1 row in app_db" in text
    assert "drop the database: it is gone from the settings" in text
    assert "- loses 1 row (customers 1)" in text
    losses = project.folder / "losses"
    project.env["PLATFORM_POSTGRES_LOSSES"] = str(losses)  # as `make up` does
    assert "database app_db: would lose rows that no module inserted: public.customers 1" in project.refused("up")
    assert losses.read_text() == "database app_db: public.customers 1\n"
    assert project.sql("SELECT id FROM customers") == [("lost",)]
    del project.env["PLATFORM_POSTGRES_LOSSES"]
