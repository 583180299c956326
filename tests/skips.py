"""Tests that are skipped because the machine lacks a program: how they are skipped, and how a run reports them."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable


def skip_without(program: str, command: str) -> NoReturn:
    """Skip the test because a program is not installed; `command` installs it.

    With CI=true in the environment the test fails instead: a check that did not run must not pass as green.
    """
    reason = f"{program} is not installed; {command}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def skip_reasons(reports: Iterable[pytest.TestReport | pytest.CollectReport]) -> list[str]:
    """Return the reason of each skipped report, as the test gave it."""
    reasons: list[str] = []
    for report in reports:
        text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons.append(text.removeprefix("Skipped: "))
    return reasons


def skip_summary(reasons: Iterable[str]) -> list[str]:
    """Return a line for each reason, with the number of tests that it skipped; the most frequent one first."""
    return [f"{count} skipped: {reason}" for reason, count in Counter(reasons).most_common()]
