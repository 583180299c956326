"""The transcript of docs/changing-the-schema.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.program.transcript import type_page
from tests.schema.project import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.full


def test_a_change_reaches_databases_with_rows_as_the_page_shows(tmp_path: Path) -> None:
    """An edit of a model, its revision, its preview; a change in two releases; and one that is taken back."""
    type_page(ROOT / "docs" / "changing-the-schema.md", tmp_path)
    assert not (tmp_path / ".state").exists()
