"""Brings an environment up: writes the file of its stack from a template, creates the stack, and runs `up`."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from infra.check.stack_files import dsns, settings_of_stack
from infra.environments.lifetime import expiry_of
from infra.environments.naming import stack_of_environment
from infra.environments.pulumi_stacks import PulumiStacks, no_environment
from infra.environments.stack_file import file_of_stack, remove_stack_file, write_stack_file
from infra.environments.stack_state import outputs_of, salt_of
from infra.errors import InfraError
from infra.modules.decision import Lifecycle
from infra.postgres.marks import as_clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from infra.settings.model import Settings

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
    settings = _settings_of_template(root, template)
    stacks = PulumiStacks(root)
    is_new = not file_of_stack(root, stack).exists()
    write_stack_file(root, stack, template, project=stacks.project, expires=expires)
    if not stacks.create(stack):
        if not stacks.find(stack) and not stacks.is_unfinished(stack):
            if is_new:
                remove_stack_file(root, stack)
            raise no_environment(stack)
        if is_new:  # another checkout brought it up
            salt = salt_of(stacks.exported(stack))
            write_stack_file(root, stack, template, project=stacks.project, expires=expires, salt=salt)
    stacks.up(stack, name=name, expires=expires, tell=tell)
    if settings.env_file and not settings.groups:  # quicker than to ask Pulumi
        found = dsns(root, stack, SHOWN_ROLE)
    else:
        found = [roles[SHOWN_ROLE] for roles in outputs_of(stacks.exported(stack))["dsn"].values()]
    shown = {database_of(dsn): dsn if show_secrets else without_password(dsn) for dsn in found}
    return Environment(name, stack, as_clock(expires), shown)


def database_of(dsn: str) -> str:
    """Return the name of the database in a connection URI."""
    return unquote(urlsplit(dsn).path[1:])


def without_password(dsn: str) -> str:
    """Return a connection URI without its password, every part of which is percent-encoded."""
    return re.sub(r"//([^:@/]+):[^@/]*@", r"//\1@", dsn)


def _settings_of_template(root: Path, template: str) -> Settings:
    settings = settings_of_stack(root, template)
    if settings.lifecycle is not Lifecycle.EPHEMERAL:
        raise InfraError(
            "has lifecycle: persistent, and an environment is removed with its data",
            place=f"Pulumi.{template}.yaml",
            remedy="name the file of an ephemeral stack by --template",
        )
    return settings
