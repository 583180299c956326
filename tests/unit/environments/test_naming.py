"""The stack of an environment: the name that people gave it where that can be, and never that of another one."""

from __future__ import annotations

import pytest

from infra.environments.naming import LONGEST, stack_of_environment
from infra.errors import InfraError


@pytest.mark.parametrize("name", ["pr-12", "demo", "2026-11", "a" * LONGEST])
def test_a_plain_name_is_the_stacks(name: str) -> None:
    """Small letters and digits, with single hyphens between them."""
    assert stack_of_environment(name) == name


@pytest.mark.parametrize("name", ["feature/Login form", "PR-12", "pr_12", "pr--12", "pr-12-", "é1", "a" * 200])
def test_another_name_gets_a_digest(name: str) -> None:
    """What can be no part of a database's name is replaced, and a digest of the whole name tells it from others."""
    stack = stack_of_environment(name)
    assert len(stack) <= LONGEST
    assert stack != stack_of_environment(name + "x") != stack_of_environment(name.upper() + "y")
    assert stack_of_environment(stack) == stack


def test_names_that_look_alike_are_told_apart() -> None:
    """A branch pr/12 is not the environment pr-12."""
    names = ["pr-12", "pr/12", "pr_12", "PR-12", "pr 12", "pr--12"]
    assert len({stack_of_environment(name) for name in names}) == len(names)


@pytest.mark.parametrize("name", ["", "--x", "/", "../x", "a\nb", " a"])
def test_what_is_no_name_is_refused(name: str) -> None:
    """Among them options and paths."""
    with pytest.raises(InfraError, match="does not begin with a letter or digit"):
        stack_of_environment(name)
