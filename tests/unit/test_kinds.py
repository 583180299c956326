"""The table of server kinds in tests/program/kinds.py agrees with the tests of the lifecycle."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.program.kinds import IN_FULL, KINDS, NOT_ON, OFTEN, kinds_of, left_out

TESTS = Path(__file__).parents[1]
PROGRAM = {path.name: path.read_text() for path in TESTS.joinpath("program").glob("test_*.py")}
LIFECYCLE = {
    name
    for text in PROGRAM.values()
    if "every_kind" in text
    for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE)
}


def test_the_table_names_tests_of_the_lifecycle() -> None:
    """Every test that the table names exists."""
    assert {*NOT_ON, *OFTEN} <= LIFECYCLE


def test_what_is_run_each_time_is_run_on_every_kind() -> None:
    """The tests that represent their groups run on every kind."""
    assert all(left_out(name) == set() for name in OFTEN)


@pytest.mark.parametrize("test", sorted(NOT_ON))
def test_a_test_that_stands_for_another_is_there(test: str) -> None:
    """The files and tests that reasons name exist."""
    for reason in NOT_ON[test].values():
        for file, name in re.findall(r"([\w/]+\.py)(?:: (test_\w+))?", reason):
            assert (TESTS / "program" / file).exists() or (TESTS.parent / file).exists()
            assert f"def {name}(" in PROGRAM.get(file, f"def {name}(")


def test_full_means_several_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without FULL a test runs on the embedded server only, with FULL on several or, for some, on all kinds."""
    monkeypatch.delenv("FULL", raising=False)
    assert kinds_of("test_a_moved_checkout_keeps_its_server") == ["embedded"]
    assert kinds_of("test_a_second_up_changes_nothing") == ["embedded"]
    monkeypatch.setenv("FULL", "1")
    assert kinds_of("test_a_moved_checkout_keeps_its_server") == list(IN_FULL)
    assert kinds_of("test_a_second_up_changes_nothing") == list(KINDS)
    assert kinds_of("test_a_read_only_server_is_said_so") == ["embedded", "docker"]
