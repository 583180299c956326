"""What `pulumi` runs: the settings of the stack, then its declaration; what is wrong is said without a traceback."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pulumi
from pulumi.runtime import get_config_env, get_config_secret_keys_env, sync_await

from infra.configuration import settings_of
from infra.errors import InfraError
from infra.modules.module import load_modules


def run() -> None:
    """Declare the current stack; pulumi.RunError is the one exception that Pulumi shows as its text alone."""
    _keep_debug_messages_here()
    stack = pulumi.get_stack()
    try:
        settings = settings_of(stack, pulumi.get_project(), get_config_env(), set(get_config_secret_keys_env()))
        modules = load_modules(Path(settings.modules.directory), shown_as=settings.modules.directory)
    except InfraError as error:
        raise pulumi.RunError(str(error)) from None
    from infra.admin_password import declare_admin_password  # noqa: PLC0415 (see _let_requests_go)

    password = declare_admin_password(settings)
    _let_requests_go()
    from infra.stack import declare  # noqa: PLC0415 (see _let_requests_go)

    declare(settings, modules, password, stack=stack)


def _keep_debug_messages_here() -> None:
    """Drop the SDK's debug messages, unless PLATFORM_POSTGRES_DEBUG is set.

    The SDK sends four for each resource, each a call that waits for the engine's answer, whether or not anybody asked
    for them with `--debug`: a quarter of the time of an `up` without changes (docs/performance.md).
    """
    if not os.environ.get("PLATFORM_POSTGRES_DEBUG"):
        pulumi.log.debug = _nobody_listens


def _nobody_listens(*_arguments: object, **_keywords: object) -> None:
    """Stand in for pulumi.log.debug."""


def _let_requests_go() -> None:
    """Send what is registered so far: Pulumi starts the dynamic resources' host while the rest is imported."""
    pump = sync_await._sync_await  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] (the SDK has no public way)
    pump(asyncio.sleep(0.005))
