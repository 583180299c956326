"""Stacks in the backend that the user has chosen: created where missing, with the salt that decrypts their secrets."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import local_state
import parts
from parts import SetupError, report


def select_stack(stack: str, variables: dict[str, str]) -> None:
    """Create a stack where it does not exist; raises SetupError where the backend cannot be asked."""
    result = _run(variables, "select", "--create", "--stack", stack)
    if result.returncode:
        report(result.stderr.strip())
        raise SetupError(f"the stack {stack} could not be selected; Pulumi's output is above")


def restore_salt(stack: str, variables: dict[str, str]) -> None:
    """Write the salt of a stack's secrets into its file where that lacks it, as in a checkout of a CI job.

    Pulumi would make a new one there, which decrypts neither the state nor a saved plan. A backend that cannot be asked
    is left to the verb that follows, which says so.
    """
    settings = parts.ROOT / f"Pulumi.{stack.rpartition('/')[2]}.yaml"
    text = settings.read_text("utf-8") if settings.exists() else ""
    if local_state.SALT.search(text) or local_state.OTHER_PROVIDER.search(text):
        return
    result = _run(variables, "export", "--stack", stack)
    salt = "" if result.returncode else _salt_in(json.loads(result.stdout))
    if salt:
        settings.write_text(f"{text.rstrip()}\nencryptionsalt: {salt}\n".lstrip(), encoding="utf-8")


def _salt_in(export: dict[str, Any]) -> str:
    """Return the salt in a state, '' where its secrets have another provider."""
    deployment: dict[str, Any] = export.get("deployment") or {}
    provider: dict[str, Any] = deployment.get("secrets_providers") or {}
    state: dict[str, Any] = provider.get("state") or {}
    return str(state.get("salt") or "")


def _run(variables: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["pulumi", "stack", *arguments, "--non-interactive"]
    return subprocess.run(command, cwd=parts.ROOT, env=variables, capture_output=True, text=True, check=False)
