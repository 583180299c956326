"""`make test`, `make check` and the other targets for development: they run a Python module of .venv with ARGS."""

from __future__ import annotations

import os
import sys

from environment import environment, has_own_backend
from make_arguments import further_arguments
from parts import VENV, SetupError, report


def main() -> int:
    """Replace this process by .venv's Python with the arguments of the command line and those in ARGS.

    The project's own commands find `pulumi` where the state is in a backend of the user's own: a stack without a file
    of connection strings (`env_file: false`) has them in its outputs alone.
    """
    python = VENV / "bin" / "python"
    try:
        command = [str(python), *sys.argv[1:], *further_arguments()]
        variables = os.environ | environment() if sys.argv[1:3] == ["-m", "infra"] and has_own_backend() else os.environ
        os.execve(python, command, variables)  # noqa: S606 (no shell is wanted)
    except SetupError as error:
        report(f"setup: {error}")
        return 2


if __name__ == "__main__":
    sys.exit(main())
