"""`make up` and its sisters: set up, make the stack known, then hand over to `pulumi` itself."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from environment import environment, has_own_backend
from local_state import forget, is_known, make_known
from parts import ROOT, SetupError, say
from setup import set_up

if TYPE_CHECKING:
    from types import FrameType

VERBS: dict[str, list[str]] = {
    "up": ["--yes", "--skip-preview"],
    "preview": ["--diff"],
    "refresh": ["--yes", "--skip-preview"],
    "destroy": ["--yes", "--skip-preview"],
    "outputs": [],
    "psql": [],
    "cancel": ["--yes"],
    "shell": [],
}


def main() -> int:
    """Run one verb on one stack; further arguments go to `pulumi`. The exit status is Pulumi's, or 2."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verb", choices=VERBS)
    parser.add_argument("--stack", default="dev")
    parser.add_argument("--database", default="")
    parser.add_argument("--role", default="")
    wanted, further = parser.parse_known_args()
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", wanted.stack.rpartition("/")[2]):
        say(f"setup: STACK={wanted.stack} is no stack's name; use letters, digits, '_', '.' and '-'")
        return 2
    try:
        set_up(development=False, stack=wanted.stack)
        return run(wanted.verb, wanted.stack, wanted.database, wanted.role, further)
    except SetupError as error:
        say(f"setup: {error}")
        return 2


def run(verb: str, stack: str, database: str, role: str, further: list[str]) -> int:
    """Do what the verb says."""
    variables = environment()
    if verb == "shell":
        print(
            "\n".join(f"export {name}='{value}'" for name, value in variables.items() if os.environ.get(name) != value)
        )
        return 0
    if verb == "psql":
        return psql(stack, database, role, variables)
    if verb == "outputs":
        return pulumi(["stack", "output", "--stack", stack, *further], variables)
    if verb == "cancel":
        return pulumi(["cancel", stack, *VERBS[verb], *further], variables)
    if verb == "destroy" and not has_own_backend() and not is_known(stack):
        say(f"there is no stack {stack}: nothing to destroy")
        return 0
    configuration = [] if has_own_backend() else ["--config-file", str(make_known(stack, variables))]
    if has_own_backend():
        _select(stack, variables)
    status = pulumi([verb, "--stack", stack, *configuration, *VERBS[verb], *further], variables)
    if verb == "destroy" and not status and not has_own_backend():
        forget(stack, variables)
    return status


def pulumi(arguments: list[str], variables: dict[str, str]) -> int:
    """Run `pulumi`; SIGINT reaches it as a terminal sends it, also where a shell started us with it ignored."""
    found = shutil.which("pulumi", path=variables["PATH"])
    if not found:
        raise SetupError("`pulumi` is gone; run `make setup`")
    signal.signal(signal.SIGINT, _left_to_pulumi)
    return subprocess.Popen([found, *arguments], cwd=ROOT, env=variables).wait()


def _left_to_pulumi(_number: int, _frame: FrameType | None) -> None:
    """Wait on: Ctrl-C reaches Pulumi itself, which ends in its own time."""


def _select(stack: str, variables: dict[str, str]) -> None:
    """Make the stack in the user's own backend, when it is not there."""
    command = ["pulumi", "stack", "select", "--create", "--stack", stack, "--non-interactive"]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        say(done.stderr.strip())
        raise SetupError(f"the stack {stack} could not be selected, Pulumi's own words stand above")


def psql(stack: str, database: str, role: str, variables: dict[str, str]) -> int:
    """Open psql on a database of the stack; the password goes by the environment, not by the command line."""
    said = subprocess.run(
        ["pulumi", "stack", "output", "--json", "--show-secrets", "--stack", stack],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    outputs = json.loads(said.stdout or "{}")
    if "connections" not in outputs:
        raise SetupError(f"the stack {stack} has no database yet; run `make up STACK={stack}`")
    connections = outputs["connections"]
    name = database or next(iter(connections))
    if name not in connections:
        raise SetupError(f"there is no database {name}; there are {', '.join(connections)}")
    roles = connections[name]
    if (role or "migrator") not in roles:
        raise SetupError(f"there is no role {role}; there are {', '.join(roles)}")
    program = outputs.get("psql") or shutil.which("psql", path=variables["PATH"])
    if not program:
        raise SetupError("psql is not installed; install postgresql-client")
    os.execve(program, ["psql"], {**variables, **roles[role or "migrator"]})  # noqa: S606 (no shell is wanted)


if __name__ == "__main__":
    sys.exit(main())
