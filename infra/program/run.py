"""What `pulumi` runs: the settings of the stack, then its declaration; what is wrong is said without a traceback."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pulumi
from pulumi.runtime import get_config_env, get_config_secret_keys_env, resource, sync_await
from pulumi.runtime.proto import source_pb2

from infra.errors import InfraError
from infra.modules.module import load_modules
from infra.settings.loader import settings_of

MESSAGE_WAS_SHOWN = 32
"""The exit status that tells Pulumi's language host to add nothing of its own."""


def run() -> None:
    """Declare the current stack, or end with what is wrong with its settings or files."""
    _keep_debug_messages_here()
    _keep_stack_traces_here()
    stack = pulumi.get_stack()
    try:
        settings = settings_of(stack, pulumi.get_project(), get_config_env(), set(get_config_secret_keys_env()))
        modules = load_modules(Path(settings.modules.directory), shown_as=settings.modules.directory)
    except InfraError as error:
        pulumi.log.error(str(error))
        sys.exit(MESSAGE_WAS_SHOWN)
    from infra.program.policy import declare_policy  # noqa: PLC0415 (see _let_requests_go)

    policy = declare_policy(settings)
    _let_requests_go()
    from infra.program.stack import declare  # noqa: PLC0415 (see _let_requests_go)

    try:
        declare(settings, modules, policy, stack=stack)
    except InfraError as error:
        pulumi.log.error(str(error))
        sys.exit(MESSAGE_WAS_SHOWN)


def _keep_debug_messages_here() -> None:
    """Drop the SDK's debug messages, unless PLATFORM_POSTGRES_DEBUG is set.

    The SDK sends four for each resource, each a call that waits for the engine's answer, whether or not anybody asked
    for them with `--debug`: a quarter of the time of an `up` without changes (docs/performance.md).
    """
    if not os.environ.get("PLATFORM_POSTGRES_DEBUG"):
        pulumi.log.debug = _nobody_listens


def _keep_stack_traces_here() -> None:
    """Do not send with each resource the stack of calls that declared it.

    The SDK reads the lines of every frame for it, which takes a millisecond a resource, and Pulumi keeps it in the
    state: a fifth of the state, with paths of this machine, all of it written anew when a line of the program moves.
    """
    resource._get_stack_trace = source_pb2.StackTrace  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


def _nobody_listens(*_arguments: object, **_keywords: object) -> None:
    """Stand in for pulumi.log.debug."""


def _let_requests_go() -> None:
    """Send what is registered so far: Pulumi starts the dynamic resources' host while the rest is imported."""
    pump = sync_await._sync_await  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] (the SDK has no public way)
    pump(asyncio.sleep(0.005))
