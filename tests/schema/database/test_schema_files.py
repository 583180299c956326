"""The committed files in docs/schema are what the modules in sql/ create."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.infra_command import run_command

pytestmark = pytest.mark.database

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("command", ["diagram", "docs"])
def test_the_committed_files_are_current(command: str) -> None:
    """The files in docs/schema are, byte for byte, those that a run would write."""
    result = run_command(command, "--check")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_the_picture_of_the_readme_is_the_whole_schema() -> None:
    """README.md shows docs/schema/schema.svg, which has every table."""
    assert "(docs/schema/schema.svg)" in ROOT.joinpath("README.md").read_text(encoding="utf-8")
    assert "<desc" in ROOT.joinpath("docs/schema/schema.svg").read_text(encoding="utf-8")
