"""A model's change reaches a database with rows by a revision, and a fresh database by the modules."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from infra.migrations.history import file_digests, write_lock
from tests.program.project import ROOT

if TYPE_CHECKING:
    from tests.program.project import Project

pytestmark = pytest.mark.full

AGENTS = "sql/03-init-agents.sql"
COLUMN, NARROW = (f"    instructions varchar{size},\n" for size in ("", "(2000)"))
REVISION = """
from alembic import op
import sqlalchemy as sa

revision = "0002"
down_revision = "0001"

def upgrade():
    op.alter_column("assistants", "instructions", type_=sa.String(2000))
"""
STAMP = "SELECT version_num FROM sqlmodule.alembic_version"


def add_revision(project: Project) -> None:
    """Copy the project's migrations, and add a revision to the first one."""
    shutil.copytree(ROOT / "migrations" / "baseline", project.folder / "migrations" / "baseline")
    (project.folder / "migrations" / "versions").mkdir()
    first, second = "versions/0001_baseline.py", "versions/0002_narrow.py"
    shutil.copyfile(ROOT / "migrations" / first, project.folder / "migrations" / first)
    project.add(f"migrations/{second}", REVISION)
    folder = str(project.folder / "migrations")
    write_lock(folder, file_digests(folder, [first, second]))


def test_an_existing_database_is_migrated_as_previewed_and_a_fresh_one_runs_no_revision(project: Project) -> None:
    """A saved plan lists the SQL and is carried out; rows stay, what follows is unchanged, and both end at head."""
    plan = str(project.folder / "plan.json")
    project.sql("INSERT INTO threads VALUES ('kept', 'thread', 1)")
    project.configure(lifecycle="persistent")
    add_revision(project)
    project.edit(AGENTS, COLUMN, NARROW)
    text = project.preview("--save-plan", plan)
    assert "migrate to 0002, by migrations/versions/0002_narrow.py:" in text
    assert "ALTER TABLE assistants ALTER COLUMN instructions TYPE VARCHAR(2000);" in text
    assert "verify 03-init-agents: its statements changed" in text
    project.edit("migrations/versions/0002_narrow.py", "2000", "3000")
    assert "violates plan" in project.refused("up", "--plan", plan)
    project.edit("migrations/versions/0002_narrow.py", "3000", "2000")
    project.up("--plan", plan)
    assert project.sql("SELECT id FROM threads") == [("kept",)]
    assert project.sql(STAMP) == [("0002",)]
    assert project.verb("preview", "--expect-no-changes").status == 0
    project.configure(databases=["app_db", "app_new"])
    project.up()
    assert project.sql(STAMP, database="app_new") == [("0002",)]
    assert project.sql("SELECT DISTINCT step FROM sqlmodule.event", database="app_new") == [("apply",)]
    assert len(set(project.outputs()["fingerprint"].values())) == 1
    assert project.verb("preview", "--expect-no-changes").status == 0
    bring_over_what_was_made_elsewhere(project)


def bring_over_what_was_made_elsewhere(project: Project) -> None:
    """Adopt a database of a known kind: it is refused first, then previewed, and ends like the others."""
    kind = "migrations/adoption/schema_sql"
    shutil.copytree(ROOT / "migrations" / "adoption", project.folder / "migrations" / "adoption")
    with project.connect() as connection:
        connection.autocommit = True
        connection.execute("CREATE DATABASE old_db")
    project.admin((ROOT / kind / "schema.sql").read_text(), database="old_db")
    project.admin("INSERT INTO users (id, email) VALUES ('kept', 'x@y')", database="old_db")
    project.serve(adopt=True)
    project.configure(databases=["app_db", "app_new", "old_db"])
    assert f"{kind} in database old_db: the database was made elsewhere" in project.refused("up")
    project.configure(databases=["app_db", "app_new", {"name": "old_db", "adopt": True}])
    text = project.preview()
    assert "ALTER TABLE public.users OWNER TO old_db_owner;" in text
    assert f"migrate to schema_sql-1, by {kind}/01-accounts.sql:" in text
    project.up()
    assert project.sql("SELECT id, plan_tier FROM public.userbase", database="old_db") == [("kept", "free")]
    assert project.sql(STAMP, database="old_db") == [("0002",)]
    assert len(set(project.outputs()["fingerprint"].values())) == 1
    assert project.verb("preview", "--expect-no-changes").status == 0
