"""`make env-up` and the other targets for environments: they run the setup, and then `python -m infra env`."""

from __future__ import annotations

import os
import subprocess
import sys

import local_state
from environment import environment, has_own_backend
from make_arguments import further_arguments
from parts import ROOT, VENV, SetupError, report, sentence_of
from setup import set_up

COMMANDS = ("up", "down", "list", "sweep", "template")
NAMED = ("up", "down")
"""Those that need NAME."""


def main() -> int:
    """Run a command for environments with NAME and the words of ARGS; the exit status is its own, or 2."""
    command = sys.argv[1]
    try:
        arguments = further_arguments()
        named = ["--", _name(command)] if command in NAMED else []
        set_up(development=False, stack=_template(arguments))
        variables = environment()
        if not has_own_backend():
            with local_state.locked_checkout():
                local_state.create_state()
                local_state.forget_killed_runs()
            variables |= local_state.state_variables()
        python = VENV / "bin" / "python"
        words = [str(python), "-m", "infra", "env", command, *arguments, *named]
        status = subprocess.run(words, cwd=ROOT, env=variables, check=False).returncode
        if not has_own_backend():
            with local_state.locked_checkout():
                local_state.remove_empty_state()
    except (SetupError, OSError) as error:
        report(f"setup: {sentence_of(error)}")
        return 2
    return status


def _name(command: str) -> str:
    """Return NAME, which the command itself checks; raises SetupError where it is missing."""
    name = os.environ.get("NAME")
    if not name:
        raise SetupError(f"name the environment: make env-{command} NAME=pr-12")
    return name


def _template(arguments: list[str]) -> str:
    """Return the stack whose file is the template: what its kind of server needs is installed."""
    for before, word in zip(["", *arguments], arguments, strict=False):
        if before == "--template":
            return word
        if word.startswith("--template="):
            return word.partition("=")[2]
    return "pr"


if __name__ == "__main__":
    sys.exit(main())
