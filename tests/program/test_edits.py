"""A module's text changes: what the preview says, and what `up` does, where data may be lost and where it may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.program.homes import Docker

if TYPE_CHECKING:
    from tests.program.project import Project

pytestmark = pytest.mark.every_kind

EVENTS = "SELECT left(module, 2), step FROM sqlmodule.event WHERE step <> 'apply' ORDER BY id"
CUSTOMERS = "sql/02-init-customers.sql"
COLUMN = "    full_name  varchar,\n"
NARROW = "    full_name  varchar(2000),\n"


def test_an_edited_comment_is_harmless_and_an_edited_column_rebuilds_where_data_may_be_lost(project: Project) -> None:
    """A preview shows the line diff, says `reformatted` or what a rebuild loses; taken back, the schema is the same."""
    before = project.fingerprint()
    project.sql("INSERT INTO customers VALUES ('lost', 'x@y')")
    project.edit(CUSTOMERS, "-- Customers:", "-- Customers, that is:")
    text = project.preview()
    assert "+-- Customers, that is:" in text
    assert "reformatted 02-init-customers: only comments, white space or letter case differ: harmless" in text
    project.up()
    assert project.sql(EVENTS) == [("02", "reformatted")]
    assert project.sql("SELECT id FROM customers") == [("lost",)]
    project.edit(CUSTOMERS, COLUMN, NARROW)
    text = project.preview()
    assert "full_name  varchar(2000)" in text
    assert "warning: `up` will lose " in text
    assert "rebuild 02-init-customers: its statements changed" in text
    assert "~ column public.customers.full_name" in text
    assert "rebuild 03-init-catalogue to 08-init-constraints: later than 02-init-customers" in text
    assert "losing 1 row (customers 1)" in text
    assert "to update" in text
    losses = project.folder / "losses"
    project.env["PLATFORM_POSTGRES_LOSSES"] = str(losses)  # as `make up` does
    assert "would lose rows that no module inserted: public.customers 1" in project.refused("up")
    assert losses.read_text() == "database app_db: public.customers 1\n"
    assert project.sql("SELECT id FROM customers") == [("lost",)]
    del project.env["PLATFORM_POSTGRES_LOSSES"]
    project.up()
    assert project.sql("SELECT count(*) FROM customers") == [(0,)]
    assert project.fingerprint() != before
    assert project.verb("preview", "--expect-no-changes").status == 0
    project.edit(CUSTOMERS, NARROW, COLUMN)
    project.up()
    assert project.fingerprint() == before


@pytest.mark.full
def test_an_edited_column_waits_for_the_migration_where_nothing_may_be_lost(project: Project) -> None:
    """A persistent stack refuses it at preview, naming what differs; once the database follows, it is recorded.

    A module may name its owner: it is compared where the stack's roles have their names.
    """
    project.sql("INSERT INTO customers VALUES ('kept', 'x@y')")
    project.configure(lifecycle="persistent")
    project.edit(CUSTOMERS, COLUMN, NARROW)
    comment = "COMMENT ON COLUMN customers.email "
    if not isinstance(project.home, Docker):  # of whose version there is no private server here
        project.edit(CUSTOMERS, comment, f"ALTER TABLE customers OWNER TO app_db_owner;\n{comment}")
    missing = project.folder / "missing.sql"
    project.env["PLATFORM_POSTGRES_MISSING_SQL"] = str(missing)  # as `make preview ARGS=--missing-sql=missing.sql` does
    text = project.refused("preview")
    assert f"{CUSTOMERS} in this database: its statements changed, but the database does not match" in text
    assert "column public.customers.full_name is different" in text
    assert "make revision M=" in text
    assert "CREATE TABLE" not in text
    heading, statement = missing.read_text().splitlines()[:2]
    assert heading == "-- database app_db: a draft, to be checked"
    assert statement == "ALTER TABLE public.customers ALTER COLUMN full_name TYPE character varying(2000);"
    project.admin(missing.read_text())
    assert "verify 02-init-customers: its statements changed" in project.preview()
    assert missing.read_text() == "-- database app_db: it lacks nothing that has a draft\n"
    del project.env["PLATFORM_POSTGRES_MISSING_SQL"]
    project.up()
    assert ("02", "verify") in project.sql(EVENTS)
    assert project.sql("SELECT id FROM customers") == [("kept",)]
    assert project.verb("preview", "--expect-no-changes").status == 0
