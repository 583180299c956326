"""Stacks of the checkout's own state: made, put together with their secrets' salt, and forgotten without a trace."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from environment import STATE
from parts import ROOT, SetupError, say

if TYPE_CHECKING:
    from pathlib import Path


def _name() -> str:
    found = re.search(r"^name: *(\S+)", (ROOT / "Pulumi.yaml").read_text(), re.MULTILINE)
    if not found:
        raise SetupError("Pulumi.yaml names no project; restore its line `name:`")
    return found[1]


def is_known(stack: str) -> bool:
    return (STATE / "backend" / ".pulumi" / "stacks" / _name() / f"{stack}.json").exists()


def make_known(stack: str, variables: dict[str, str]) -> Path:
    """Make a stack of the local state, and give its settings together with the salt of its secrets.

    Pulumi keeps the salt in Pulumi.<stack>.yaml. With a passphrase of this checkout's own it must not get into the file
    that is committed, or nobody else could use it; so both are put together in .state/.
    """
    settings = ROOT / f"Pulumi.{stack}.yaml"
    if not settings.exists():
        raise SetupError(f"{settings.name} does not exist; copy Pulumi.dev.yaml to it and edit that")
    folder = STATE / "config"
    salt = folder / f"{stack}.salt"
    if not is_known(stack) or not salt.exists():
        _init(stack, salt, variables)
    merged = folder / f"Pulumi.{stack}.yaml"
    text = settings.read_text()
    if "encryptionsalt:" not in text:
        text = f"{text.rstrip()}\n{salt.read_text()}"
    if not merged.exists() or merged.read_text() != text:
        merged.write_text(text)
    return merged


def _init(stack: str, salt: Path, variables: dict[str, str]) -> None:
    """Make the stack from a folder with nothing but the project's name, where Pulumi may write what it likes."""
    folder = STATE / "config" / "init"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text(f"name: {_name()}\nruntime: python\n")
    command = ["pulumi", "stack", "init" if not is_known(stack) else "change-secrets-provider"]
    command += ["--stack", stack] if is_known(stack) else [stack, "--no-select"]
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    made = folder / f"Pulumi.{stack}.yaml"
    if done.returncode or not made.exists():
        say(done.stderr.strip())
        raise SetupError(f"the stack {stack} could not be made in .state/, Pulumi's own words stand above")
    salt.write_text(made.read_text())
    shutil.rmtree(folder)


def forget(stack: str, variables: dict[str, str]) -> None:
    """Remove a destroyed stack from the local state, and the state itself with the last one; one with a rest stays."""
    done = subprocess.run(
        ["pulumi", "stack", "rm", "--yes", "--preserve-config", "--stack", stack],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        say(f"the stack {stack} is kept: it still has resources")
        return
    say(f"the stack {stack} is removed, with its history")
    stacks = STATE / "backend" / ".pulumi" / "stacks"
    if not any(stacks.rglob("*.json")):
        shutil.rmtree(STATE)
        return
    for name in (f"{stack}.salt", f"Pulumi.{stack}.yaml"):
        (STATE / "config" / name).unlink(missing_ok=True)
