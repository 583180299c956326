"""The workflows: few rights, thin steps, and each step run as a runner runs it, up to the program that make starts."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
import yaml

from tests.skips import skip_without
from tests.workflows import steps

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[3]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CI_RUN = "sudo --preserve-env=CI .ci/run"
SAME_REPOSITORY = "github.event.pull_request.head.repo.full_name == github.repository"
HOSTILE = "main$(touch ran)`touch ran`'\"; touch ran #"

CONTEXT = {
    "github.base_ref": HOSTILE,
    "github.token": "token-of-the-job",
    "github.workspace": "/workspace",
    "github.event.pull_request.number": "7",
    "vars.PULUMI_BACKEND_URL": "file:///state",
    "secrets.PULUMI_CONFIG_PASSPHRASE": "passphrase",
    "secrets.ADMIN_PASSWORD": "password",
    "steps.live.outputs.cache-matched-key && '--live=live.json' || ''": "--live=live.json",
}
"""What the expressions in the variables of steps stand for; the name of a branch is whatever somebody called it."""

RECORDER = """#!/bin/sh
[ "$1" = -c ] && exit 0
{ echo "$*"; env; } >>"$RECORD"
"""
"""Stands for Python, and for sudo: it writes down how it was called, and the variables that it was given."""

RUNS = {
    "ci.yml": [("--preserve-env=CI .ci/run", {"CI": "true"})],
    "deploy.yml": [
        ("toolchain/stack.py preview", {"STACK": "prod", "ARGS": "--save-plan=/workspace/plan.json"}),
        ("toolchain/stack.py up", {"STACK": "prod", "ARGS": "--plan=/workspace/plan.json"}),
    ],
    "drift.yml": [
        ("toolchain/tool.py -m infra status", {"STACK": "prod", "ARGS": "--json --output=live.json"}),
        ("toolchain/stack.py preview", {"STACK": "prod", "ARGS": "--expect-no-changes", "CI": "true"}),
    ],
    "environment.yml": [
        ("toolchain/environments.py up", {"NAME": "pr-7", "ARGS": "--ttl=72h", "ADMIN_PASSWORD": "password"}),
        ("toolchain/environments.py down", {"NAME": "pr-7", "PULUMI_CONFIG_PASSPHRASE": "passphrase"}),
    ],
    "review.yml": [
        ("toolchain/tool.py -m infra review", {"ARGS": f"--base=origin/{HOSTILE} --github --live=live.json"})
    ],
    "sweep.yml": [("toolchain/environments.py sweep", {"ARGS": "--apply", "PULUMI_BACKEND_URL": "file:///state"})],
}
"""What each workflow starts, step by step, with the variables that matter."""

ELSEWHERE = [
    ("toolchain/tool.py -m infra review", {"ARGS": "--base=origin/main --output=review.md"}),
    ("toolchain/environments.py up", {"NAME": "mr-7", "ARGS": "--ttl=72h"}),
    ("toolchain/environments.py down", {"NAME": "mr-7"}),
    ("toolchain/stack.py preview", {"STACK": "prod", "ARGS": "--save-plan=plan.json"}),
    ("toolchain/stack.py up", {"STACK": "prod", "ARGS": "--plan=plan.json"}),
    ("toolchain/tool.py -m infra status", {"STACK": "prod", "ARGS": "--json --output=live.json"}),
    ("toolchain/stack.py preview", {"STACK": "prod", "ARGS": "--expect-no-changes"}),
    ("toolchain/environments.py sweep", {"ARGS": "--apply"}),
]
"""What the forms for GitLab and for a shell in docs/pull-requests.md start, in their order."""


class Call(NamedTuple):
    """A program that a step started: its arguments in one line, and its variables."""

    arguments: str
    variables: Mapping[str, str]


class Runner:
    """A folder in which steps are run, with programs that write down how they were called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = folder / "record"
        for name in ("python3", "sudo"):
            folder.joinpath(name).write_text(RECORDER)
            folder.joinpath(name).chmod(0o755)

    def run(self, script: str, variables: Mapping[str, str]) -> Call:
        """Run a step as a runner does, and return the last program that it started."""
        self.record.unlink(missing_ok=True)
        environment = {
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "RECORD": str(self.record),
            "CI": "true",
            **variables,
        }
        makefile = f'make() {{ command make -f {shlex.quote(str(ROOT / "Makefile"))} "$@"; }}\n'
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", makefile + script]
        subprocess.run(command, cwd=self.folder, env=environment, check=True)
        assert not (self.folder / "ran").exists()
        calls = re.split(r"^(?=toolchain/|--preserve)", self.record.read_text("utf-8"), flags=re.MULTILINE)
        arguments, _, rest = calls[-1].partition("\n")
        return Call(arguments, dict(line.split("=", 1) for line in rest.splitlines() if "=" in line))


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """Return a folder for steps."""
    return Runner(tmp_path)


def started(call: Call, expected: tuple[str, Mapping[str, str]]) -> None:
    """Compare a call with the expected arguments and variables."""
    assert call.arguments == expected[0]
    assert {name: call.variables.get(name) for name in expected[1]} == dict(expected[1])


def found_by(*command: str) -> str:
    """Return what a program found, which exits with another status than 0 then; '' for nothing."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return (result.stdout or "no output") if result.returncode else ""


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_are_thin_pinned_and_have_few_rights(path: Path) -> None:
    """Steps are make targets, actions pinned by commit, rights given job by job; no branch's code has a secret."""
    text = path.read_text("utf-8")
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {}
    assert "pull_request_target" not in text
    assert workflow["concurrency"]["group"]
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 60
        assert ("environment" in job) == ("secrets." in str(job))  # whose rules say who may have them
        for step in job["steps"]:
            if "uses" in step:
                assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", step["uses"])
            else:
                assert step["run"] == CI_RUN or re.fullmatch(r"make [a-z-]+", step["run"])  # no expression in a shell


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_branch_of_a_fork_reaches_no_secret(path: Path) -> None:
    """No job that has one runs for it, no job leaves git's credentials to it, and none runs later in its stead."""
    workflow = yaml.safe_load(path.read_text("utf-8"))
    events = workflow[True]  # YAML 1.1 reads the key `on` as true
    assert not {"pull_request_target", "workflow_run", "issue_comment", "pull_request_review"} & set(
        [events] if isinstance(events, str) else events
    )
    for job in workflow["jobs"].values():
        if "pull_request" in events and "secrets." in str(job):
            assert SAME_REPOSITORY in job["if"].split(" && ")
        for step in job["steps"]:
            if str(step.get("uses", "")).startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_zizmor_finds_nothing_in_the_workflows() -> None:
    """No workflow has a mistake of security that zizmor knows, by the strictest of its measures."""
    zizmor = Path(sys.executable).with_name("zizmor")
    if not zizmor.exists():
        skip_without("zizmor", "make setup, with Python 3.11 or newer")
    assert found_by(str(zizmor), "--offline", "--persona=auditor", "--quiet", *map(str, WORKFLOWS)) == ""


@pytest.mark.full
def test_actionlint_finds_nothing_in_the_workflows() -> None:
    """No workflow has a mistake that actionlint knows; Go builds the version that toolchain/actionlint pins."""
    go = shutil.which("go")
    if not go:
        skip_without("Go", "install Go 1.26 or newer")
    assert found_by(go, "-C", str(ROOT / "toolchain/actionlint"), "tool", "actionlint", *map(str, WORKFLOWS)) == ""


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_each_step_starts_its_program(path: Path, runner: Runner) -> None:
    """A step reaches the program with what the event says as it is, whatever a branch is called."""
    calls = [runner.run(step.run, step.variables) for step in steps(path, CONTEXT)]
    assert len(calls) == len(RUNS[path.name])
    for call, expected in zip(calls, RUNS[path.name], strict=True):
        started(call, expected)


def test_a_merge_waits_for_a_person_and_is_not_cut_off() -> None:
    """The plan is made first; what carries it out needs the environment prod, and no later merge cancels it."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text("utf-8"))
    assert workflow["concurrency"] == {"group": "deploy-prod", "cancel-in-progress": False}
    assert workflow["jobs"]["up"]["environment"] == "prod"
    assert workflow["jobs"]["up"]["needs"] == "plan"
    assert workflow["jobs"]["plan"]["environment"] != "prod"


def test_other_ci_and_a_shell_do_the_same(runner: Runner) -> None:
    """The forms of docs/pull-requests.md for GitLab and for a plain shell start the same programs."""
    text = (ROOT / "docs/pull-requests.md").read_text("utf-8")
    gitlab = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[0])
    (shell,) = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    variables = {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main", "CI_MERGE_REQUEST_IID": "7", "number": "7"}
    of_gitlab = [line for job in gitlab.values() for line in job["script"]]
    of_shell = [line for line in shell.splitlines() if line.startswith("make ")]
    for lines in (of_gitlab, of_shell):
        assert len(lines) == len(ELSEWHERE)
        for line, (arguments, expected) in zip(lines, ELSEWHERE, strict=True):
            name = "mr-7" if lines is of_gitlab else "pr-7"
            wanted = {key: name if key == "NAME" else text for key, text in expected.items()}
            started(runner.run(line, variables), (arguments, wanted))
