"""What a killed run of these tests leaves: the next one removes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.program.project import ROOT
from tests.program.run_folder import remove_abandoned

RUN = """
import os, subprocess, sys
from pathlib import Path
from tests.program import run_folder
run_folder.PARENT = Path(sys.argv[1])
subprocess.Popen(["sleep", "60"], cwd=run_folder.new_checkout(), stdout=subprocess.DEVNULL)
print(run_folder.run_folder(), flush=True)
sys.stdin.read()
"""


def test_only_what_killed_runs_left_is_removed(tmp_path: Path) -> None:
    """Their folders go with what runs in them, as soon as another run begins; those of runs that live stay."""
    command = [sys.executable, "-c", RUN, str(tmp_path)]

    def start() -> tuple[subprocess.Popen[str], Path]:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        return process, Path(process.stdout.readline().strip())

    (killed, left), (living, kept) = start(), start()
    try:
        killed.kill()
        killed.communicate()
        assert sorted(tmp_path.iterdir()) == sorted([left, kept])
        other, third = start()
        assert sorted(tmp_path.iterdir()) == sorted([kept, third])
        other.kill()
        other.communicate()
    finally:
        living.kill()
        living.communicate()
    remove_abandoned(tmp_path)
    assert list(tmp_path.iterdir()) == []
