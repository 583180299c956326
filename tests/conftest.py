"""What holds for every test: its mark, an environment without the outer `make`, and a report of what was skipped."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.make_variables import drop_make_variables
from tests.skips import skip_reasons, skip_summary

if TYPE_CHECKING:
    from collections.abc import Generator

TESTS = Path(__file__).parent
ONLY_IN_FULL = "takes long, and runs in .ci/run; FULL=1 make test"
MARKED = {"browser", "database", "program"}


def pytest_configure() -> None:
    """Remove the variables of `make test` before anything starts a program; workers inherit the rest."""
    drop_make_variables(os.environ)


def pytest_xdist_auto_num_workers() -> int:
    """Return the number of workers for `-n auto`: half as many again as cores, because tests wait for servers."""
    return max(2, (os.cpu_count() or 1) * 3 // 2)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their folder, tests/schema/<kind> as well as tests/<kind>, and skip `full` ones without FULL=1."""
    for item in items:
        for kind in MARKED.intersection(item.path.relative_to(TESTS).parts[:2]):
            item.add_marker(kind)
        if item.get_closest_marker("full") and not os.environ.get("FULL"):
            item.add_marker(pytest.mark.skip(reason=ONLY_IN_FULL))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None]:
    """Write at the very end how many tests were skipped for each reason; a reason ends with the command to install."""
    yield
    lines = skip_summary(skip_reasons(terminalreporter.stats.get("skipped", [])))
    if lines:
        terminalreporter.section("skipped tests")
        for line in lines:
            terminalreporter.write_line(line)
