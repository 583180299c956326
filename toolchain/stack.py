"""`make up` and the other targets for a stack: they run the setup, create the stack, and then start `pulumi`."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from environment import environment, has_own_backend
from local_state import ensure_stack, remove_stack, stack_exists
from make_arguments import pulumi_arguments, stack_variable
from parts import ROOT, SetupError, report
from setup import set_up

if TYPE_CHECKING:
    from types import FrameType

VERBS: dict[str, list[str]] = {
    "up": ["--yes", "--skip-preview"],
    "preview": [],
    "refresh": ["--yes", "--skip-preview"],
    "destroy": ["--yes", "--skip-preview"],
    "outputs": [],
    "psql": [],
    "accept": [],
    "cancel": ["--yes"],
    "shell": [],
}

ALLOW_LOSS = "--allow-loss"
LOSSES = "PLATFORM_POSTGRES_LOSSES"
"""The variable with the file in which a run says which rows it would lose, instead of losing them."""


def main() -> int:
    """Run one verb on the stack of STACK, with ARGS for `pulumi`; the exit status is Pulumi's, or 2."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verb", choices=VERBS)
    verb = parser.parse_args().verb
    try:
        stack, further = stack_variable(), pulumi_arguments()
        set_up(development=False, stack=stack)
        return run(verb, stack, further)
    except SetupError as error:
        report(f"setup: {error}")
        return 2


def run(verb: str, stack: str, further: list[str]) -> int:
    """Run a verb, and return its exit status; raises SetupError when something is missing."""
    variables = environment()
    if verb == "shell":
        changed = {name: value for name, value in variables.items() if os.environ.get(name) != value}
        print("\n".join(f"export {name}={shlex.quote(value)}" for name, value in changed.items()))
        return 0
    if verb in {"psql", "accept"}:
        outputs = _outputs(stack, variables)
        database = _database(os.environ.get("DB", ""), outputs)
        act = psql if verb == "psql" else accept
        return act(stack, database, outputs, variables)
    if verb == "outputs":
        return pulumi(["stack", "output", "--stack", stack, *further], variables)
    if verb == "cancel":
        return pulumi(["cancel", stack, *VERBS[verb], *further], variables)
    if verb == "destroy" and not has_own_backend() and not stack_exists(stack):
        report(f"there is no stack {stack}: nothing to destroy")
        return 0
    configuration = [] if has_own_backend() else ["--config-file", str(ensure_stack(stack, variables))]
    if has_own_backend():
        _select_stack(stack, variables)
    arguments = [verb, "--stack", stack, *configuration, *VERBS[verb]]
    run_pulumi = up_without_loss if verb == "up" and ALLOW_LOSS not in further else pulumi
    status = run_pulumi([*arguments, *(word for word in further if word != ALLOW_LOSS)], variables)
    if verb == "destroy" and not status and not has_own_backend():
        remove_stack(stack, variables)
    return status


def up_without_loss(arguments: list[str], variables: dict[str, str]) -> int:
    """Run `up`; where it would lose rows, ask on a terminal whether it may, and end in an error elsewhere.

    What is lost is not known before the run has looked; it then says so in a file, and does nothing to that database.
    """
    with tempfile.NamedTemporaryFile("r", prefix="losses-") as file:
        status = pulumi(arguments, {**variables, LOSSES: file.name})
        losses = file.read()
    if not losses:
        return status
    report(f"`up` would lose rows that no module inserted, and has changed nothing there:\n{losses.rstrip()}")
    if not sys.stdin.isatty():
        report(f"to drop them: make up ARGS={ALLOW_LOSS}")
        return status
    if input("drop them? (y/N) ").strip().lower() not in {"y", "yes"}:
        return status
    return pulumi(arguments, variables)


def pulumi(arguments: list[str], variables: dict[str, str]) -> int:
    """Run `pulumi` and return its exit status.

    A shell starts background jobs with SIGINT ignored, and children inherit that. With a function as its handler here,
    `pulumi` starts with the default action instead (execve(2)).
    """
    program = shutil.which("pulumi", path=variables["PATH"])
    if not program:
        raise SetupError("`pulumi` is not installed; run `make setup`")
    signal.signal(signal.SIGINT, _ignore_interrupt)
    return subprocess.Popen([program, *arguments], cwd=ROOT, env=variables).wait()


def _ignore_interrupt(_number: int, _frame: FrameType | None) -> None:
    """Return without doing anything: Ctrl-C reaches Pulumi itself, which ends when its operations have."""


def _select_stack(stack: str, variables: dict[str, str]) -> None:
    """Create the stack in the user's own backend where it does not exist."""
    command = ["pulumi", "stack", "select", "--create", "--stack", stack, "--non-interactive"]
    result = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    if result.returncode:
        report(result.stderr.strip())
        raise SetupError(f"the stack {stack} could not be selected; Pulumi's output is above")


def psql(_stack: str, database: str, outputs: dict[str, Any], variables: dict[str, str]) -> int:
    """Replace this process by psql on a database of the stack; the password is in the environment, not in an argument.

    Raises SetupError when there is no role ROLE.
    """
    role, roles = os.environ.get("ROLE", ""), outputs["connections"][database]
    if (role or "migrator") not in roles:
        raise SetupError(f"there is no role {role}; the database has {', '.join(roles)}")
    program = outputs.get("psql") or shutil.which("psql", path=variables["PATH"])
    if not program:
        raise SetupError("psql is not installed; install postgresql-client")
    os.execve(program, ["psql"], {**variables, **roles[role or "migrator"]})  # noqa: S606 (no shell is wanted)


def accept(stack: str, database: str, outputs: dict[str, Any], variables: dict[str, str]) -> int:
    """Run `infra accept` on a database of the stack as its migrator, and return its exit status."""
    dsn = outputs["dsn"][database]["migrator"]
    command = [str(ROOT / ".venv/bin/python"), "-m", "infra", "accept", "--stack", stack]
    return subprocess.run(command, cwd=ROOT, env={**variables, "DSN": dsn}, check=False).returncode


def _outputs(stack: str, variables: dict[str, str]) -> dict[str, Any]:
    """Return the outputs of a stack, secrets included; raises SetupError where it has no database."""
    result = subprocess.run(
        ["pulumi", "stack", "output", "--json", "--show-secrets", "--stack", stack],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    outputs = json.loads(result.stdout or "{}")
    if "connections" not in outputs:
        raise SetupError(f"the stack {stack} has no database yet; run `make up STACK={stack}`")
    return outputs


def _database(name: str, outputs: dict[str, Any]) -> str:
    """Return a database of a stack, the first for ''; raises SetupError for one that it has not."""
    connections = outputs["connections"]
    if name and name not in connections:
        raise SetupError(f"there is no database {name}; the stack has {', '.join(connections)}")
    return name or next(iter(connections))


if __name__ == "__main__":
    sys.exit(main())
