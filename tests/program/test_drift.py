"""Somebody changes the live database: a preview says so unasked and quickly, or says that it did not look."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.program.kinds import PLAIN

if TYPE_CHECKING:
    from tests.program.project import Project

pytestmark = pytest.mark.every_kind

PATIENCE = 45
"""Seconds: roles and databases are looked for first, then the catalogs, and each look gives up after ten."""


@pytest.mark.full
def test_a_preview_shows_what_was_changed_by_hand_and_so_does_a_refresh(project: Project) -> None:
    """Drift is a line diff on its module, and a gate for CI; the setting `live_check: false` turns it off."""
    project.admin("ALTER TABLE customers ADD COLUMN added text; ALTER TABLE customers ALTER email DROP NOT NULL")
    text = project.refused("preview")
    assert "`up` will refuse, and change nothing in app_db" in text
    assert "sql/02-init-customers.sql in this database: somebody changed what it made" in text
    assert "column public.customers.email is different" in text
    assert "no module made column public.customers.added" in text
    assert project.verb("preview", "--expect-no-changes").status != 0
    project.configure(modules={"live_check": False})
    assert project.verb("preview", "--expect-no-changes").status == 0
    project.configure(modules=None)
    text = project.verb("refresh", "--diff").text
    assert "drift" in text
    text = project.refused("up")
    assert "somebody changed what it made" in text
    project.admin("ALTER TABLE customers DROP COLUMN added; ALTER TABLE customers ALTER email SET NOT NULL")
    project.up()
    assert project.verb("preview", "--expect-no-changes").status == 0


@pytest.mark.full
def test_what_no_module_made_is_reported_once_and_quieted_by_a_setting(project: Project) -> None:
    """An unmanaged table is named once for its database, and not any more when `modules.unmanaged` allows it."""
    project.admin("CREATE TABLE by_hand (a int)")
    text = project.preview()
    assert text.count("no module made table public.by_hand") == 1, text
    project.configure(modules={"unmanaged": ["table public.by_*"]})
    project.up()
    assert "by_hand" not in project.preview("--expect-no-changes")


TAKEN_BACK = {
    "GRANT CREATE ON SCHEMA public TO app_db_app": "app_db_app has CREATE, USAGE on schema public",
    "ALTER ROLE app_db_app CREATEDB VALID UNTIL '2030-01-01'": "app_db_app has CREATEDB, and is not to have it",
    "ALTER ROLE app_db_readonly SET work_mem = '1MB'": "app_db_readonly has a setting of work_mem",
    "ALTER DATABASE app_db SET search_path = trap": "database app_db has a setting of search_path",
    "ALTER ROLE app_db_app IN DATABASE app_db SET TimeZone = 'Asia/Tokyo'": (
        "app_db_app has a setting of TimeZone in database app_db"
    ),
    "ALTER DATABASE app_db CONNECTION LIMIT 7": "database app_db has CONNECTION LIMIT 7",
    "ALTER DATABASE app_db IS_TEMPLATE true": "database app_db has IS_TEMPLATE true",
}


@pytest.mark.full
def test_what_roles_were_given_by_hand_is_found_and_what_the_stack_declares_is_restored(
    project: Project, kind: str
) -> None:
    """A grant on a table is in the preview, as is what `up` takes back: members, grantees, attributes, settings.

    A refresh finds the same. An administrator who may not undo what a superuser granted says what the superuser has to
    run.
    """
    project.admin("GRANT SELECT, UPDATE ON customers TO PUBLIC")
    assert "no module granted SELECT, UPDATE on table public.customers to PUBLIC" in project.preview()
    assert project.verb("preview", "--expect-no-changes").status != 0
    project.admin("REVOKE SELECT, UPDATE ON customers FROM PUBLIC")
    project.admin("; ".join(TAKEN_BACK))
    text = project.preview()
    for sentence in (
        "somebody changed what its roles or the database may do or are, and `up` takes that back",
        *TAKEN_BACK.values(),
    ):
        assert sentence in text, text
    assert project.verb("preview", "--expect-no-changes").status != 0
    for _ in range(2):  # also when the same is done again, a run without changes later
        project.up()
        assert project.verb("preview", "--expect-no-changes").status == 0
        project.up()
        project.admin("; ".join(TAKEN_BACK))
        assert project.verb("preview", "--expect-no-changes").status != 0
    project.up()
    project.admin("GRANT app_db_owner TO app_db_readonly")
    assert project.verb("refresh", "--expect-no-changes").status != 0
    if kind == PLAIN:
        revoke = 'REVOKE "app_db_owner" FROM "app_db_readonly" GRANTED BY "postgres" CASCADE'
        assert f"have it run: {revoke}" in project.refused("up")
        project.admin(revoke)
    project.up()
    assert project.verb("refresh", "--expect-no-changes").status == 0


@pytest.mark.full
def test_the_gate_fails_where_the_ledger_is_gone(project: Project) -> None:
    """Modules whose objects are all there are adopted, and nobody is told to drop those; else it is refused."""
    for statement in ("DELETE FROM sqlmodule.ledger", "DROP SCHEMA sqlmodule CASCADE"):
        project.admin(statement)
        text = project.verb("preview", "--expect-no-changes")
        assert text.status != 0, text.text
        assert "adopt 02-init-customers to 08-init-constraints: all that it makes is there, exactly" in text.text
        assert "no module made" not in text.text
        project.up()
        assert project.verb("preview", "--expect-no-changes").status == 0
    project.admin("DROP SCHEMA sqlmodule CASCADE; DROP TABLE shipping_methods CASCADE")
    text = project.refused("preview", "--expect-no-changes")
    assert "constraint public.shipping_methods.uq_shipping_methods_carrier_name is missing" in text
    assert "table public.shipping_methods" not in text.partition("no module made")[2]


@pytest.mark.full
@pytest.mark.parametrize("attribute", ["ALLOW_CONNECTIONS false", "CONNECTION LIMIT 0"])
def test_a_database_that_lets_nobody_in_is_found_and_opened_again(project: Project, attribute: str) -> None:
    """A preview and a refresh say so, and fail where they are gates; the next `up` takes it back."""
    finding = f"database app_db has {attribute}, and is not to have it"
    outside = {"database": "postgres"}
    project.admin(f"ALTER DATABASE app_db {attribute}", **outside)
    assert finding in project.preview()
    assert project.verb("preview", "--expect-no-changes").status != 0
    project.configure(modules={"strict": True})
    assert "database app_db: could not be looked at" in project.refused("preview")
    assert finding in project.up()
    project.configure(modules=None)
    assert project.verb("preview", "--expect-no-changes").status == 0
    assert project.sql("SELECT 1", role="app") == [(1,)]
    project.admin(f"ALTER DATABASE app_db {attribute}", **outside)
    text = project.refused("refresh", "--expect-no-changes").partition("Diagnostics:")[2]
    assert text.count("database app_db: has no free connection") == int(attribute.startswith("CONNECTION"))
    assert "connection failed: " not in text.replace("has no free connection (connection failed: ", "")
    if attribute.startswith("ALLOW"):  # the state is kept of what nobody can look at
        assert project.resource("app_db-access")["outputs"]["drift"] == [finding]
    project.up()
    assert project.sql("SELECT 1", role="app") == [(1,)]
    assert project.verb("preview", "--expect-no-changes").status == 0


@pytest.mark.full
def test_what_an_interrupted_drop_left_is_named_until_somebody_drops_it(project: Project) -> None:
    """The remedy can be typed, and the next `up` creates the database again."""
    project.admin("UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'app_db'", database="postgres")
    remedy = 'DROP DATABASE "app_db"'
    for verb in ("preview", "refresh", "up"):
        assert f"have its owner run {remedy} in another database" in project.refused(verb)
    with project.connect("postgres") as connection:
        connection.autocommit = True
        connection.execute(remedy.encode())
    project.up()
    assert project.ledger()[-1] == "08"
    assert project.verb("preview", "--expect-no-changes").status == 0


@pytest.mark.full
def test_a_preview_does_not_wait_for_a_server_that_does_not_answer(project: Project) -> None:
    """A server that hangs is not waited for: the preview says that it did not look, and fails where that is strict."""
    project.home.freeze(project)
    began = time.monotonic()
    text = project.preview()
    assert time.monotonic() - began < PATIENCE
    assert text.count("could not be looked at") == 1, text
    project.configure(modules={"strict": True})
    assert "database app_db: could not be looked at" in project.refused("preview")
    project.home.thaw(project)
