"""A saved plan is what `up` does: it is refused where a file or the live database changed after it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.program.project import Project

pytestmark = pytest.mark.full

CUSTOMERS = "sql/02-init-customers.sql"
COLUMN, NARROW, WIDE = (f"    full_name  varchar{size},\n" for size in ("", "(2000)", "(4000)"))


def test_a_saved_plan_is_carried_out_or_refused(project: Project) -> None:
    """An edited file or a table made by hand in between refuses it, and nothing is lost; else it is carried out."""
    plan = str(project.folder / "plan.json")
    project.sql("INSERT INTO customers VALUES ('kept', 'x@y')")
    project.edit(CUSTOMERS, COLUMN, NARROW)
    project.preview("--save-plan", plan)
    project.edit(CUSTOMERS, NARROW, WIDE)
    assert "violates plan" in project.refused("up", "--plan", plan)
    assert project.sql("SELECT id FROM customers") == [("kept",)]
    project.edit(CUSTOMERS, WIDE, NARROW)
    project.admin("CREATE TABLE by_hand (a int)")
    assert "violates plan" in project.refused("up", "--plan", plan)
    assert project.sql("SELECT id FROM customers") == [("kept",)]
    project.admin("DROP TABLE by_hand")
    project.up("--plan", plan)
    assert project.sql("SELECT count(*) FROM customers") == [(0,)]
    assert project.verb("preview", "--expect-no-changes").status == 0
