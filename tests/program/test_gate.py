"""A preview as a gate in CI: it fails, and says why, on whatever somebody did to what the stack has made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.program.test_lost_data import by_hand, is_whole

if TYPE_CHECKING:
    from tests.program.project import Project

pytestmark = pytest.mark.full

IN_DATABASE = "in it"
CASES = {
    "a dropped database": (
        "DROP DATABASE app_db WITH (FORCE)",
        "the server has no database app_db any more: created again",
    ),
    "an emptied database": (
        f"{IN_DATABASE}: DROP SCHEMA sqlmodule CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public",
        "it was applied before, and the database is empty now",
    ),
    "a table with all that its module made": (
        f"{IN_DATABASE}: DROP TABLE shipping_methods CASCADE",
        "rebuild 06-init-shipping",
    ),
    "another password": (
        "ALTER ROLE app_db_migrator PASSWORD 'another'",
        "role app_db_migrator has another password than this stack gave it: it gets that again",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_whatever_is_gone_fails_the_gate_and_comes_back(project: Project, case: str) -> None:
    """With CI=true, which makes a look that fails an error; `up` alone, without a preview or a refresh, mends it."""
    statement, sentence = CASES[case]
    place, _, inside = statement.partition(": ")
    if place == IN_DATABASE:
        project.admin(inside)
    else:
        by_hand(project, statement)
    project.env["CI"] = "true"
    assert sentence in project.refused("preview", "--expect-no-changes")
    project.up()
    assert is_whole(project)


def test_what_nobody_can_mend_by_itself_fails_the_gate_and_is_refused(project: Project) -> None:
    """A part of what a module made is gone: `up` refuses as the preview does, names it, and changes nothing."""
    project.admin("DROP TABLE customers CASCADE")
    for verb in ("preview", "up"):
        text = project.refused(verb)
        assert "sql/02-init-customers.sql in " in text
        assert "somebody changed what it made" in text
        assert "table public.customers is missing" in text
    assert project.tables("customers") == []
    assert project.tables("products") == ["public.products"]


def test_where_ci_is_true_a_preview_that_cannot_look_fails(project: Project) -> None:
    """The variable CI decides where the setting `modules.strict` does not; without either it is a warning."""
    project.admin("ALTER ROLE app_db_migrator NOLOGIN")
    assert "could not be looked at" in project.preview()
    project.env["CI"] = "true"
    assert "database app_db: could not be looked at" in project.refused("preview")
    project.configure(modules={"strict": False})
    assert "could not be looked at" in project.preview()


def test_a_run_that_could_not_look_at_a_database_warns(project: Project) -> None:
    """It says why, once, and that nothing is compared, and goes on, also where CI is true."""
    project.env["CI"] = "true"
    with project.connect() as connection:
        connection.execute("LOCK TABLE customers")
        diagnostics = project.up().partition("Diagnostics:")[2]
    assert diagnostics.count("database app_db: could not be looked at (") == 1, diagnostics
    assert "so that nothing in it is compared" in diagnostics
