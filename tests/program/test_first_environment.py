"""The transcript of docs/first-environment.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.program.project import ROOT
from tests.program.transcript import type_page

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.full


def test_a_newcomer_sees_what_the_page_shows(tmp_path: Path) -> None:
    """From `make up` to an environment and its removal, and to a machine on which nothing of it is left."""
    type_page(ROOT / "docs" / "first-environment.md", tmp_path)
    assert not (tmp_path / ".state").exists()
    assert not list(tmp_path.glob(".env.*"))
