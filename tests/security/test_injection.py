"""What is given to `make` is data: no shell and no make runs it, wherever it comes from and whatever it contains."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from make_arguments import pulumi_arguments, stack_variable
from parts import SetupError

ROOT = Path(__file__).parents[2]
VARIABLES: tuple[str, ...] = ("STACK", "DB", "ROLE", "ARGS", "SETUP", "NAME")
TARGETS = ("setup", "psql", "up")
"""Targets that use each of them; all end at once, because STACK is not the name of a stack."""

ATTACKS = {
    "closes a quotation": "x';touch {trap};'",
    "closes another quotation": 'x";touch {trap};"',
    "is a command for make": "$(shell touch {trap})",
    "is a definition for make": "$(eval X := $(shell touch {trap}))",
    "is a command for a shell": "$(touch {trap})",
    "is a command in backticks": "`touch {trap}`",
    "is a second line": "x\ntouch {trap}",
    "is escaped for make": "$$(touch {trap})",
    "ends a command": "x; touch {trap} #",
    "begins a pipe": "x | touch {trap}",
}


def make(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run `make` in this checkout."""
    variables = {**os.environ, **(environment or {})}
    command = ["make", "-s", *arguments]
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("origin", ["command line", pytest.param("environment", marks=pytest.mark.full)])
def test_a_variable_is_never_run(origin: str, attack: str, tmp_path: Path) -> None:
    """STACK, DB, ROLE, ARGS, SETUP and NAME reach the programs as they were typed, and not as a command."""
    trap = tmp_path / "trap"
    values = dict.fromkeys(VARIABLES, ATTACKS[attack].format(trap=trap))
    if origin == "environment":
        result = make("--keep-going", *TARGETS, environment=values)
    else:
        result = make("--keep-going", *TARGETS, *(f"{name}={text}" for name, text in values.items()))
    assert not trap.exists()
    assert result.stderr.count("is not a valid name") == len(TARGETS), result.stderr
    assert "Traceback" not in result.stderr


def test_the_name_of_an_environment_is_never_run(tmp_path: Path) -> None:
    """It reaches the command as one word, whatever it has."""
    trap = tmp_path / "trap"
    result = make("env-down", f"NAME=x'$(touch {trap}) `touch {trap}`; touch {trap} | tee {trap} --prove")
    assert not trap.exists()
    assert (result.returncode, "nothing to remove" in result.stdout) == (0, True), result.stderr


def test_arguments_for_a_command_are_never_run(tmp_path: Path) -> None:
    """A target for development hands ARGS to its command, which refuses words that it does not know."""
    trap = tmp_path / "trap"
    result = make("docs", f"ARGS=$(touch {trap}) `touch {trap}`; touch {trap} | tee {trap} > {trap}")
    assert not trap.exists()
    assert result.returncode == 2
    assert "$(touch" in result.stderr


@pytest.mark.parametrize(
    ("stack", "is_name"),
    [
        ("dev", True),
        ("organization/platform-postgres/dev", True),
        ("a.b-c_D9", True),
        ("-x", False),
        ("--help", False),
        ("organization/--help", False),
        ("../dev", False),
        ("a/../../b", False),
        ("/etc/x", False),
        ("dev\n", False),
        ("d\u00e9v", False),
        ("a" * 101, False),
    ],
)
def test_a_stack_is_a_name_and_nothing_else(stack: str, is_name: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 (a case)
    """What is an option, a path, or more than one line is refused before any program gets it."""
    monkeypatch.setenv("STACK", stack)
    if is_name:
        assert stack_variable() == stack
        return
    with pytest.raises(SetupError, match="is not a valid name"):
        stack_variable()


def test_arguments_are_split_as_a_shell_splits_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quotations and backslashes work as they do on a command line; nothing is substituted."""
    monkeypatch.setenv("ARGS", """--message 'two words' a\\ b "$HOME" *.sql $(id)""")
    assert pulumi_arguments() == ["--message", "two words", "a b", "$HOME", "*.sql", "$(id)"]
    monkeypatch.setenv("ARGS", "'open")
    with pytest.raises(SetupError, match="close the quotation"):
        pulumi_arguments()


@pytest.mark.parametrize("option", ["--stack=prod", "--stack prod", "-s prod", "-sprod", "--config-file /tmp/x.yaml"])
def test_arguments_do_not_name_another_stack(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """ARGS cannot direct a target at another stack than the one whose settings and state it uses."""
    monkeypatch.setenv("ARGS", f"--diff {option}")
    with pytest.raises(SetupError, match="name the stack by STACK=name instead"):
        pulumi_arguments()
