"""Takes an environment down, and lists those that there are."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from infra.check.stack_files import settings_of_stack
from infra.environments.lifetime import remaining
from infra.environments.naming import stack_of_environment
from infra.environments.proof import proved_gone
from infra.environments.pulumi_stacks import EnvironmentStack, PulumiStacks, no_environment
from infra.environments.stack_file import is_of_people, remove_stack_file
from infra.environments.stack_state import GoneServerError, missing_databases, state_of
from infra.errors import InfraError
from infra.postgres.connection.target import has_several_hosts
from infra.postgres.marks import as_clock
from infra.settings.model import ModuleSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


def take_down(root: Path, name: str, *, prove: bool, forget: bool, tell: Callable[[str], None]) -> str:
    """Destroy an environment and remove its stack and its file; return how that went, also for one that is not there.

    `prove` compares the server's catalog before and after, and raises InfraError where anything is left or something
    else has changed. Where nobody listens any more the stack is removed alone, and nothing can be proved; `forget` does
    so without asking the server. Raises InfraError for a stack that is no environment.
    """
    stack = stack_of_environment(name)
    stacks = PulumiStacks(root)
    if stack not in stacks.names():
        remove_stack_file(root, stack)
        return f"there is no environment {name}: nothing to remove"
    found = stacks.find(stack)
    if not found and (not stacks.is_unfinished(stack) or is_of_people(root, stack)):
        raise no_environment(stack)
    if not found:
        stacks.forget(stack)
        remove_stack_file(root, stack)
        return f"environment {name} is removed: it had nothing yet"
    return remove_environment(root, stacks, found, prove=prove, forget=forget, tell=tell)


def remove_environment(
    root: Path,
    stacks: PulumiStacks,
    found: EnvironmentStack,
    *,
    tell: Callable[[str], None],
    prove: bool = False,
    forget: bool = False,
) -> str:
    """Destroy the stack of an environment, and remove it with its file; return how that went."""
    stack = found.stack
    if forget:
        _forget(root, stacks, stack, tell)
        return f"the stack of environment {found.name} is removed; what its server may still have, `env sweep` finds"
    state = state_of(stacks.exported(stack))
    try:
        missing = missing_databases(stack, state, wait=_seconds_to_wait(root, stack), tell=tell)
    except GoneServerError as gone:
        if prove:
            raise
        _forget(root, stacks, stack, tell)
        kept = f"should it come back, `env sweep` finds the databases {', '.join(sorted(state.databases))}"
        return f"the stack of environment {found.name} is removed: {gone.place} {gone.what}; {kept}"
    with proved_gone(stack, state) if prove else nullcontext(list[str]()) as proved:
        several = state.target is not None and has_several_hosts(state.target)
        stacks.destroy(stack, tell, refresh=bool(missing), follow_primary=several)
    remove_stack_file(root, stack)
    return "; ".join([f"environment {found.name} is removed", *proved])


def _forget(root: Path, stacks: PulumiStacks, stack: str, tell: Callable[[str], None]) -> None:
    """Remove what a stack has here: the passwords in its .env file, its state and its file."""
    stacks.remove_env_file(stack, tell)
    stacks.forget(stack)
    remove_stack_file(root, stack)


def _seconds_to_wait(root: Path, stack: str) -> float:
    """Return how long a server that does not answer is tried: the setting of the stack's file, where there is one."""
    try:
        return settings_of_stack(root, stack).modules.wait
    except InfraError:  # it is in another checkout, or the program has other settings by now
        return ModuleSettings().wait


def environments(root: Path, now: datetime | None = None) -> Sequence[dict[str, Any]]:
    """Return what is known of every environment."""
    now = now or datetime.now(timezone.utc)
    return [
        {
            "name": each.name,
            "stack": each.stack,
            "expires": as_clock(each.expires) if each.expires else None,
            "remaining": remaining(each.expires, now) if each.expires else "never",
            "resources": each.resources,
        }
        for each in PulumiStacks(root).environments()
    ]
