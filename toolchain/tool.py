"""`make test`, `make check` and the other targets for development: they run a Python module of .venv with ARGS."""

from __future__ import annotations

import os
import sys

from make_arguments import further_arguments
from parts import VENV, SetupError, report


def main() -> int:
    """Replace this process by .venv's Python with the arguments of the command line and those in ARGS."""
    python = VENV / "bin" / "python"
    try:
        os.execv(python, [str(python), *sys.argv[1:], *further_arguments()])  # noqa: S606 (no shell is wanted)
    except SetupError as error:
        report(f"setup: {error}")
        return 2


if __name__ == "__main__":
    sys.exit(main())
