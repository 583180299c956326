"""Which stacks there are, by their files, and how a person types a target for one of them."""

from __future__ import annotations

import difflib
import re

from parts import ROOT, SetupError

_PERSISTENT = re.compile(r"""^\s+["']?[\w-]+:lifecycle["']?\s*:\s*["']?persistent\b""", re.MULTILINE)


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


def refuse_persistent(stack: str) -> None:
    """Raise SetupError where a stack's file says that nothing of it is ever dropped, with the way to drop it."""
    path = ROOT / f"Pulumi.{stack.rpartition('/')[2]}.yaml"
    text = path.read_text("utf-8") if path.exists() else ""
    if _PERSISTENT.search(text):
        raise SetupError(
            f"the stack {stack} is persistent, and nothing was removed; to remove it with its data, set lifecycle: "
            f"ephemeral in {path.name}, run `{typed('up', stack)}`, then `{typed('destroy', stack)}`"
        )


def typed(target: str, stack: str) -> str:
    """Return the command that a person types for a target."""
    return f"make {target}" if stack == "dev" else f"make {target} STACK={stack}"
