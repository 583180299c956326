"""What a killed `pulumi` leaves running is ended, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import parts
import pytest
from orphans import end_orphans

if TYPE_CHECKING:
    from collections.abc import Generator

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which process a plugin has lost")

SECONDS = 30


@contextmanager
def running(program: Path, variables: dict[str, str]) -> Generator[subprocess.Popen[bytes]]:
    """Run a program that waits, and end it after the block.

    The system tells its variables a moment after it has begun.
    """
    with subprocess.Popen([program, "1000"], env=variables) as process:
        try:
            while not Path("/proc", str(process.pid), "environ").read_bytes():
                time.sleep(0.01)
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("name", "variable", "ended"),
    [
        ("pulumi-resource-postgresql", "VIRTUAL_ENV", True),
        ("pulumi-language-python", "VIRTUAL_ENV", True),
        ("pulumi-resource-postgresql", "OTHER", False),
        ("postgres", "VIRTUAL_ENV", False),
    ],
)
def test_a_plugin_that_has_lost_its_pulumi_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, variable: str, *, ended: bool
) -> None:
    """Not one of another checkout, and no program of another name, such as the server that the run has started."""
    monkeypatch.setattr(parts, "VENV", tmp_path / ".venv")
    program = tmp_path / name
    shutil.copy2(shutil.which("sleep") or "", program)
    with running(program, {variable: str(parts.VENV)}) as process:
        end_orphans()
        if ended:
            assert process.wait(SECONDS) < 0
        else:
            assert process.poll() is None


def test_the_python_of_a_plugin_goes_and_stays_with_its_pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that is a plugin starts it for the resources; killed before the first one it would never end."""
    monkeypatch.setattr(parts, "VENV", tmp_path / ".venv")
    plugin, pulumi = tmp_path / "pulumi-resource-pulumi-python", tmp_path / "pulumi"
    for shell in (plugin, pulumi):
        shutil.copy2(shutil.which("dash") or shutil.which("sh") or "", shell)
    (tmp_path / "pulumi.dynamic").write_text("sleep 1000\n")
    script = tmp_path / "script"
    script.write_text("cd $1; sh pulumi.dynamic & echo $!; wait\n")
    command = [str(pulumi), "-c", f"{plugin} {script} {tmp_path}; true"]
    with subprocess.Popen(command, env={"VIRTUAL_ENV": str(parts.VENV)}, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        host = Path("/proc") / parent.stdout.readline().decode().strip()
        end_orphans()
        assert is_alive(host)
        parent.kill()
        parent.wait()
        end_orphans()
        deadline = time.monotonic() + SECONDS
        while is_alive(host):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def is_alive(process: Path) -> bool:
    """Return whether a process runs; one that has ended may wait for its parent to take note."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_plugin_of_a_pulumi_that_runs_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its parent is called pulumi."""
    monkeypatch.setattr(parts, "VENV", tmp_path / ".venv")
    plugin, pulumi = tmp_path / "pulumi-resource-postgresql", tmp_path / "pulumi"
    shutil.copy2(shutil.which("sleep") or "", plugin)
    shutil.copy2(shutil.which("dash") or shutil.which("sh") or "", pulumi)
    command = [str(pulumi), "-c", f"{plugin} 1000 & echo $!; wait"]
    with subprocess.Popen(command, env={"VIRTUAL_ENV": str(parts.VENV)}, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        child = Path("/proc") / parent.stdout.readline().decode().strip()
        end_orphans()
        assert child.exists()
        assert "Z" not in (child / "stat").read_text().rpartition(")")[2].split()[0]
        parent.kill()
        parent.wait()
        end_orphans()
