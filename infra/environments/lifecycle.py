"""Brings an environment up, takes it down, and lists those that there are."""

from __future__ import annotations

import re
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from infra.check.stack_files import settings_of_stack
from infra.environments.lifetime import expiry_of, remaining
from infra.environments.naming import stack_of_environment
from infra.environments.proof import proved_gone
from infra.environments.pulumi_stacks import EnvironmentStack, PulumiStacks
from infra.environments.stack_file import file_of_stack, is_of_people, remove_stack_file, write_stack_file
from infra.environments.stack_state import missing_databases, salt_of, state_of
from infra.errors import InfraError
from infra.modules.decision import Lifecycle
from infra.postgres.connection.target import has_several_hosts
from infra.postgres.marks import as_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

SHOWN_ROLE = "app"
"""The role whose connection strings are shown."""


@dataclass(frozen=True)
class Environment:
    """An environment that is up: its stack, its expiry, and the application's connection string of each database."""

    name: str
    stack: str
    expires: str
    databases: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return asdict(self)


def bring_up(
    root: Path, name: str, *, ttl: str, template: str, show_secrets: bool, tell: Callable[[str], None]
) -> Environment:
    """Create or update an environment from Pulumi.<template>.yaml, wanted for `ttl` from now.

    Without `show_secrets` its connection strings have no password. Raises InfraError for a stack that is no
    environment, and for a template of a persistent stack; then nothing was changed.
    """
    stack, expires = stack_of_environment(name), expiry_of(ttl)
    stacks = PulumiStacks(root)
    exists = stack in stacks.names()
    if exists and not stacks.find(stack) and not stacks.is_unfinished(stack):
        raise _no_environment(stack)
    _require_ephemeral(root, template)
    is_new = not file_of_stack(root, stack).exists()
    salt = salt_of(stacks.exported(stack)) if exists and is_new else ""  # another checkout brought it up
    write_stack_file(root, stack, template, project=stacks.project, expires=expires, salt=salt)
    outputs = stacks.up(stack, name=name, expires=expires, tell=tell)
    dsns = {database: roles[SHOWN_ROLE] for database, roles in outputs["dsn"].items()}
    if not show_secrets:
        dsns = {database: without_password(dsn) for database, dsn in dsns.items()}
    return Environment(name, stack, as_clock(expires), dsns)


def take_down(root: Path, name: str, *, prove: bool, forget: bool, tell: Callable[[str], None]) -> str:
    """Destroy an environment and remove its stack and its file; return how that went, also for one that is not there.

    `prove` compares the server's catalog before and after, and raises InfraError where anything is left or something
    else has changed. `forget` removes the stack of a server that is gone for good, without asking it. Raises InfraError
    for a stack that is no environment.
    """
    stack = stack_of_environment(name)
    stacks = PulumiStacks(root)
    if stack not in stacks.names():
        remove_stack_file(root, stack)
        return f"there is no environment {name}: nothing to remove"
    found = stacks.find(stack)
    if not found and (not stacks.is_unfinished(stack) or is_of_people(root, stack)):
        raise _no_environment(stack)
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
        stacks.forget(stack)
        remove_stack_file(root, stack)
        return f"the stack of environment {found.name} is removed; what its server may still have, `env sweep` finds"
    state = state_of(stacks.exported(stack))
    with proved_gone(stack, state) if prove else nullcontext(list[str]()) as proved:
        several = state.target is not None and has_several_hosts(state.target)
        stacks.destroy(stack, tell, refresh=bool(missing_databases(state)), follow_primary=several)
    remove_stack_file(root, stack)
    return "; ".join([f"environment {found.name} is removed", *proved])


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


def without_password(dsn: str) -> str:
    """Return a connection URI without its password, every part of which is percent-encoded."""
    return re.sub(r"//([^:@/]+):[^@/]*@", r"//\1@", dsn)


def _require_ephemeral(root: Path, template: str) -> None:
    if settings_of_stack(root, template).lifecycle is not Lifecycle.EPHEMERAL:
        raise InfraError(
            "has lifecycle: persistent, and an environment is removed with its data",
            place=f"Pulumi.{template}.yaml",
            remedy="name the file of an ephemeral stack by --template",
        )


def _no_environment(stack: str) -> InfraError:
    return InfraError(
        "exists and was not made by `env up`; nothing was changed",
        place=f"stack {stack}",
        remedy="choose another name",
    )
