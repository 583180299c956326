"""The output of `check`: the example in docs/check.md, the formats, the exit status."""

from __future__ import annotations

import fcntl
import json
import re
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.database.check.test_check import ROOT, Edit, edit_module
from tests.fixture_schema import MODULE_NAMES
from tests.infra_command import run_command

if TYPE_CHECKING:
    from infra.check.checker import CheckedProject

pytest_plugins = ["tests.database.scratch_server"]

REMOVAL_SECONDS = 15
"""After that nothing is left of runs that tests of other workers have killed either."""

EDITS = [
    Edit("02-init-customers.sql", "    full_name  varchar,", "    full_name  varchar(80) NOT NULL,"),
    Edit(
        "08-init-constraints.sql",
        "FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE NO ACTION",
        "FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE",
    ),
]


def run_check(project: CheckedProject, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command; in its output the fixture's directories have the names of a project's."""
    process = run_command("check", "--directory", str(project.directory), *arguments)
    process.stdout = process.stdout.replace(str(project.directory), "sql").replace(
        "tests/fixture_schema/models", "models"
    )
    assert "Traceback" not in process.stderr
    return process


def page() -> str:
    return (ROOT / "docs" / "check.md").read_text(encoding="utf-8")


def test_the_page_shows_what_a_failing_check_prints(project: CheckedProject, private: str) -> None:
    """The block in docs/check.md is exactly the output for the two edits that it names."""
    for edit in EDITS:
        edit_module(project, edit)
    process = run_check(project, "--dsn", private)
    assert (process.returncode, process.stderr) == (1, "")
    assert f"```\n{process.stdout}```\n" in page()


def test_every_format_has_the_findings(project: CheckedProject, private: str) -> None:
    """JSON, SARIF and GitHub's commands have the same findings as the text, and the same exit status."""
    edit_module(project, EDITS[1])
    processes = {form: run_check(project, "--dsn", private, "--format", form) for form in ("json", "sarif", "github")}
    assert {process.returncode for process in processes.values()} == {1}
    codes = [finding["code"] for finding in json.loads(processes["json"].stdout)["findings"]]
    assert codes == ["C115", "C103"]
    (run,) = json.loads(processes["sarif"].stdout)["runs"]
    assert [result["ruleId"] for result in run["results"]] == codes
    assert run["tool"]["driver"]["name"] == "platform-postgres check"
    assert re.findall(r"^::error .*title=(C\d+)::", processes["github"].stdout, re.MULTILINE) == codes


def test_a_clean_check_says_so_and_exits_0(project: CheckedProject, private: str) -> None:
    """A note says what was not compared; the last line says that nothing differs."""
    process = run_check(project, "--dsn", private)
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.splitlines()[-1] == "nothing differs"
    assert "note: not compared: rows of tables, where sequences stand, roles" in process.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--dsn", "host=127.0.0.1 port=1 user=x password=secret dbname=y"],
            "database y: cannot be connected to: connection",
        ),
        (["--live", "postgresql://x:secret@127.0.0.1:1/y"], "y: cannot be connected to: connection"),
        (["--live", "postgresql://x:secret@[::1"], "is no connection string that libpq can read"),
        (["--stack", "nowhere"], "stack nowhere: there is no Pulumi.nowhere.yaml"),
        (["--directory", "/nowhere"], "/nowhere: no such directory"),
    ],
)
def test_what_could_not_run_exits_2(project: CheckedProject, arguments: list[str], message: str) -> None:
    """A check that could not run prints one sentence on stderr, without a password, and nothing on stdout."""
    process = run_check(project, *arguments)
    assert (process.returncode, process.stdout) == (2, "")
    assert message in process.stderr
    assert "secret" not in process.stderr
    assert len(process.stderr.splitlines()) == 1


def is_abandoned(lock: Path) -> bool:
    """Return whether no run holds the lock of a private server, which those of other processes do."""
    try:
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return True
    except (BlockingIOError, FileNotFoundError):
        return False


def test_a_whole_check_with_a_server_of_its_own(project: CheckedProject) -> None:
    """Without --dsn it starts a server of its own, finds an edit, and leaves no files behind."""
    edit_module(project, EDITS[0])
    process = run_check(project)
    assert process.returncode == 1
    assert "C103 column public.customers.full_name differs between the models and the modules" in process.stdout
    deadline = time.monotonic() + REMOVAL_SECONDS
    while found := list(filter(is_abandoned, Path("/dev/shm").glob("platform-postgres-check-*/lock"))):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def test_a_password_is_in_no_command_line(
    project: CheckedProject, private: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password is passed to psql in the environment."""
    commands: list[list[str]] = []
    passwords: set[str] = set()
    run = subprocess.run

    def record(command: list[str], env: dict[str, str], **options: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        passwords.add(env["PGPASSWORD"])
        return run(command, env=env, **options)  # pyright: ignore[reportArgumentType, reportCallIssue, reportUnknownVariableType]

    monkeypatch.setattr("infra.check.by_psql.subprocess.run", record)
    from infra.check.checker import check_project  # noqa: PLC0415 (after the patch)

    assert check_project(project, private).findings == []
    assert len(commands) == len(MODULE_NAMES)
    (password,) = passwords
    administrator = private.partition("password=")[2].partition(" ")[0]
    assert [secret for secret in (password, administrator) if secret in str(commands)] == []
