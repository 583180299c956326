"""Stacks in the checkout's own state, .state/: created with the salt of their secrets, and removed."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from environment import STATE
from parts import ROOT, SetupError, report

if TYPE_CHECKING:
    from pathlib import Path


def _project_name() -> str:
    match = re.search(r"^name: *(\S+)", (ROOT / "Pulumi.yaml").read_text(), re.MULTILINE)
    if not match:
        raise SetupError("Pulumi.yaml names no project; restore its line `name:`")
    return match[1]


def stack_exists(stack: str) -> bool:
    """Return whether the local state has a stack."""
    return (STATE / "backend" / ".pulumi" / "stacks" / _project_name() / f"{stack}.json").exists()


def ensure_stack(stack: str, variables: dict[str, str]) -> Path:
    """Create a stack where it does not exist, and return a file of its settings with the salt of its secrets.

    Pulumi keeps the salt in Pulumi.<stack>.yaml. It belongs to this checkout's own passphrase, so in the committed file
    it would make the stack unusable for others; the file with both is in .state/.
    """
    settings = ROOT / f"Pulumi.{stack}.yaml"
    if not settings.exists():
        raise SetupError(f"{settings.name} does not exist; copy Pulumi.dev.yaml to it and edit that")
    folder = STATE / "config"
    salt = folder / f"{stack}.salt"
    if not stack_exists(stack) or not salt.exists():
        _init(stack, salt, variables)
    merged = folder / f"Pulumi.{stack}.yaml"
    text = settings.read_text()
    if "encryptionsalt:" not in text:
        text = f"{text.rstrip()}\n{salt.read_text()}"
    if not merged.exists() or merged.read_text() != text:
        merged.write_text(text)
    return merged


def _init(stack: str, salt: Path, variables: dict[str, str]) -> None:
    """Create the stack from a folder with nothing but the project's name, where Pulumi writes the salt."""
    folder = STATE / "config" / "init"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text(f"name: {_project_name()}\nruntime: python\n")
    command = ["pulumi", "stack", "init" if not stack_exists(stack) else "change-secrets-provider"]
    command += ["--stack", stack] if stack_exists(stack) else [stack, "--no-select"]
    result = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    written = folder / f"Pulumi.{stack}.yaml"
    if result.returncode or not written.exists():
        report(result.stderr.strip())
        raise SetupError(f"the stack {stack} could not be created in .state/; Pulumi's output is above")
    salt.write_text(written.read_text())
    shutil.rmtree(folder)


def remove_stack(stack: str, variables: dict[str, str]) -> None:
    """Remove a destroyed stack from the local state, and .state/ with the last stack.

    A stack that still has resources is kept: `pulumi stack rm` refuses to remove it.
    """
    result = subprocess.run(
        ["pulumi", "stack", "rm", "--yes", "--preserve-config", "--stack", stack],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        check=False,
    )
    if result.returncode:
        report(f"the stack {stack} is kept: it still has resources")
        return
    report(f"the stack {stack} is removed, with its history")
    stacks = STATE / "backend" / ".pulumi" / "stacks"
    if not any(stacks.rglob("*.json")):
        shutil.rmtree(STATE)
        return
    for name in (f"{stack}.salt", f"Pulumi.{stack}.yaml"):
        (STATE / "config" / name).unlink(missing_ok=True)
