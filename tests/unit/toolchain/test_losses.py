"""What `make up` and the program have in common about rows that would be lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import losses

from infra.resources.actions import session


def test_both_name_the_same_variable() -> None:
    """The toolchain runs before anything is installed, and cannot import the program's constant."""
    assert losses.LOSSES == session.LOSSES


KILLED = """
import os, signal, sys
from pathlib import Path
import losses
with losses.losses_file(Path(sys.argv[1])):
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_file_of_a_killed_run_is_removed_by_the_next(tmp_path: Path) -> None:
    """The file of a run that goes on is left alone, and each removes its own, the last one the folder."""
    folder = tmp_path / "state" / "losses"
    with losses.losses_file(folder) as file:
        path = [*sys.path, str(Path(losses.__file__).parent)]
        variables = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
        subprocess.run([sys.executable, "-c", KILLED, str(folder)], env=variables, check=False)
        assert len(list(folder.iterdir())) == 2
        with losses.losses_file(folder) as other:
            assert {str(path) for path in folder.iterdir()} == {file.name, other.name}
    assert list(tmp_path.iterdir()) == []  # with a backend of one's own nothing else is in .state/
