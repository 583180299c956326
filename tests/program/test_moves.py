"""A stack that gets another name or another backend, and what Pulumi's own commands on its state lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.program.project import Project

pytestmark = pytest.mark.full

ROWS = "SELECT id FROM customers"


def is_whole(project: Project) -> bool:
    """Return whether the row is there, and neither a preview nor a refresh finds anything to do."""
    rows = project.sql(ROWS)
    return rows == [("kept",)] and all(
        project.verb(verb, "--expect-no-changes").status == 0 for verb in ("preview", "refresh")
    )


def urns_of(project: Project) -> list[str]:
    """Return the resources that a stack has besides itself and its providers."""
    resources = project.exported()["deployment"]["resources"]
    return [resource["urn"] for resource in resources if not resource["type"].startswith("pulumi:")]


def test_a_stack_goes_on_under_another_name_and_in_another_backend(bare: Project) -> None:
    """After `stack rename`, and after export and import, one `up` is enough: nothing runs, and the row stays."""
    bare.up()
    bare.sql("INSERT INTO customers VALUES ('kept', 'x@y')")
    bare.pulumi("stack", "rename", "moved", "--stack", bare.stack)
    bare.stack = "moved"
    text = bare.up()
    assert "apply" not in text
    assert is_whole(bare)
    bare.pulumi("stack", "export", "--stack", bare.stack, "--file", "exported.json")
    elsewhere = bare.folder / "elsewhere"
    elsewhere.mkdir()
    bare.state.rename(bare.folder / "before")
    elsewhere.rename(bare.state)
    bare.pulumi("stack", "init", bare.stack)
    bare.pulumi("stack", "import", "--stack", bare.stack, "--file", "exported.json")
    bare.up()
    assert is_whole(bare)


def test_resources_that_moved_to_another_stack_are_what_they_were(bare: Project) -> None:
    """After `state move` one `up` of the other stack is enough, and the first one has nothing any more."""
    bare.up()
    bare.sql("INSERT INTO customers VALUES ('kept', 'x@y')")
    first, settings = bare.stack, bare.settings
    urns = urns_of(bare)
    bare.stack = "other"
    bare.configure(**settings)
    bare.pulumi("stack", "init", "other")
    bare.pulumi("state", "move", "--source", first, "--dest", "other", "--yes", *urns)
    text = bare.up()
    assert "apply" not in text
    assert is_whole(bare)
    bare.stack, second = first, bare.stack
    assert urns_of(bare) == []
    bare.stack = second


def test_what_pulumi_forgets_of_a_module_or_marks_is_found_again(project: Project) -> None:
    """After `state delete` the ledger proves the module; after `state taint` it is made anew, or refused with rows."""
    project.sql("INSERT INTO customers VALUES ('kept', 'x@y')")
    last, extensions, table = (
        str(project.resource(f"app_db-{name}")["urn"])
        for name in ("08-init-constraints", "extensions", "02-init-customers")
    )
    project.pulumi("state", "delete", last, "--stack", project.stack, "--yes", "--target-dependents")
    project.up()
    assert is_whole(project)
    project.pulumi("state", "taint", last, "--stack", project.stack, "--yes")
    project.pulumi("state", "taint", extensions, "--stack", project.stack, "--yes")
    project.up()
    assert is_whole(project)
    project.pulumi("state", "taint", table, "--stack", project.stack, "--yes")
    assert "cannot be dropped, because" in project.refused("up")
    assert project.sql(ROWS) == [("kept",)]
    project.pulumi("state", "untaint", table, "--stack", project.stack, "--yes")
    assert is_whole(project)


def test_a_stack_whose_name_has_64_characters_comes_and_goes(bare: Project) -> None:
    """What it makes is named by its file, or by a shortened name; its own file stays with `--preserve-config`."""
    name = "a-stack-with-a-name-that-is-as-long-as-pulumi-allows-64-letters-"[:64].rstrip("-").ljust(64, "x")
    assert len(name) == 64
    settings = bare.settings
    bare.stack = name
    bare.configure(**settings)
    bare.pulumi("stack", "init", name)
    bare.up()
    assert bare.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(7,)]
    bare.destroy()
    file = bare.folder / f"Pulumi.{name}.yaml"
    bare.pulumi("stack", "rm", name, "--yes", "--preserve-config")
    assert file.exists()
