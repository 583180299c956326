"""Which stacks there are, by their files, and how a person types a target for one of them."""

from __future__ import annotations

import difflib

from parts import ROOT, SetupError


def stack_files() -> list[str]:
    """Return the names of the stacks that have a file, sorted."""
    return sorted(path.name.split(".", 1)[1].removesuffix(".yaml") for path in ROOT.glob("Pulumi.*.yaml"))


def require_settings(stack: str) -> None:
    """Raise SetupError where a stack has no file, with the stacks that have one."""
    name, known = stack.rpartition("/")[2], stack_files()
    if name in known:
        return
    spelled = {other.lower(): other for other in known}
    near = difflib.get_close_matches(name.lower(), spelled, n=1)
    meant = f"did you mean STACK={spelled[near[0]]}? " if near else ""
    raise SetupError(
        f"there is no stack {name}, because there is no file Pulumi.{name}.yaml; {meant}"
        f"the stacks are {', '.join(known)}. For a new one, copy the file of one of them"
    )


def typed(target: str, stack: str) -> str:
    """Return the command that a person types for a target."""
    return f"make {target}" if stack == "dev" else f"make {target} STACK={stack}"
