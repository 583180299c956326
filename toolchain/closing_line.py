"""How a target ended, in the last line that a person sees."""

from __future__ import annotations

from stack_names import typed

_LINES = {
    "up": (
        "the stack {stack} is complete; `{outputs}` shows its addresses and names",
        "failed, for the reasons above. What was completed before is kept; `{up}` continues from there",
    ),
    "preview": (
        "nothing was changed; `{up}` does what is shown above",
        "ended with an error, which is shown above. Nothing was changed",
    ),
    "refresh": (
        "the state of {stack} is what the server has; `{preview}` shows what `{up}` would change",
        "failed, for the reasons above; what could be read is in the state",
    ),
    "destroy": (
        "what the stack {stack} created is removed; Pulumi.{stack}.yaml is kept",
        "failed or was refused, for the reasons above; what is left is in the state",
    ),
    "outputs": (
        "these are of the last run of {stack} that was complete; `{outputs} ARGS=--show-secrets` shows the secrets",
        "could not be read, for the reasons above",
    ),
    "cancel": ("the lock of {stack} is released", "failed, for the reasons above"),
}
"""Of each target the end when it succeeded, and when it failed."""


def closing_line(verb: str, stack: str, *, failed: bool) -> str:
    """Return the last line of a target, with commands that can be typed."""
    targets = {target: typed(target, stack) for target in ("up", "preview", "outputs")}
    return f"{verb}: {_LINES[verb][failed].format(stack=stack, **targets)}"
