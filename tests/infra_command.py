"""Commands of `python -m infra`, run in this process: an interpreter of their own would import SQLAlchemy again."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
from pathlib import Path

from infra.cli import main

ROOT = Path(__file__).parents[1]


def run_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in this checkout, and return its exit status and output."""
    out, err, folder, status = io.StringIO(), io.StringIO(), Path.cwd(), 0
    os.chdir(ROOT)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main(arguments)
    except SystemExit as ended:
        status = int(ended.code or 0)
    finally:
        os.chdir(folder)
    return subprocess.CompletedProcess(arguments, status, out.getvalue(), err.getvalue())
