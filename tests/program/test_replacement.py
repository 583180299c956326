"""A refresh reports only what happened outside, and a replaced module is there afterwards or refused before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.program.project import Project

pytestmark = pytest.mark.full

CUSTOMERS = "sql/02-init-customers.sql"
KEYS = "SELECT count(*) FROM pg_constraint WHERE contype = 'f'"


def urn(project: Project, name: str) -> str:
    """Return the URN of a resource by its name."""
    return str(project.resource(name)["urn"])


def test_a_refresh_finds_nothing_after_up_and_after_an_edit(bare: Project) -> None:
    """What a preview or a run shows of its plan is no input: a refresh has nothing to change."""
    bare.up()
    assert bare.verb("refresh", "--expect-no-changes").status == 0
    bare.edit(CUSTOMERS, "    full_name  varchar,\n", "    full_name  varchar(2000),\n")
    bare.up()
    assert bare.verb("refresh", "--expect-no-changes").status == 0
    assert bare.verb("preview", "--expect-no-changes").status == 0


def test_a_replaced_module_is_there_afterwards(project: Project) -> None:
    """It is dropped before it is applied again, so that its foreign keys are there when the run is over."""
    before = project.sql(KEYS)
    assert before != [(0,)]
    project.up("--replace", urn(project, "app_db-08-init-constraints"))
    assert project.sql(KEYS) == before
    assert project.verb("preview", "--expect-no-changes").status == 0


def test_a_module_that_others_built_on_is_not_replaced(project: Project) -> None:
    """The replacement is refused with what depends on it; the rows stay, and nothing is left pending."""
    project.sql("INSERT INTO customers VALUES ('kept', 'x@y')")
    text = project.refused("up", "--replace", urn(project, "app_db-02-init-customers"))
    assert "cannot be dropped, because" in text
    assert project.sql("SELECT id FROM customers") == [("kept",)]
    assert project.verb("preview", "--expect-no-changes").status == 0
    assert not [entry for entry in project.exported()["deployment"]["resources"] if entry.get("delete")]
