"""A model's change reaches a database with rows by a revision, and a fresh database by the modules."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from infra.migrations.history import file_digests, write_lock

if TYPE_CHECKING:
    from tests.program.project import Project

pytestmark = pytest.mark.full

CUSTOMERS = "sql/02-init-customers.sql"
COLUMN, NARROW, NARROWER = (f"    full_name  varchar{size},\n" for size in ("", "(2000)", "(1000)"))
BASELINE = 'revision = "0001"\ndown_revision = None\n'
REVISION = """
from alembic import op
import sqlalchemy as sa

revision = "0002"
down_revision = "0001"

def upgrade():
    op.alter_column("customers", "full_name", type_=sa.String(2000))
"""
OLDER_SCHEMA = """
CREATE TABLE people (id varchar NOT NULL, email varchar NOT NULL, CONSTRAINT people_pkey PRIMARY KEY (id));
CREATE TABLE addresses (id varchar NOT NULL, customer_id varchar NOT NULL, label varchar NOT NULL,
    lines varchar[] NOT NULL, country varchar(2) NOT NULL, CONSTRAINT addresses_pkey PRIMARY KEY (id));
"""
OLDER_STEP = """
ALTER TABLE people RENAME TO customers;
ALTER TABLE customers RENAME CONSTRAINT people_pkey TO customers_pkey;
ALTER TABLE customers ADD full_name varchar, ADD phone varchar, ADD role varchar, ADD plan varchar DEFAULT 'free',
    ADD is_trial boolean, ADD created_at timestamptz;
ALTER TABLE customers ALTER plan DROP DEFAULT;
"""
STEPS = "SELECT DISTINCT step FROM sqlmodule.event ORDER BY 1"
STAMP = "SELECT version_num FROM sqlmodule.alembic_version"


def add_revision(project: Project) -> None:
    """Make the modules the baseline, and add a revision to it."""
    shutil.copytree(project.folder / "sql", project.folder / "migrations" / "baseline")
    (project.folder / "migrations" / "versions").mkdir()
    first, second = "versions/0001_baseline.py", "versions/0002_narrow.py"
    project.add(f"migrations/{first}", BASELINE)
    project.add(f"migrations/{second}", REVISION)
    folder = str(project.folder / "migrations")
    write_lock(folder, file_digests(folder, [first, second]))


def test_an_existing_database_is_migrated_as_previewed_and_a_fresh_one_runs_no_revision(project: Project) -> None:
    """A saved plan lists the SQL and is carried out; rows stay, what follows is unchanged, and both end at head.

    Before a narrower type, a backup is made of each database with rows.
    """
    plan = str(project.folder / "plan.json")
    project.sql("INSERT INTO customers VALUES ('kept', 'x@y')")
    project.configure(lifecycle="persistent", backup={"before_destructive": True, "keep": 1})
    add_revision(project)
    project.edit(CUSTOMERS, COLUMN, NARROW)
    text = project.preview("--save-plan", plan)
    assert "migrate to 0002, by migrations/versions/0002_narrow.py:" in text
    assert "ALTER TABLE customers ALTER COLUMN full_name TYPE VARCHAR(2000);" in text
    destroyed = "values of column public.customers.full_name"
    assert f"back up the database into backups/test/app_db/, since what follows destroys {destroyed}" in text
    assert not (project.folder / "backups").exists()
    assert "verify 02-init-customers: its statements changed" in text
    project.edit("migrations/versions/0002_narrow.py", "2000", "3000")
    assert "violates plan" in project.refused("up", "--plan", plan)
    project.edit("migrations/versions/0002_narrow.py", "3000", "2000")
    text = project.up("--plan", plan)
    assert backed_up(project) == ["app_db"]
    (dump,) = (project.folder / "backups" / "test" / "app_db").glob("*/app_db.dump")
    assert f"database app_db: {dump.relative_to(project.folder)}, " in text
    assert f"to restore it: make restore STACK=test ARGS={dump.parent.relative_to(project.folder)}" in text
    assert project.sql("SELECT id FROM customers") == [("kept",)]
    assert project.sql(STAMP) == [("0002",)]
    done = project.verb("refresh", "--expect-no-changes")
    assert done.status == 0, done.text
    assert project.verb("preview", "--expect-no-changes").status == 0
    project.configure(databases=["app_db", "app_new"])
    project.up()
    assert project.sql(STAMP, database="app_new") == [("0002",)]
    assert project.sql("SELECT DISTINCT step FROM sqlmodule.event", database="app_new") == [("apply",)]
    assert len(set(project.outputs()["fingerprint"].values())) == 1
    assert project.verb("preview", "--expect-no-changes").status == 0
    bring_over_what_was_made_elsewhere(project)
    migrate_a_group(project)


def backed_up(project: Project) -> list[str]:
    """Return the databases of which there are backups."""
    return sorted(path.name for path in (project.folder / "backups" / "test").iterdir() if any(path.iterdir()))


def bring_over_what_was_made_elsewhere(project: Project) -> None:
    """Adopt a database of a known kind: it is refused first, then previewed, and ends like the others."""
    kind = "migrations/adoption/older"
    (project.folder / kind).mkdir(parents=True)
    project.add(f"{kind}/schema.sql", OLDER_SCHEMA)
    project.add(f"{kind}/01-customers.sql", OLDER_STEP)
    with project.connect() as connection:
        connection.autocommit = True
        connection.execute("CREATE DATABASE old_db")
    project.admin(OLDER_SCHEMA, database="old_db")
    project.admin("INSERT INTO people VALUES ('kept', 'x@y')", database="old_db")
    project.serve(adopt=True)
    project.configure(databases=["app_db", "app_new", "old_db"])
    assert f"{kind} in database old_db: the database was made elsewhere" in project.refused("up")
    project.configure(databases=["app_db", "app_new", {"name": "old_db", "adopt": True}])
    text = project.preview()
    assert "ALTER TABLE public.people OWNER TO old_db_owner;" in text
    assert f"migrate to older-1, by {kind}/01-customers.sql:" in text
    project.up()
    assert project.sql("SELECT id, plan FROM public.customers", database="old_db") == [("kept", "free")]
    assert project.sql(STAMP, database="old_db") == [("0002",)]
    assert len(set(project.outputs()["fingerprint"].values())) == 1
    assert project.verb("preview", "--expect-no-changes").status == 0


def migrate_a_group(project: Project) -> None:
    """Migrate a group: where a revision fails the modules wait, and the next run goes on; the others are done.

    New databases run no revision, and are at the last one too.
    """
    tenants = [f"tenants_00{number}" for number in (1, 2, 3)]
    singles = ["app_db", "app_new", {"name": "old_db", "adopt": True}]
    project.configure(databases=[*singles, {"group": "tenants", "count": 3, "clone": True}])
    project.up()
    assert [project.sql(STAMP, database=name) for name in tenants] == [[("0002",)]] * 3
    assert [project.sql(STEPS, database=name) for name in tenants] == [[("apply",), ("clone",)]] * 3
    project.sql("INSERT INTO customers (id, email) VALUES ('kept', 'x@y')", database="tenants_001")
    project.sql(
        "INSERT INTO customers (id, email, full_name) VALUES ('long', 'x@y', repeat('x', 1500))", database="tenants_002"
    )
    third = "versions/0003_narrower.py"
    project.add(f"migrations/{third}", REVISION.replace("0002", "0003").replace("0001", "0002").replace("2000", "1000"))
    folder = str(project.folder / "migrations")
    write_lock(folder, file_digests(folder, ["versions/0001_baseline.py", "versions/0002_narrow.py", third]))
    project.edit(CUSTOMERS, NARROW, NARROWER)
    plan = str(project.folder / "plan.json")
    text = project.preview("--save-plan", plan)
    assert "migrate to 0003, by migrations/versions/0003_narrower.py:" in text
    text = project.refused("up", "--plan", plan)
    assert "value too long for type character varying(1000)" in text
    assert "tenants_002: migrations: migrations/versions/0003_narrower.py" in text
    assert [project.sql(STAMP, database=name) for name in tenants] == [[("0003",)], [("0002",)], [("0003",)]]
    assert set(backed_up(project)) >= {"app_db", "tenants_001", "tenants_002"}
    assert "tenants_003" not in backed_up(project)
    group = project.outputs()["groups"]["tenants"]
    assert group["migrations"] == "migrated: 2, failed: 1 (tenants_002)"
    assert group["failed"]["tenants_002"]["02-init-customers"] == "waits for the revisions up to 0003"
    project.sql("UPDATE customers SET full_name = 'short'", database="tenants_002")
    project.up()
    assert project.sql(STAMP, database="tenants_002") == [("0003",)]
    assert project.sql("SELECT id FROM customers", database="tenants_001") == [("kept",)]
    assert project.outputs()["groups"]["tenants"]["failed"] == {}
    done = project.verb("refresh", "--expect-no-changes")
    assert done.status == 0, done.text
    assert project.verb("preview", "--expect-no-changes").status == 0
    project.configure(databases=[*singles, {"group": "tenants", "count": 4, "clone": False}])
    project.up()
    assert project.sql(STAMP, database="tenants_004") == [("0003",)]
    assert ("migrate",) not in project.sql(STEPS, database="tenants_004")
    assert ", " not in project.outputs()["groups"]["tenants"]["fingerprint"]
    assert project.verb("preview", "--expect-no-changes").status == 0
