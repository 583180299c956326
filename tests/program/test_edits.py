"""A module's text changes: what the preview says, and what `up` does, where data may be lost and where it may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.program.homes import Docker

if TYPE_CHECKING:
    from tests.program.project import Project

pytestmark = pytest.mark.every_kind

EVENTS = "SELECT left(module, 2), step FROM sqlmodule.event WHERE step <> 'apply' ORDER BY id"
AGENTS = "sql/03-init-agents.sql"
COLUMN = "    instructions varchar,\n"
NARROW = "    instructions varchar(2000),\n"


def test_an_edited_comment_is_harmless_and_an_edited_column_rebuilds_where_data_may_be_lost(project: Project) -> None:
    """A preview shows the line diff, says `reformatted` or what a rebuild loses; taken back, the schema is the same."""
    before = project.fingerprint()
    project.sql("INSERT INTO threads VALUES ('lost', 'thread', 1)")
    project.edit(AGENTS, "-- Agents:", "-- Agents, that is:")
    text = project.preview()
    assert "+-- Agents, that is:" in text
    assert "reformatted 03-init-agents: only comments, white space or letter case differ: harmless" in text
    project.up()
    assert project.sql(EVENTS) == [("03", "reformatted")]
    assert project.sql("SELECT id FROM threads") == [("lost",)]
    project.edit(AGENTS, COLUMN, NARROW)
    text = project.preview()
    assert "instructions varchar(2000)" in text
    assert "warning: `up` will lose " in text
    assert "rebuild 03-init-agents: its statements changed" in text
    assert "~ column public.assistants.instructions" in text
    assert "rebuild 04-init-supply to 08-init-constraints: follows from the others" in text
    assert "losing 1 row (threads 1)" in text
    assert "to update" in text
    losses = project.folder / "losses"
    project.env["PLATFORM_POSTGRES_LOSSES"] = str(losses)  # as `make up` does
    assert "would lose rows that no module inserted: public.threads 1" in project.refused("up")
    assert losses.read_text() == "database app_db: public.threads 1\n"
    assert project.sql("SELECT id FROM threads") == [("lost",)]
    del project.env["PLATFORM_POSTGRES_LOSSES"]
    project.up()
    assert project.sql("SELECT count(*) FROM threads") == [(0,)]
    assert project.fingerprint() != before
    assert project.verb("preview", "--expect-no-changes").status == 0
    project.edit(AGENTS, NARROW, COLUMN)
    project.up()
    assert project.fingerprint() == before


@pytest.mark.full
def test_an_edited_column_waits_for_the_migration_where_nothing_may_be_lost(project: Project) -> None:
    """A persistent stack refuses it at preview, naming what differs; once the database follows, it is recorded.

    A module may name its owner: it is compared where the stack's roles have their names.
    """
    project.sql("INSERT INTO threads VALUES ('kept', 'thread', 1)")
    project.configure(lifecycle="persistent")
    project.edit(AGENTS, COLUMN, NARROW)
    comment = "COMMENT ON COLUMN threads.object "
    if not isinstance(project.home, Docker):  # of whose version there is no private server here
        project.edit(AGENTS, comment, f"ALTER TABLE threads OWNER TO app_db_owner;\n{comment}")
    text = project.refused("preview")
    assert f"{AGENTS} in this database: its statements changed, but the database does not match" in text
    assert "column public.assistants.instructions is different" in text
    assert "make revision M=" in text
    assert "CREATE TABLE" not in text
    project.admin("ALTER TABLE assistants ALTER instructions TYPE varchar(2000)")
    assert "verify 03-init-agents: its statements changed" in project.preview()
    project.up()
    assert ("03", "verify") in project.sql(EVENTS)
    assert project.sql("SELECT id FROM threads") == [("kept",)]
    assert project.verb("preview", "--expect-no-changes").status == 0
