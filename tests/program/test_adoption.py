"""A stack is destroyed and its data kept; another one takes the data up again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.program.project import Project


pytestmark = [pytest.mark.every_kind, pytest.mark.full]


def test_retained_data_is_adopted_with_roles_databases_and_modules(project: Project) -> None:
    """With `retain` a destroy keeps the data; with `adopt` the next `up` takes it all over, under new passwords."""
    project.sql("INSERT INTO customers VALUES ('kept', 'x@y')")
    before, fingerprint = project.outputs()["dsn"], project.fingerprint()
    project.serve(retain=True)
    project.up()
    project.destroy()
    project.serve(adopt=True)
    assert "adopt: its data was retained" in project.preview()
    project.up()
    assert project.sql("SELECT id FROM customers") == [("kept",)]
    assert project.sql("SELECT count(*) FROM sqlmodule.event") == [(8,)]
    assert project.fingerprint() == fingerprint
    assert project.outputs()["dsn"]["app_db"]["app"] != before["app_db"]["app"]
    project.serve(adopt=False)
    assert re.search(r"Resources:\n +\d+ unchanged\n", project.up())
    assert project.verb("preview", "--expect-no-changes").status == 0
