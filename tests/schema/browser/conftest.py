"""The documents that the tests of this folder render: the committed ones of the project's own schema."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.expected import Documents
from tests.schema.project import own_schema

FOLDER = Path(__file__).parents[3] / "docs" / "schema"


@pytest.fixture(scope="session")
def documents() -> Documents:
    """Return the committed documents."""
    return Documents(FOLDER, own_schema().modules, own_schema().metadata, ("secrets", "user_id", "userbase", "id"))


@pytest.fixture(params=("schema", *own_schema().modules))
def picture(request: pytest.FixtureRequest) -> str:
    """Return the name of a committed picture."""
    return str(request.param)
