"""`pulumi` dies in the middle of a module: nothing of it stays, and the next run completes."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.program.conftest import new_checkout, removed
from tests.program.homes import Embedded
from tests.program.project import Project, finished, wait_until
from tests.program.state import processes_in

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Generator

pytestmark = pytest.mark.every_kind

GATE = 5151
MODULE = f"-- A table behind a gate.\nCREATE TABLE gated (a int);\nSELECT pg_advisory_xact_lock({GATE});\n"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%behind a gate%'"


@contextmanager
def held_in_a_module(project: Project) -> Generator[subprocess.Popen[str]]:
    """Start an `up` whose last module waits inside its transaction; its gate opens at the end."""
    project.add("sql/09-gated.sql", MODULE)
    with project.connect() as gate, project.connect() as eye:
        eye.autocommit = True
        gate.execute("SELECT pg_advisory_lock(%s)", (GATE,))
        process = project.start(*project.line("up"))
        wait_until(lambda: eye.execute(WAITING.encode()).fetchone() == (1,), "the module does not wait")
        yield process


def hosts(project: Project) -> list[int]:
    """Return the hosts of a project's dynamic resources."""
    commands = {pid: Path(f"/proc/{pid}/cmdline") for pid in processes_in(project.folder)}
    return [pid for pid, file in commands.items() if file.exists() and b"pulumi.dynamic" in file.read_bytes()]


@pytest.mark.full
def test_a_killed_run_leaves_nothing_behind_and_the_next_one_completes(project: Project) -> None:
    """After SIGKILL the host ends by itself and its transaction with it; `cancel` frees the state, `up` completes."""
    with held_in_a_module(project) as process:
        assert hosts(project)
        process.kill()
        process.wait()
        wait_until(lambda: not hosts(project), "the host of the dynamic resources runs on")
        with project.connect() as eye:
            eye.autocommit = True
            wait_until(lambda: eye.execute(WAITING.encode()).fetchone() == (0,), "the module's session runs on")
        assert project.tables("gated") == []
    if process.stdout:
        process.stdout.close()
    text = project.refused("up")
    assert "pulumi cancel" in text
    project.pulumi("cancel", "--yes", "--stack", project.stack)
    project.up("--refresh=false")
    assert project.tables("gated") == ["public.gated"]
    assert project.ledger()[-1] == "09"
    assert project.verb("preview", "--expect-no-changes").status == 0


def test_an_interrupted_run_ends_its_module_and_the_next_one_completes(project: Project) -> None:
    """After SIGINT the module that runs comes to its end, and the next `up` needs no `cancel`."""
    with held_in_a_module(project) as process:
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.5)
    done = finished(process)
    assert "Traceback" not in done.text
    text = project.up()
    assert project.tables("gated") == ["public.gated"], text
    assert project.ledger()[-1] == "09"


def test_a_removal_takes_a_server_whose_creation_was_killed(data_root: Path) -> None:
    """No state has it; a removal leaves neither its folder nor its lock."""
    home = Embedded(data_root)
    with removed(Project(new_checkout(), home)) as project:
        project.make()
        process = project.start(*project.line("up"))
        base = home.base(project)
        wait_until((base / "data.unfinished" / "base").exists, "initdb does not begin")
        while found := processes_in(project.folder):
            for pid in found:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        process.communicate()
        project.pulumi("cancel", "--yes", "--stack", project.stack)
        done = project.verb("destroy")
        assert done.status == 0, done.text
        assert not base.exists()
        assert not base.with_name(f"{base.name}.lock").exists()
