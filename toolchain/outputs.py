"""A stack's outputs: where its server is, and how psql connects to its databases."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import Any

import local_state
from environment import has_own_backend
from make_arguments import further_arguments
from parts import ROOT, SetupError, report
from stack_names import typed


def public_outputs(stack: str, variables: dict[str, str]) -> dict[str, Any]:
    """Return a stack's outputs without the secret ones: from the file of a local state, else from Pulumi."""
    if has_own_backend():
        return _outputs(stack, variables)
    resources: list[dict[str, Any]] = local_state.deployment_of(stack).get("resources") or []
    for resource in resources:
        if resource["type"] == "pulumi:pulumi:Stack":
            return resource.get("outputs") or {}
    return {}


def _outputs(stack: str, variables: dict[str, str], *options: str) -> dict[str, Any]:
    """Return a stack's outputs as Pulumi prints them; raises SetupError where it cannot."""
    command = ["pulumi", "stack", "output", "--json", *options, "--stack", stack]
    result = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    if result.returncode:
        report(result.stderr.strip())
        raise SetupError(f"the outputs of the stack {stack} could not be read; Pulumi's output is above")
    return json.loads(result.stdout or "{}")


def psql(stack: str, variables: dict[str, str]) -> int:
    """Replace this process by psql on the database in DB as the role in ROLE, with ARGS; no argument has the password.

    Raises SetupError when there is no such database or role.
    """
    outputs, database = _database(stack, variables)
    roles = outputs["connections"][database]
    role = os.environ.get("ROLE") or "migrator"
    if role not in roles:
        raise SetupError(f"there is no role {role}; the database has {', '.join(roles)}")
    program = outputs.get("psql") or shutil.which("psql", path=variables["PATH"])
    if not program:
        raise SetupError("psql is not installed; install postgresql-client")
    proof = {"PGREQUIREAUTH": "scram-sha-256"} if is_own(outputs) else {}
    os.execve(program, ["psql", *further_arguments()], {**variables, **roles[role], **proof})  # noqa: S606 (no shell is wanted)


def is_own(outputs: dict[str, Any]) -> bool:
    """Return whether a stack's server is its own: by SCRAM it proves that it knows the password, which is not sent."""
    return "log_file" in outputs or "container" in outputs


def accept(stack: str, variables: dict[str, str]) -> int:
    """Run `infra accept` on the database in DB as its migrator, and return its exit status.

    Raises SetupError when there is no such database.
    """
    outputs, database = _database(stack, variables)
    dsn: str = outputs["dsn"][database]["migrator"]
    if is_own(outputs):
        dsn += f"{'&' if '?' in dsn else '?'}require_auth=scram-sha-256"
    command = [str(ROOT / ".venv/bin/python"), "-m", "infra", "accept", "--stack", stack]
    return subprocess.run(command, cwd=ROOT, env={**variables, "DSN": dsn}, check=False).returncode


def _database(stack: str, variables: dict[str, str]) -> tuple[dict[str, Any], str]:
    """Return a stack's outputs with the secret ones, and which of its databases DB names: by default the first."""
    outputs = _outputs(stack, variables, "--show-secrets")
    if "connections" not in outputs:
        raise SetupError(f"the stack {stack} has no database yet; run `{typed('up', stack)}`")
    database = os.environ.get("DB") or next(iter(outputs["connections"]))
    if database not in outputs["connections"]:
        raise SetupError(f"there is no database {database}; the stack has {', '.join(outputs['connections'])}")
    return outputs, database
