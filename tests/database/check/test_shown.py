"""What a user sees of `check`: the output that docs/check.md shows, the formats, the exit status."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.database.check.test_check import ROOT, Edit, changed

if TYPE_CHECKING:
    from infra.check.checker import CheckedProject

pytest_plugins = ["tests.database.scratch_server"]

EDITS = [
    Edit("02-init-users-auth.sql", "    full_name        varchar,", "    full_name        varchar(80) NOT NULL,"),
    Edit(
        "08-init-constraints.sql",
        "FOREIGN KEY (user_id) REFERENCES userbase (id) ON DELETE NO ACTION",
        "FOREIGN KEY (user_id) REFERENCES userbase (id) ON DELETE CASCADE",
    ),
]


def shown(project: CheckedProject, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does, and show the copy of the modules as what it stands for."""
    command = [sys.executable, "-m", "infra", "check", "--directory", str(project.directory), *arguments]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    done.stdout = done.stdout.replace(str(project.directory), "sql")
    assert "Traceback" not in done.stderr
    return done


def page() -> str:
    return (ROOT / "docs" / "check.md").read_text(encoding="utf-8")


def test_the_page_shows_what_a_failing_check_prints(project: CheckedProject, private: str) -> None:
    """The block in docs/check.md is the real output for the edits that it speaks of, to the letter."""
    for edit in EDITS:
        changed(project, edit)
    done = shown(project, "--dsn", private)
    assert (done.returncode, done.stderr) == (1, "")
    assert f"```\n{done.stdout}```\n" in page()


def test_every_format_has_the_findings(project: CheckedProject, private: str) -> None:
    """json, SARIF and GitHub's commands say the same as the text, with the same exit status."""
    changed(project, EDITS[1])
    texts = {form: shown(project, "--dsn", private, "--format", form) for form in ("json", "sarif", "github")}
    assert {done.returncode for done in texts.values()} == {1}
    of_json = json.loads(texts["json"].stdout)
    codes = [one["code"] for one in of_json["findings"]]
    assert codes == ["C115", "C103"]
    (run,) = json.loads(texts["sarif"].stdout)["runs"]
    assert [one["ruleId"] for one in run["results"]] == codes
    assert run["tool"]["driver"]["name"] == "platform-postgres check"
    assert re.findall(r"^::error .*title=(C\d+)::", texts["github"].stdout, re.MULTILINE) == codes


def test_a_clean_check_says_so_and_exits_0(project: CheckedProject, private: str) -> None:
    """What was not compared stands above the last line, which says that nothing differs."""
    done = shown(project, "--dsn", private)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "nothing differs"
    assert "note: not compared: rows of tables, where sequences stand, roles" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--dsn", "host=127.0.0.1 port=1 user=x password=secret dbname=y"],
            "database y: cannot be entered: connection",
        ),
        (["--live", "postgresql://x:secret@127.0.0.1:1/y"], "y: cannot be entered: connection"),
        (["--live", "postgresql://x:secret@[::1"], "is no connection string that libpq can read"),
        (["--stack", "nowhere"], "stack nowhere: there is no Pulumi.nowhere.yaml"),
        (["--directory", "/nowhere"], "/nowhere: cannot be read"),
    ],
)
def test_what_could_not_run_exits_2(project: CheckedProject, arguments: list[str], said: str) -> None:
    """One sentence on stderr, without a password, and nothing on stdout."""
    done = shown(project, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "secret" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_whole_check_with_a_server_of_its_own(project: CheckedProject) -> None:
    """Without an address it starts its own server, sees an edit, and leaves nothing behind."""
    changed(project, EDITS[0])
    before = set(Path("/dev/shm").glob("platform-postgres-check-*"))
    done = shown(project)
    assert done.returncode == 1
    assert "C103 column public.userbase.full_name differs between the models and the modules" in done.stdout
    assert set(Path("/dev/shm").glob("platform-postgres-check-*")) <= before


def test_a_password_is_in_no_command_line(
    project: CheckedProject, private: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Psql gets it by the environment."""
    seen: list[list[str]] = []
    run = subprocess.run

    def watched(command: list[str], **more: object) -> subprocess.CompletedProcess[str]:
        seen.append(command)
        return run(command, **more)  # pyright: ignore[reportArgumentType, reportCallIssue, reportUnknownVariableType]

    monkeypatch.setattr("infra.check.by_psql.subprocess.run", watched)
    from infra.check.checker import check_project  # noqa: PLC0415 (after the patch)

    assert check_project(project, f"{private} password=hidden").findings == []
    assert len(seen) == 8
    assert "hidden" not in str(seen)
