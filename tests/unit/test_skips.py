"""A skipped test is reported with its reason, and in CI a missing program is a failure."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.skips import skip_summary, skip_without

ROOT = Path(__file__).parents[2]
SKIPPING = """\
import pytest

@pytest.mark.parametrize("number", range(3))
def test_skipped(number):
    pytest.skip("Chromium is not installed; apt-get install chromium")

@pytest.mark.skipif(True, reason="only root makes users")
def test_marked():
    pass
"""


def test_the_most_frequent_reason_comes_first() -> None:
    """Each reason is one line, with how many tests it skipped."""
    assert skip_summary(["a", "b", "b"]) == ["2 skipped: b", "1 skipped: a"]
    assert skip_summary([]) == []


@pytest.mark.parametrize(("variable", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_a_missing_program_fails_in_ci(
    variable: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere the test is skipped; both say what is missing and the command that installs it."""
    monkeypatch.setenv("CI", variable)
    with pytest.raises(outcome, match=r"^npm is not installed; apt-get install npm$"):
        skip_without("npm", "apt-get install npm")


@pytest.mark.parametrize("processes", ["0", "1"])
def test_a_run_ends_with_what_was_skipped(processes: str, tmp_path: Path) -> None:
    """The last lines of a run group the skipped tests by reason, with the tests in one process or in several."""
    (tmp_path / "conftest.py").write_text("from tests.conftest import pytest_terminal_summary\n")
    (tmp_path / "test_sample.py").write_text(SKIPPING)
    command = [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "-p", "no:cacheprovider", "-n", processes]
    result = subprocess.run([*command, tmp_path], cwd=ROOT, capture_output=True, text=True, check=False)
    title, *lines, last = result.stdout.splitlines()[-4:]
    assert title.strip("=") == " skipped tests "
    assert lines == [
        "3 skipped: Chromium is not installed; apt-get install chromium",
        "1 skipped: only root makes users",
    ]
    assert "4 skipped in" in last
