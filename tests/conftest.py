"""What every test gets: its mark by the folder it stands in."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their folder, so that nobody has to remember it."""
    for item in items:
        kind = item.path.relative_to(TESTS).parts[0]
        if kind in {"browser", "database", "program"}:
            item.add_marker(kind)
